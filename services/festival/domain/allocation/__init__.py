"""Requests for stock, from what was asked to what inventory holds: accepted, short, revised."""
