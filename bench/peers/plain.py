"""The shape written plainly, as tutorials do: redis-py's ``listen()`` and ``ws.send``."""

import os
import threading

import redis
from flask import Flask
from flask_sock import Sock
from simple_websocket import Server

app = Flask(__name__)
sock = Sock(app)
# redis-py's own limit of 100 connections would end the comparison at the hundredth tab.
client = redis.Redis.from_url(os.environ["REDIS_URL"], decode_responses=True, max_connections=5000)


@sock.route("/feed")  # type: ignore[untyped-decorator]
def feed(ws: Server) -> None:
    def stream() -> None:
        for reply in pubsub.listen():
            ws.send(str(reply["data"]))

    pubsub = client.pubsub()
    pubsub.subscribe("bench")
    threading.Thread(target=stream, daemon=True).start()
    while True:
        ws.receive()
