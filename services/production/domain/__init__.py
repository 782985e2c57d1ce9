"""The entities of production (facilities, products, lots, reports) and its rules."""
