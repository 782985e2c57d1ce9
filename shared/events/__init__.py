"""The published language: one module per owner, each with its topics and their event models."""
