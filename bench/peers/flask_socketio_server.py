"""Flask-SocketIO on gevent, one process (more need sticky sessions); one Redis subscriber for all."""

# ruff: noqa: E402, I001
from gevent import monkey

monkey.patch_all()

import os
import redis
from flask import Flask
from flask_socketio import SocketIO

app = Flask(__name__)
socketio = SocketIO(app, async_mode="gevent", cors_allowed_origins="*")
client = redis.Redis.from_url(os.environ["REDIS_URL"], decode_responses=True)


def stream() -> None:
    pubsub = client.pubsub(ignore_subscribe_messages=True)
    pubsub.subscribe("bench")
    for reply in pubsub.listen():
        socketio.emit("message", reply["data"])


socketio.start_background_task(stream)

if __name__ == "__main__":
    # With gevent-websocket installed this is the server that its documentation recommends.
    socketio.run(app, host="127.0.0.1", port=int(os.environ["PORT"]))
