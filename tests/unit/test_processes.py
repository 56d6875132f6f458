import os
import socket
import subprocess

import psutil

from tests.support.processes import children, connections


def test_connections_are_those_of_the_process_with_these_ports() -> None:
    me = os.getpid()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        before = connections(me)
        assert connections(me, local=port) == 0, "a socket that listens is none"
        with socket.create_connection(("127.0.0.1", port)) as ours, listening.accept()[0]:
            assert (connections(me, local=port), connections(me, remote=port)) == (1, 1)
            assert connections(me, local=ours.getsockname()[1], remote=port) == 1
            assert connections(me, local=port, remote=port) == 0
            assert connections(me) == before + 2
            with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as other:
                assert psutil.Process(other.pid) in children(me)
                assert connections(other.pid) == 0
        assert connections(me, remote=port) == 0, "nor is one that is closed"
