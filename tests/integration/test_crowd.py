"""A thousand tabs: nothing lost, nothing twice, everything in order."""

from contextlib import closing
from unittest.mock import ANY

from tests.support.crowd import Crowd
from tests.support.redis_servers import RedisServer
from tests.support.servers import Start
from tests.support.waiting import eventually

SOCKETS, MESSAGES = 1000, 100


def test_a_thousand_tabs_get_every_message_once_and_in_order(start: Start, own_redis: RedisServer) -> None:
    server = start(REDIS_URL=own_redis.url)
    with closing(Crowd(server, SOCKETS, "crowd")) as crowd:
        crowd.until_each_has(1)
        sent = [f"message {n}" for n in range(MESSAGES)]
        for text in sent:
            assert own_redis.client.publish("crowd", text) == SOCKETS
        crowd.until_each_has(1 + MESSAGES)
        for member in crowd.members:
            assert member.events[0] == {"type": "subscribe", "channel": "crowd", "at": ANY}
            assert [event["data"] for event in member.events[1:]] == sent
    eventually(lambda: own_redis.subscribers() == 0, within=20)
