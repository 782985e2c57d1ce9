"""What every service's HTTP API has in common: health, problem details, and commands that become events."""
