"""The four services and the two edge agents. No service imports another."""
