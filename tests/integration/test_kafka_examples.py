"""The two scripts for Kafka: messages of one wait for the other, which commits its offset."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from confluent_kafka import Consumer, TopicPartition

from tests.support.kafka_servers import KafkaServer
from tests.support.programs import Listener, example
from tests.support.waiting import PATIENCE, eventually


def produce(kafka: KafkaServer, *words: str) -> str:
    done = subprocess.run(
        example("kafka_producer.py", *words),
        env=os.environ | {"KAFKA_URL": kafka.url}, capture_output=True, timeout=PATIENCE, check=True,
    )  # fmt: skip
    return done.stdout.decode()


@contextmanager
def consuming(kafka: KafkaServer) -> Iterator[Listener]:
    """Run the consumer within the block; it ends as by Ctrl+C."""
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


@contextmanager
def working(kafka: KafkaServer, name: str) -> Iterator[Listener]:
    """Run a worker within the block; it ends as by Ctrl+C."""
    environ = os.environ | {"KAFKA_URL": kafka.url}
    with subprocess.Popen(example("worker.py", name), env=environ, stdout=subprocess.PIPE) as process:
        try:
            yield Listener(process)
            process.send_signal(signal.SIGINT)
            assert process.wait(PATIENCE) == 0
        finally:
            process.kill()


def wait_until_it_is_done(kafka: KafkaServer, topic: str, partition: int) -> None:
    """Wait for the commit: a worker that ends between a task and its commit leaves the task to another."""
    look = Consumer(kafka.client(**{"group.id": "workers"}))
    place = [TopicPartition(topic, partition)]
    eventually(lambda: look.committed(place, timeout=PATIENCE)[0].offset == 1, why="the offset is committed")
    look.close()


def test_two_workers_share_the_work_and_one_takes_over(kafka: KafkaServer) -> None:
    topic = "sistema_tarefas"
    kafka.create(topic, partitions=2)
    with working(kafka, "ana") as ana:
        assert ana.lines(1) == ["ana has partitions 0, 1."]
        with working(kafka, "rui") as rui:
            (of_rui,), (of_ana,) = rui.lines(1), ana.lines(1)
            shares = (
                {"ana has partitions 0.", "rui has partitions 1."},
                {"ana has partitions 1.", "rui has partitions 0."},
            )
            assert {of_ana, of_rui} in shares
            mine = int(of_ana.removesuffix(".")[-1])
            kafka.produce(topic, b"sweep", partition=mine)
            kafka.produce(topic, b"dust", partition=1 - mine)
            assert ana.lines(1) == [f"ana does {mine}:0: sweep"]
            assert rui.lines(1) == [f"rui does {1 - mine}:0: dust"]
            wait_until_it_is_done(kafka, topic, partition=1 - mine)
        assert ana.lines(1) == ["ana has partitions 0, 1."]
        kafka.produce(topic, b"polish", partition=1 - mine)
        assert ana.lines(1) == [f"ana does {1 - mine}:1: polish"], "and what rui did is not done again"
