"""The seven services. None imports another."""
