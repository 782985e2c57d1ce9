"""Deployment: the image, the topics, and the stack of Kafka and MongoDB."""
