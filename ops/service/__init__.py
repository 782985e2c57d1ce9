"""Operations: what operators do by `karya dlq`, `karya verify` and `karya rebuild`, over HTTP.

It is the only service that reads all topics and the databases of the others, as the user of operators on Kafka and
MongoDB. It keeps nothing: the state of letters is in the topics, and the last runs are in its memory.
"""
