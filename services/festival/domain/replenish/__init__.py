"""Refills while a festival is open: what booths will still sell, what moves between them, what facilities send. Pure,
importable alone."""
