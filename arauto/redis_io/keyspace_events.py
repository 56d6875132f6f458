"""Keyspace events: whether Redis publishes them, and its classes of events."""

from typing import Any, NamedTuple

import redis
from redis.exceptions import NoPermissionError

from arauto.i18n.gettext import gettext
from arauto.redis_io.connection import RedisLink, error_text

ANY = b"__key*"
"""Matches the channels of all keyspace events."""

_SETTING = "notify-keyspace-events"
_USUAL, _MOST = 16, 1024  # databases


class EventClass(NamedTuple):
    """A letter of ``notify-keyspace-events``, and globs of the names of its events."""

    letter: str
    events: str


IN_A = (
    EventClass("g", "del expire persist rename_* move_* copy_to restore"),
    EventClass("$", "set* append incrby* pfadd"),
    EventClass("l", "l* rp* sortstore"),
    EventClass("s", "s[adiupr]*"),
    EventClass("h", "h*"),
    EventClass("z", "z* geo*"),
    EventClass("t", "x*"),
    EventClass("d", "*.*"),  # modules name their events themselves, as their commands: json.set
    EventClass("x", "expired"),
    EventClass("e", "evicted"),
)
"""The classes that ``A`` stands for."""

BESIDE_A = (EventClass("m", "keymiss"), EventClass("n", "new"))
SINCE_8_2 = (EventClass("o", "overwritten"), EventClass("c", "type_changed"))
"""Classes that Redis has since 8.2, and Valkey has not."""


def keyspace_events(link: RedisLink) -> dict[str, Any]:
    """Query which keyspace events Redis publishes. It changes no setting.

    ``flags`` is ``notify-keyspace-events``; if it is ``None``, ``reason`` is a sentence that says why, and
    ``has_config`` whether CONFIG SET could set it. In a cluster, ``note`` says which events are not received.

    :raise redis.RedisError: Redis does not answer.
    """
    with link.client.pipeline(transaction=False) as pipe:
        pipe.config_get(_SETTING)
        pipe.config_get("databases")
        pipe.info("server")
        setting, databases, server = pipe.execute(raise_on_error=False)
    if isinstance(setting, redis.RedisError) and not isinstance(setting, redis.ResponseError):
        raise setting  # it is loading its data, for example
    answer = {
        "flags": _value(setting, _SETTING),
        "database": int(link.client.connection_pool.connection_kwargs.get("db") or 0),
        "databases": min(int(_value(databases, "databases") or _USUAL), _MOST),
        "classes": _classes(server),
    }
    if answer["flags"] is None:
        answer["has_config"] = isinstance(setting, Exception) and "unknown command" not in str(setting)
        answer["reason"] = _reason(setting) if answer["has_config"] else _without_config()
    if link.is_cluster or "cluster" in (_of(server).get("server_mode"), _of(server).get("redis_mode")):
        answer["note"] = gettext(
            "In a cluster each node publishes the events of its own keys: a page receives those of one node."
        )
    return answer


def _value(answer: Any, name: str) -> str | None:
    return _of(answer).get(name)


def _of(answer: Any) -> dict[str, Any]:
    """The reply; empty if Redis refused."""
    return answer if isinstance(answer, dict) else {}


def _reason(refusal: redis.ResponseError) -> str:
    if isinstance(refusal, NoPermissionError):
        return gettext("It is not known whether Redis publishes them: this user may not ask (CONFIG GET).")
    return gettext("It is not known whether Redis publishes them: %(words)s", words=error_text(refusal))


def _without_config() -> str:
    return gettext(
        "It is not known whether Redis publishes them: it has no CONFIG, as with most managed services."
        " Set this where the service is configured:"
    )


def _classes(server: Any) -> list[dict[str, Any]]:
    beside = BESIDE_A + (SINCE_8_2 if _is_redis_8_2(server) else ())
    names = _names()
    return [
        {"letter": letter, "name": names[letter], "events": events.split(), "in_a": group is IN_A}
        for group in (IN_A, beside)
        for letter, events in group
    ]


def _is_redis_8_2(server: Any) -> bool:
    """False if the version is unknown. Valkey's ``redis_version`` is that of the Redis it was forked from."""
    version = (
        "" if "valkey_version" in _of(server) else str(_of(server).get("redis_version", ""))
    )  # 8.2 is read as a number
    return [int(part) for part in version.split(".")[:2] if part.isdecimal()] >= [8, 2]


def _names() -> dict[str, str]:
    return {
        "g": gettext("generic, such as DEL"),
        "$": gettext("strings"),
        "l": gettext("lists"),
        "s": gettext("sets"),
        "h": gettext("hashes"),
        "z": gettext("sorted sets"),
        "t": gettext("streams"),
        "d": gettext("modules"),
        "x": gettext("expired keys"),
        "e": gettext("evicted keys"),
        "m": gettext("key misses"),
        "n": gettext("new keys"),
        "o": gettext("overwritten keys"),
        "c": gettext("keys whose type changed"),
    }
