"""The lower bound of this design: wait, ``recv``, one look-up, ``send``, and nothing else.

Each browser socket has a Redis connection and a thread of gevent, as in Arauto. There is no Flask,
no batch, no gap, no lock and no deadline; a reply is put into a frame once for all sockets.
"""

import os
import socket
from base64 import b64encode
from collections.abc import Iterable
from hashlib import sha1
from typing import Any
from urllib.parse import urlsplit
from wsgiref.types import StartResponse, WSGIEnvironment

import gevent
from gevent.hub import get_hub

GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, section 1.3
REDIS = urlsplit(os.environ["REDIS_URL"])
frames: dict[bytes, bytes] = {}


def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    browser = environ["gunicorn.socket"]
    key = environ["HTTP_SEC_WEBSOCKET_KEY"] + GUID
    accept = b64encode(sha1(key.encode()).digest())
    redis = socket.create_connection((REDIS.hostname, REDIS.port))
    redis.sendall(b"SUBSCRIBE bench\r\n")
    redis.recv(1024)
    browser.sendall(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: %b\r\n\r\n" % accept
    )
    gevent.spawn(stream, redis, browser)
    browser.recv(1)  # until it leaves
    redis.close()
    raise SystemExit  # no HTTP answer after the frames


def stream(redis: Any, browser: Any) -> None:
    hub = get_hub()
    watcher = hub.loop.io(redis.fileno(), 1)
    receive, send = redis._sock.recv, browser._sock.send
    while True:
        hub.wait(watcher)
        data = receive(1 << 16)
        if not data:
            return
        send(frames.get(data) or frame(data))


def frame(data: bytes) -> bytes:
    """One text frame with all of ``data``: the load client finds the numbers in it."""
    if len(frames) > 1000:
        frames.clear()
    n = len(data)
    head = (
        bytes((0x81, n))
        if n < 126
        else b"\x81\x7e" + n.to_bytes(2)
        if n < 65536
        else b"\x81\x7f" + n.to_bytes(8)
    )
    frames[data] = head + data
    return frames[data]
