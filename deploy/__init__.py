"""What sets Karya up and runs it: the local stack, the `karya` command, checks over all databases."""
