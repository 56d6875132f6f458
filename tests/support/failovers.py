"""Random faults of a Redis that Sentinels watch, and a publisher that follows its master meanwhile."""

import random
from threading import Event
from time import monotonic

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.support.promises import Published
from tests.support.redis_servers import RedisServer
from tests.support.sentinels import NAME, Watched

ASK_EVERY = 0.1  # seconds between two queries of the Sentinels
TIMEOUT = 0.5  # seconds that the publisher waits for a Redis


class FollowingPublisher(Published):
    """Publishes to the master of the highest epoch, from outside, as a careful client does."""

    def __init__(self, watched: Watched, channel: str) -> None:
        super().__init__(watched.first, channel)
        self._watched = watched
        self._clients = {
            one.port: redis.Redis(
                port=one.port,
                protocol=2,
                socket_timeout=TIMEOUT,
                retry=Retry(NoBackoff(), 0),  # a retry could publish twice
            )
            for one in (watched.first, watched.second)
        }
        self._queried_at = -1.0
        self._port = watched.first.port

    def go_on(self, many: int = 1) -> None:
        """A number is unsure unless a Redis replied that it took it as the master."""
        for _ in range(many):
            client, data = self._clients[self._master()], self.note()
            try:
                with client.pipeline(transaction=True) as both:
                    both.publish(self.channel, data)
                    both.execute_command("ROLE")
                    _, role = both.execute()
            except redis.RedisError:
                self.unsure.add(data)
                self._queried_at = -1.0
            else:
                if role[0] != b"master":
                    self.unsure.add(data)

    def _master(self) -> int:
        if monotonic() - self._queried_at > ASK_EVERY:
            self._queried_at = monotonic()
            views = [one.view() for one in self._watched.sentinels if one.is_running]
            self._port = max(views)[1]
        return self._port


class Faults:
    """Breaks servers at random; each call breaks one thing and repairs it."""

    def __init__(self, watched: Watched, seed: int) -> None:
        self._watched = watched
        self._random = random.Random(seed)
        self.happened: list[str] = []

    def one(self) -> None:
        """One fault, then a pause."""
        fault = self._random.choice(
            [self._kill, self._freeze, self._fail_over, self._cut, self._restart_a_sentinel]
        )
        self.happened.append(fault.__name__)
        fault()
        Event().wait(self._random.uniform(0, 3))

    @property
    def _servers(self) -> list[RedisServer]:
        return [self._watched.first, self._watched.second]

    def _master(self) -> RedisServer:
        port = max(one.view() for one in self._watched.sentinels)[1]
        return next(one for one in self._servers if one.port == port)

    def _kill(self) -> None:
        master = self._master()
        master.stop()
        Event().wait(self._random.uniform(0, 8))
        master.start()

    def _freeze(self) -> None:
        master = self._master()
        master.freeze()
        Event().wait(self._random.uniform(0.5, 8))
        master.thaw()

    def _fail_over(self) -> None:
        sentinel = self._random.choice(self._watched.sentinels)
        try:
            sentinel.client.execute_command("SENTINEL", "FAILOVER", NAME)
        except redis.ResponseError:
            self.happened[-1] += ", refused"

    def _cut(self) -> None:
        try:
            self._master().client.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
        except redis.RedisError:
            self.happened[-1] += ", refused"

    def _restart_a_sentinel(self) -> None:
        sentinel = self._random.choice(self._watched.sentinels)
        sentinel.stop()
        Event().wait(self._random.uniform(0, 4))
        sentinel.start()
