"""The six services. None imports another."""
