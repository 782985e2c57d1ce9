"""The common parts of every HTTP API: admission, health, problem details, and commands that become events."""
