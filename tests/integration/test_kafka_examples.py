"""The two scripts for Kafka: what one publishes waits for the other, which remembers where it was."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from tests.support.kafka_servers import KafkaServer
from tests.support.programs import Listener, example
from tests.support.waiting import PATIENCE


def produce(kafka: KafkaServer, *words: str) -> str:
    done = subprocess.run(
        example("kafka_producer.py", *words),
        env=os.environ | {"KAFKA_URL": kafka.url}, capture_output=True, timeout=PATIENCE, check=True,
    )  # fmt: skip
    return done.stdout.decode()


@contextmanager
def consuming(kafka: KafkaServer) -> Iterator[Listener]:
    """The consumer has begun; afterwards it ends as by Ctrl+C."""
    environ = os.environ | {"KAFKA_URL": kafka.url}
    command = example("kafka_consumer.py")
    with subprocess.Popen(command, env=environ, stdout=subprocess.PIPE) as process:
        try:
            listener = Listener(process)
            assert listener.lines(1) == ["Reading sistema_alertas. Ctrl+C ends."]
            yield listener
            process.send_signal(signal.SIGINT)
            assert process.wait(PATIENCE) == 0
        finally:
            process.kill()


def test_what_was_published_before_is_read_once(kafka: KafkaServer) -> None:
    assert produce(kafka) == "Kept in partition 0 at offset 0: Servidor CPU em 99% - Perigo!\n"
    with consuming(kafka) as consumer:
        assert consumer.lines(1) == ["Alert: Servidor CPU em 99% - Perigo!"]
    assert produce(kafka, "while", "nobody", "reads").endswith("at offset 1: while nobody reads\n")
    with consuming(kafka) as consumer:
        assert consumer.lines(1) == ["Alert: while nobody reads"]
