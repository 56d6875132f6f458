"""Share the work on a topic with others: python examples/worker.py [name]

Start it twice: each task goes to one of the two, and when one ends the other takes over its part. Two
subscribers of Redis would both get every task.
"""

import os
import sys

from confluent_kafka import Consumer, KafkaException, TopicPartition

TOPIC = "sistema_tarefas"
GROUP = "workers"


def main() -> None:
    name = " ".join(sys.argv[1:]) or f"worker {os.getpid()}"
    brokers = os.environ.get("KAFKA_URL", "kafka://localhost:9092").removeprefix("kafka://")
    settings = {"group.id": GROUP, "client.id": name, "auto.offset.reset": "earliest", "log_level": 0}
    consumer = Consumer({"bootstrap.servers": brokers, "enable.auto.offset.store": False} | settings)

    def tell(_: Consumer, partitions: list[TopicPartition]) -> None:
        numbers = ", ".join(str(one.partition) for one in partitions)
        print(f"{name} has partitions {numbers}." if numbers else f"{name} has to wait.", flush=True)

    try:
        consumer.list_topics(timeout=10)
        consumer.subscribe([TOPIC], on_assign=tell)
        while True:
            message = consumer.poll(1)
            if message is not None and message.error() is None:
                place = f"{message.partition()}:{message.offset()}"
                print(f"{name} does {place}: {(message.value() or b'').decode()}", flush=True)
                consumer.store_offsets(message)  # only what is done counts, should this end now
    except KafkaException:
        raise SystemExit(f"Kafka does not answer at {brokers}: start one, or set KAFKA_URL.") from None
    finally:
        consumer.close()


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass
