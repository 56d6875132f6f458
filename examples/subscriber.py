"""Listen on a channel and print each alert: python examples/subscriber.py"""

import os

import redis

CHANNEL = "sistema_alertas"


def main() -> None:
    client = redis.Redis.from_url(
        os.environ.get("REDIS_URL", "redis://localhost:6379"), decode_responses=True
    )
    with client.pubsub() as pubsub:
        pubsub.subscribe(CHANNEL)
        for reply in pubsub.listen():
            if reply["type"] == "subscribe":
                print(f"Listening on {reply['channel']}. Ctrl+C ends.", flush=True)
            else:
                print(f"Alert: {reply['data']}", flush=True)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        pass
    except redis.ConnectionError as error:
        raise SystemExit(f"Redis does not answer ({error}): run make run first.") from None
