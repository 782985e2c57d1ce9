"""Goods on their way between facilities and booths, and losses."""
