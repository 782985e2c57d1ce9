"""What a bench runs in processes of their own. Each says at its end, on one line of its output, what it took."""
