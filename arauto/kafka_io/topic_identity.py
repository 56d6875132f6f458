"""Which topic has a name now: another one has another id."""

from concurrent.futures import TimeoutError as NoAnswer
from contextlib import suppress

from confluent_kafka import KafkaError, KafkaException, TopicCollection

from arauto.kafka_io.connection import DEADLINE, KafkaLink, trouble


def describe(link: KafkaLink, topic: str) -> tuple[str, set[int], set[int]]:
    """Its id, its partitions, and those of them that have no leader; in a native thread, for it waits.

    :raise KafkaException: it cannot be told, as there is no such topic, which is not made either.
    """
    asked = TopicCollection([topic])
    answers = link.admin.describe_topics(asked, request_timeout=DEADLINE)
    try:
        found = answers[topic].result(2 * DEADLINE)
    except (NoAnswer, KafkaException) as error:
        why = KafkaError(KafkaError._TIMED_OUT) if isinstance(error, NoAnswer) else error.args[0]
        if trouble(why).kind == "away":
            ask_another(link)
        raise KafkaException(why) from None
    # The library has its bytes in the base64 of MIME, Kafka itself in that of addresses.
    epoch = str(found.topic_id).replace("+", "-").replace("/", "_")
    leaderless = {one.id for one in found.partitions if one.leader is None}
    return epoch, {one.id for one in found.partitions}, leaderless


def ask_another(link: KafkaLink) -> None:
    """The library asks one broker what topics are; let it choose again, which it does after minutes else."""
    with suppress(KafkaException):
        link.admin.list_topics(timeout=DEADLINE)
