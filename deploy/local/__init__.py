"""A Kafka broker and a MongoDB-protocol server from the virtual environment alone, for laptops and CI."""
