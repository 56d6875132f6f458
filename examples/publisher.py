"""Publish one alert and end: python examples/publisher.py [message]"""

import os
import sys

import redis

CHANNEL = "sistema_alertas"
ALERT = "Servidor CPU em 99% - Perigo!"


def main() -> None:
    client = redis.Redis.from_url(os.environ.get("REDIS_URL", "redis://localhost:6379"))
    message = " ".join(sys.argv[1:]) or ALERT
    receivers = client.publish(CHANNEL, message)
    print(f"{receivers} received: {message}")


if __name__ == "__main__":
    try:
        main()
    except redis.ConnectionError as error:
        raise SystemExit(f"Redis does not answer ({error}): run make run first.") from None
