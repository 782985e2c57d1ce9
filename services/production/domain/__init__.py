"""What production knows (facilities, products, lots, reports) and the rules that it goes by."""
