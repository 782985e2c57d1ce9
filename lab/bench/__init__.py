"""Throughput and latency relative to a minimal consumer and to other frameworks. All quantities are made up."""
