"""The accounts of identity and their rules."""
