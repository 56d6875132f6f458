"""The children and the TCP connections of a process, read from Linux.

Tests poll them. With thousands of sockets psutil takes tens of milliseconds for each: it reads every process
for the children, and a line about every socket for the connections.
"""

import os
import socket
import struct
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil

# From <linux/netlink.h>, <linux/sock_diag.h> and <linux/inet_diag.h>.
_SOCK_DIAG, _BY_FAMILY, _DONE, _ERROR = 4, 20, 3, 2
_REQUEST, _DUMP = 0x1, 0x300
_HEADER, _QUESTION, _ANSWER = struct.Struct("=IHHII"), struct.Struct("=BBBxI2s2s44x"), struct.Struct("=68xI")
_CONNECTED = sum(1 << state for state in (1, 2, 3, 4, 5, 8, 9, 11))  # neither closed nor listening


def children(pid: int) -> list[psutil.Process]:
    """The children of the main thread, which starts all of gunicorn's; none once the process has ended."""
    found: list[psutil.Process] = []
    with suppress(OSError):
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            with suppress(psutil.NoSuchProcess):
                found.append(psutil.Process(int(child)))
    return found


def connections(pid: int, local: int = 0, remote: int = 0) -> int:
    """The number of IPv4 connections of a process, with these local and remote ports if given."""
    open_now = set[str]()
    for descriptor in os.scandir(f"/proc/{pid}/fd"):
        with suppress(FileNotFoundError):  # closed meanwhile
            open_now.add(os.readlink(descriptor.path))
    return sum(f"socket:[{inode}]" in open_now for inode in set(_inodes(local, remote)))


def _inodes(local: int, remote: int) -> Iterator[int]:
    """The inodes of all connections of the machine with these ports."""
    ports = (port.to_bytes(2) for port in (local, remote))
    question = _QUESTION.pack(socket.AF_INET, socket.IPPROTO_TCP, 0, _CONNECTED, *ports)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _SOCK_DIAG) as kernel:
        kernel.send(_HEADER.pack(_HEADER.size + len(question), _BY_FAMILY, _REQUEST | _DUMP, 0, 0) + question)
        while True:
            rest = memoryview(kernel.recv(1 << 16))
            while rest:
                size, kind, *_ = _HEADER.unpack_from(rest)
                if kind in (_DONE, _ERROR):
                    assert kind == _DONE, "the kernel refused to list its sockets"
                    return
                yield _ANSWER.unpack_from(rest, _HEADER.size)[0]
                rest = rest[(size + 3) & ~3 :]
