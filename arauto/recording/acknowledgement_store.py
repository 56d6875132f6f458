"""Stores the acknowledgements of a log's messages beside the log."""

from collections.abc import Iterable
from enum import Enum
from typing import NamedTuple

import redis

from arauto.protocol.acknowledgements import Acknowledgement, read_member
from arauto.protocol.log_entries import Id
from arauto.recording.log_store import Store
from arauto.recording_core.log_keys import acknowledgements_of, head_of, stream_of

MOST = 10_000  # acknowledgements of one channel


class Outcome(Enum):
    """The outcome of an attempt to take a message or to give it back."""

    DONE = "it is taken from now on"
    TAKEN = "somebody has it already"
    GIVEN_BACK = "nobody has it any more"
    NOBODY = "nobody had it"
    UNKNOWN = "the log has no such message"
    UNRECORDED = "the channel is not recorded"
    FULL = "too many messages of the channel are taken"


class Answer(NamedTuple):
    """The current acknowledgement, or the one that was just removed."""

    outcome: Outcome
    acknowledgement: Acknowledgement | None


class AcknowledgementStore:
    """The acknowledgements in one database. Methods raise ``redis.RedisError`` if Redis is away or refuses.

    Each change is published on the channel of the log's announcements, in the same step. These need not be
    read in order, and no message waits for them.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def take(self, channel: bytes, id: str, by: str) -> Answer:
        """Take a message for ``by``, unless it is taken."""
        return self._change(channel, id, by)

    def give_back(self, channel: bytes, id: str) -> Answer:
        """Give a message back, whoever has taken it."""
        return self._change(channel, id, "")

    def list(self, channel: bytes) -> list[Acknowledgement]:
        """The acknowledgements of messages that the log still has, oldest message first."""
        client = self._store.client_of(stream_of(channel))
        with client.pipeline(transaction=False) as pipeline:
            pipeline.execute_command(b"XRANGE", stream_of(channel), "-", "+", "COUNT", 1)
            pipeline.zrangebyscore(acknowledgements_of(channel), "-inf", "+inf")
            first, members = pipeline.execute()
        if not first:
            return []
        start = Id.read(first[0][0]).n
        found = filter(None, map(read_member, members))
        return [one for one in found if one.by and Id.read(one.id).n >= start]

    def trim(self, channels: Iterable[bytes]) -> None:
        """Remove those of messages that the logs no longer have. Channels that Redis refuses are skipped."""
        channels = list(channels)
        keys = list(map(acknowledgements_of, channels))
        kept = self._store.ask([(key, ("EXISTS", key)) for key in keys])
        for channel, is_kept in zip(channels, kept, strict=True):
            if is_kept == 1:
                self._trim(channel)

    def _trim(self, channel: bytes) -> None:
        client = self._store.client_of(stream_of(channel))
        try:
            first = client.execute_command(b"XRANGE", stream_of(channel), "-", "+", "COUNT", 1)
            end = f"({Id.read(first[0][0]).n}" if first else "+inf"
            client.zremrangebyscore(acknowledgements_of(channel), "-inf", end)
        except redis.ResponseError:
            pass

    def _change(self, channel: bytes, id: str, by: str) -> Answer:
        keys = stream_of(channel), head_of(channel), acknowledgements_of(channel)
        words = self._store.announcements_of(channel)
        outcome, member = self._store.evaluate("acknowledge", keys, words, id, Id.read(id).n, by, MOST)
        return Answer(Outcome[outcome.decode()], read_member(member))
