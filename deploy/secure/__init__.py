"""Kafka and MongoDB for known users only: certificates, users, and what each of them may do."""
