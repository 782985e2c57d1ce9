"""Programs that a bench runs in child processes. Each prints its result as one line at its end."""
