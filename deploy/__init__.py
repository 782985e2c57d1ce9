"""What deploys Karya: its image, its topics, the stack it runs on."""
