"""The documentation's pictures, each drawn from a description in Python."""
