"""Operator tools: verification, rebuilding, tracing, dead letters and strays."""
