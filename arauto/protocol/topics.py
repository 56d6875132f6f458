"""Topics of Kafka (pure)."""


def channel_of(topic: str) -> bytes:
    """The name of the channel for which rights are asked where a topic is meant."""
    return b"kafka:" + topic.encode()
