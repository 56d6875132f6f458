"""The id of a topic: a topic that is deleted and created again has another one."""

from concurrent.futures import TimeoutError as NoAnswer
from contextlib import suppress

from confluent_kafka import KafkaError, KafkaException, TopicCollection

from arauto.kafka_io.connection import DEADLINE, KafkaLink, trouble


def describe(link: KafkaLink, topic: str) -> tuple[str, set[int], set[int]]:
    """The id of a topic, its partitions, and those without a leader. Blocks: call it in a native thread.

    :raise KafkaException: Kafka does not answer, or has no such topic; none is created.
    """
    topics = TopicCollection([topic])
    answers = link.admin.describe_topics(topics, request_timeout=DEADLINE)
    try:
        found = answers[topic].result(2 * DEADLINE)
    except (NoAnswer, KafkaException) as error:
        why = KafkaError(KafkaError._TIMED_OUT) if isinstance(error, NoAnswer) else error.args[0]
        if trouble(why).kind == "away":
            choose_another_broker(link)
        raise KafkaException(why) from None
    # The library prints its bytes in standard base64, Kafka in that of URLs.
    epoch = str(found.topic_id).replace("+", "-").replace("/", "_")
    leaderless = {one.id for one in found.partitions if one.leader is None}
    return epoch, {one.id for one in found.partitions}, leaderless


def choose_another_broker(link: KafkaLink) -> None:
    """Let the library choose another broker for such queries: it would keep a dead one for minutes."""
    with suppress(KafkaException):
        link.admin.list_topics(timeout=DEADLINE)
