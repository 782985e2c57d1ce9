"""Kafka, MongoDB and the services as processes of this machine."""
