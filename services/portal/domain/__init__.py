"""What the pages say, as functions of what the other services answered."""
