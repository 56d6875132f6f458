"""A master, a replica and three Sentinels on loopback."""

import subprocess
from contextlib import ExitStack, closing
from pathlib import Path

import redis

from tests.support.redis_servers import RedisServer, free_port, release_port
from tests.support.waiting import eventually

NAME = "alerts"
DOWN_AFTER = 1000  # milliseconds of silence after which a Sentinel thinks that a Redis is down


class Sentinel:
    """One Sentinel that watches the master at a port."""

    def __init__(
        self,
        binary: str,
        directory: Path,
        master: int,
        *lines: str,
        quorum: int = 2,
        host: str = "127.0.0.1",
        password: str | None = None,
    ) -> None:
        self.port = free_port()
        config = directory / f"sentinel-{self.port}.conf"
        config.write_text(
            "\n".join(
                [
                    f"port {self.port}",
                    "bind 127.0.0.1",
                    f"dir {directory}",
                    *(
                        lines if host != "127.0.0.1" else ()
                    ),  # resolving names must be allowed before the line that has one
                    f"sentinel monitor {NAME} {host} {master} {quorum}",
                    f"sentinel down-after-milliseconds {NAME} {DOWN_AFTER}",
                    f"sentinel failover-timeout {NAME} 4000",
                    *(lines if host == "127.0.0.1" else ()),
                    "",
                ]
            )
        )
        self.client = redis.Redis(port=self.port, password=password, protocol=2)
        self._command = [binary, str(config), "--sentinel"]
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)
        try:
            eventually(self._answers, why="the Sentinel answers")
        except AssertionError:
            self.stop()
            raise
        self.is_running = True

    def master(self) -> int:
        """The port of the master, as this Sentinel reports it."""
        _, port = self.client.execute_command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", NAME)
        return int(port)

    def state(self) -> dict[str, str]:
        fields = [text.decode() for text in self.client.execute_command("SENTINEL", "MASTER", NAME)]
        return dict(zip(fields[::2], fields[1::2], strict=True))

    def view(self) -> tuple[int, int]:
        """The epoch of its configuration, and the port of the master."""
        return int(self.state()["config-epoch"]), self.master()

    def stop(self) -> None:
        self.is_running = False
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        self.client.close()
        self.stop()
        release_port(self.port)

    def _answers(self) -> bool:
        try:
            return bool(self.client.ping())
        except redis.ConnectionError:
            return False


class Watched:
    """Two Redis servers, a master and its replica, and the Sentinels that watch them."""

    def __init__(self, stack: ExitStack, binary: str, directory: Path) -> None:
        self._stack = stack
        self.first = stack.enter_context(closing(RedisServer(binary, directory)))
        follow = ("--replicaof", f"127.0.0.1 {self.first.port}")
        self.second = stack.enter_context(closing(RedisServer(binary, directory, *follow)))
        self.sentinels = [
            stack.enter_context(closing(Sentinel(binary, directory, self.first.port))) for _ in range(3)
        ]
        eventually(self._is_whole, why="the Sentinels know the replica and each other")
        self.url = f"redis+sentinel://{','.join(f'127.0.0.1:{one.port}' for one in self.sentinels)}/{NAME}"

    def fail_over(self) -> None:
        """Make the replica the master, and wait until all Sentinels report it."""
        before = self.sentinels[0].master()
        self.sentinels[0].client.execute_command("SENTINEL", "FAILOVER", NAME)
        self.wait_for_other(before)

    def wait_for_other(self, before: int) -> None:
        eventually(
            lambda: all(one.master() != before for one in self.sentinels), why="the Sentinels have changed"
        )

    def _is_whole(self) -> bool:
        states = [one.state() for one in self.sentinels]
        return all(
            (state["num-slaves"], state["num-other-sentinels"], state["flags"]) == ("1", "2", "master")
            for state in states
        )
