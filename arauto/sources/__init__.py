"""The interface of a source of messages, and two sources: Redis and Kafka."""
