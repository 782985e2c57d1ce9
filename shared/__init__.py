"""What all services stand on: the step, the published language, the clients and their settings."""
