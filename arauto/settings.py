"""Every setting: its name in the environment, its default, one line of help."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, NamedTuple

WORKERS = ("gevent", "gthread")


class SettingsError(ValueError):
    """A setting that cannot be used; its text is a sentence that names the remedy."""


class Setting(NamedTuple):
    """One row of the settings table."""

    name: str
    default: str
    help: str
    parse: Callable[[str], Any]


def _number(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
            raise ValueError(f"a whole number from {low} to {high}")
        return int(text)

    return parse


def _worker(text: str) -> str:
    if text not in WORKERS:
        raise ValueError(" or ".join(WORKERS))
    return text


def _switch(text: str) -> bool:
    if text not in ("on", "off"):
        raise ValueError("on or off")
    return text == "on"


def _list(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _globs(text: str) -> tuple[bytes, ...]:
    return tuple(glob.encode() for glob in _list(text))


def _origins(text: str) -> frozenset[str]:
    origins = _list(text)
    for origin in origins:
        if not origin.startswith(("http://", "https://")) or origin.count("/") != 2:
            raise ValueError("a list such as https://alerts.example.org")
    return frozenset(origin.lower() for origin in origins)


def _setting(name: str, default: str, help: str, parse: Callable[[str], Any] = str) -> Any:
    return field(metadata={"setting": Setting(name, default, help, parse)})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All settings, read and checked. See :func:`read`."""

    redis_url: str = _setting(
        "REDIS_URL",
        "",
        "The Redis to use: redis://, rediss:// (TLS) or unix://. "
        "Empty: the one on localhost:6379, else an embedded Valkey on 127.0.0.1:6379.",
    )
    host: str = _setting("HOST", "127.0.0.1", "Address to listen on. 0.0.0.0 means every network.")
    port: int = _setting("PORT", "8000", "TCP port to listen on.", _number(1, 65535))
    channels: tuple[str, ...] = _setting(
        "ARAUTO_CHANNELS",
        "sistema_alertas,noticias",
        "Channels that a page opened without a selection listens to, separated by commas.",
        _list,
    )
    worker: str = _setting(
        "ARAUTO_WORKER",
        "gevent",
        "gunicorn's worker: gevent (thousands of sockets) or gthread (a few hundred).",
        _worker,
    )
    workers: int = _setting(
        "ARAUTO_WORKERS", "2", "Worker processes; one for each core is a good choice.", _number(1, 64)
    )
    max_sockets: int = _setting(
        "ARAUTO_MAX_SOCKETS",
        "10000",
        "Browser sockets open at a time, over all workers. The next one gets 503.",
        _number(1, 1_000_000),
    )
    max_sockets_per_address: int = _setting(
        "ARAUTO_MAX_SOCKETS_PER_ADDRESS",
        "1000",
        "Of these, how many one address may hold (an IPv6 network /64 counts as one). "
        "127.0.0.1 and ::1 are not limited; behind a proxy on another machine raise it.",
        _number(1, 1_000_000),
    )
    max_message: int = _setting(
        "ARAUTO_MAX_MESSAGE",
        "1048576",
        "Largest message in bytes: a longer one is not published from here (413), "
        "and from elsewhere only its beginning is shown.",
        _number(1, 512 * 1024 * 1024),
    )
    protected: tuple[bytes, ...] = _setting(
        "ARAUTO_PROTECTED",
        "",
        "Channels as globs, such as prod.*, separated by commas, to which nothing is published "
        "that does not say confirmed=1; the page asks first.",
        _globs,
    )
    record: tuple[str, ...] = _setting(
        "ARAUTO_RECORD",
        "",
        "Channels as globs, such as orders.*, separated by commas, whose messages are kept in Redis, "
        "so that a page gets what it missed. Needs Redis 7 or any Valkey.",
        _list,
    )
    record_messages: int = _setting(
        "ARAUTO_RECORD_MESSAGES",
        "10000",
        "How many messages of a recorded channel are kept, give or take a hundred.",
        _number(1, 10_000_000),
    )
    record_seconds: int = _setting(
        "ARAUTO_RECORD_SECONDS",
        "86400",
        "How long a message of a recorded channel is kept, in seconds.",
        _number(1, 366 * 86400),
    )
    recording: bool = _setting(
        "ARAUTO_RECORDING", "on", "off: nothing is recorded, whatever ARAUTO_RECORD or a page says.", _switch
    )
    delete_logs: bool = _setting(
        "ARAUTO_DELETE_LOGS", "off", "on: whoever opens the page may delete the log of a channel.", _switch
    )
    origins: frozenset[str] = _setting(
        "ARAUTO_ORIGINS",
        "",
        "Other origins under which this is reached, separated by commas, such as "
        "https://alerts.example.org; needed behind a proxy.",
        _origins,
    )


SETTINGS: tuple[Setting, ...] = tuple(f.metadata["setting"] for f in fields(Settings))


def read(environ: Mapping[str, str]) -> Settings:
    """Read all settings from ``environ``, for example ``os.environ``.

    An absent or empty variable means the default.

    :raise SettingsError: a value does not parse.
    """
    return Settings(**{f.name: _read_one(f.metadata["setting"], environ) for f in fields(Settings)})


def _read_one(setting: Setting, environ: Mapping[str, str]) -> Any:
    text = environ.get(setting.name) or setting.default
    try:
        return setting.parse(text)
    except ValueError as error:
        raise SettingsError(f"{setting.name}={text} does not work: give {error}.") from None
