"""How readers of Kafka poll."""

# How often a waiting reader checks that its consumer still lives.
LOOK_MS = 200
