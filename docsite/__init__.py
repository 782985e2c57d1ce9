"""The documentation's generated pages and pictures, and the checks of the built site."""
