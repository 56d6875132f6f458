"""The bridge's lease in a real Redis."""

from contextlib import closing

from arauto.bridge.lease import Lease, LeaseReply
from arauto.redis_io.connection import RedisLink
from tests.support.redis_servers import RedisServer


def test_only_a_process_that_waits_for_it_asks_the_holder(own_redis: RedisServer) -> None:
    """A process that is replaced takes a free lease, but would pass for its own successor if it asked."""
    with closing(RedisLink(own_redis.url)) as link:
        lease = Lease(link)

        def step(token: int, is_waiting: bool, is_wanted: bool = True) -> LeaseReply:
            return lease.step(token, is_wanted, False, 0, b"", 0, is_waiting=is_waiting)

        first = step(0, is_waiting=False).token
        assert first
        assert step(0, is_waiting=False).token == 0
        assert step(first, is_waiting=True).wanted == 0
        asked = step(0, is_waiting=True)
        assert asked.token == 0
        assert step(first, is_waiting=True).wanted == asked.now
        assert step(first, is_waiting=True, is_wanted=False).token == 0
        assert step(0, is_waiting=False).token > first
