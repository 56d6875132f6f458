"""Publish one alert to Kafka and end: python examples/kafka_producer.py [message]"""

import os
import sys
from typing import Any

from confluent_kafka import KafkaError, Producer

TOPIC = "sistema_alertas"
ALERT = "Servidor CPU em 99% - Perigo!"
PATIENCE = 10  # seconds


def main() -> None:
    brokers = os.environ.get("KAFKA_URL", "kafka://localhost:9092").removeprefix("kafka://")
    producer = Producer({"bootstrap.servers": brokers, "enable.idempotence": True, "log_level": 0})
    message = " ".join(sys.argv[1:]) or ALERT

    def tell(error: KafkaError | None, kept: Any) -> None:
        print(error or f"Kept in partition {kept.partition()} at offset {kept.offset()}: {message}")

    producer.produce(TOPIC, message.encode(), on_delivery=tell)
    if producer.flush(PATIENCE):
        raise SystemExit(f"Kafka does not answer at {brokers}: start one, or set KAFKA_URL.")


if __name__ == "__main__":
    main()
