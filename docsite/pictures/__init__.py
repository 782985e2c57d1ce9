"""The documentation's pictures, drawn from descriptions in Python."""
