"""The published language: one module per owner, with its topics and event models."""
