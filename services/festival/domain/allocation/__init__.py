"""Requests for stock, from the demand to the reservations: plan, acceptance, shortage, revision."""
