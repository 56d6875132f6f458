"""Print each alert that Kafka keeps, also those from before: python examples/kafka_consumer.py

It is stopped and started again, and goes on where it was: its group remembers.
"""

import os

from confluent_kafka import Consumer, KafkaException

TOPIC = "sistema_alertas"
GROUP = "examples"


def main() -> None:
    brokers = os.environ.get("KAFKA_URL", "kafka://localhost:9092").removeprefix("kafka://")
    consumer = Consumer(
        {"bootstrap.servers": brokers, "group.id": GROUP, "auto.offset.reset": "earliest", "log_level": 0}
    )
    try:
        consumer.list_topics(timeout=10)
        consumer.subscribe([TOPIC])
        print(f"Reading {TOPIC}. Ctrl+C ends.", flush=True)
        while True:
            message = consumer.poll(1)
            if message is not None and message.error() is None:
                print(f"Alert: {(message.value() or b'').decode()}", flush=True)
    except KafkaException:
        raise SystemExit(f"Kafka does not answer at {brokers}: start one, or set KAFKA_URL.") from None
    finally:
        consumer.close()  # and says how far it came


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass
