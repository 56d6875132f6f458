"""Every setting: its name in the environment, its default, one line of help."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any, NamedTuple
from unicodedata import category

from arauto.text.bridge_rules import Rule, read_rules
from arauto.text.cleanup import shown, trimmed
from arauto.text.glob import is_ambiguous
from arauto.text.origins import normalize_origin

WORKERS = ("gevent", "gthread")
SASL = ("SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN")
SHORTEST_SECRET = 16  # characters; a shorter token can be guessed

_OF_A_SERVICE = re.compile(
    r"_(SERVICE_(HOST|PORT)|PORT)(_|$)"
)  # variables that Kubernetes sets for a service

Network = IPv4Network | IPv6Network


class SettingsError(ValueError):
    """A setting that cannot be used; the text is a sentence that names the remedy."""


class Setting(NamedTuple):
    """One row of the settings table."""

    name: str
    default: str
    help: str
    parse: Callable[[str], Any]
    secret: bool = False  # its value is never shown


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
    if text not in ("on", "1", "off", "0", ""):
        raise ValueError("on or off")
    return text in ("on", "1")


def _text(text: str) -> str:
    if not text.isprintable():
        raise ValueError("one line: there is a line break or another invisible character within it")
    return text


def _list(text: str) -> tuple[str, ...]:
    names = tuple(filter(None, map(trimmed, text.split(","))))
    if any(category(char) == "Cc" for name in names for char in name):
        raise ValueError("names with commas between them, and no line break or tab within one")
    return names


def _globs(text: str) -> tuple[bytes, ...]:
    return tuple(glob.encode() for glob in _list(text))


def _recorded(text: str) -> tuple[str, ...]:
    globs = _list(text)
    if any(is_ambiguous(glob.encode()) for glob in globs):
        raise ValueError("each letter by itself where a range goes from ASCII to beyond, as [a-é] does")
    return globs


def _origins(text: str) -> frozenset[str]:
    try:
        return frozenset(map(normalize_origin, _list(text)))
    except ValueError:
        raise ValueError("a list such as https://alerts.example.org") from None


def _secret(text: str) -> str:
    _text(text)
    if text and len(text) < SHORTEST_SECRET:
        raise ValueError(f"at least {SHORTEST_SECRET} characters, for example of openssl rand -hex 16")
    return text


def _channel(text: str) -> str:
    if not text.isprintable() or len(text.encode()) > 256:
        raise ValueError("the name of a channel, such as arauto.audit")
    return text


def _header(text: str) -> str:
    if text and not (text.isascii() and text.replace("-", "").isalnum()):
        raise ValueError("the name of a header, such as X-Forwarded-User")
    return text


def _login(text: str) -> bool:
    if text not in ("", "redis"):
        raise ValueError("redis, or nothing")
    return text == "redis"


def _sasl(text: str) -> str:
    if text not in SASL:
        raise ValueError(" or ".join(SASL))
    return text


def _group(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,100}", text):
        raise ValueError("a name of letters and digits of ASCII, dots, _ and -, such as arauto-bridge")
    return text


def _networks(text: str) -> tuple[Network, ...]:
    try:
        return tuple(ip_network(address) for address in _list(text))
    except ValueError:
        raise ValueError("addresses or networks such as 10.0.0.5 or 10.0.0.0/24") from None


def _setting(
    name: str, default: str, help: str, parse: Callable[[str], Any] = _text, secret: bool = False
) -> Any:
    return field(repr=not secret, metadata={"setting": Setting(name, default, help, parse, secret)})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All settings, parsed and checked. See :func:`read`."""

    redis_url: str = _setting(
        "REDIS_URL",
        "",
        "The Redis to use: redis://, rediss:// (TLS), unix://, redis+sentinel:// and rediss+sentinel:// "
        "(hosts of Sentinels, then / and the name of the master), or redis+cluster:// and rediss+cluster:// "
        "(nodes of a cluster). "
        "Empty: the one on localhost:6379, else an embedded Valkey on 127.0.0.1:6379.",
        secret=True,
    )
    cluster_replicas: bool = _setting(
        "ARAUTO_CLUSTER_REPLICAS",
        "on",
        "off: pages subscribe at the masters of a Redis Cluster alone, and not at its replicas.",
        _switch,
    )
    redis_wait: int = _setting(
        "ARAUTO_REDIS_WAIT",
        "0",
        "Seconds to wait at the start for a Redis in `REDIS_URL` that does not answer yet (the image: 60).",
        _number(0, 86400),
    )
    redis_ca: str = _setting(
        "ARAUTO_REDIS_CA",
        "",
        "File in PEM with the authorities that may have signed Redis's certificate. Empty: the system's.",
    )
    redis_cert: str = _setting(
        "ARAUTO_REDIS_CERT", "", "File in PEM with the certificate that we show to Redis, for mutual TLS."
    )
    redis_key: str = _setting(
        "ARAUTO_REDIS_KEY", "", "File in PEM with the key of that certificate. Empty: it is in the same file."
    )
    kafka_url: str = _setting(
        "KAFKA_URL",
        "",
        "The Kafka to use beside Redis: kafka://host:9092,host2:9092, or kafka+ssl:// (TLS); user:password@ "
        "before the hosts for SASL. Empty: none. Needs the package of `pip install 'arauto[kafka]'`.",
        secret=True,
    )
    kafka_sasl: str = _setting(
        "ARAUTO_KAFKA_SASL",
        SASL[0],
        "How the user and password in `KAFKA_URL` are sent: SCRAM-SHA-512, SCRAM-SHA-256 or PLAIN.",
        _sasl,
    )
    kafka_ca: str = _setting(
        "ARAUTO_KAFKA_CA",
        "",
        "File in PEM with the authorities that may have signed Kafka's certificate. Empty: the system's.",
    )
    kafka_cert: str = _setting(
        "ARAUTO_KAFKA_CERT", "", "File in PEM with the certificate that we show to Kafka, for mutual TLS."
    )
    kafka_key: str = _setting(
        "ARAUTO_KAFKA_KEY", "", "File in PEM with the key of that certificate. Empty: it is in the same file."
    )
    bridge: tuple[Rule, ...] = _setting(
        "ARAUTO_BRIDGE",
        "",
        "Rules by which messages go on between channels and Kafka's topics, separated by commas: "
        "alerts.* -> kafka:alerts, kafka:orders -> orders. Empty: none do.",
        read_rules,
    )
    bridge_name: str = _setting(
        "ARAUTO_BRIDGE_NAME",
        "arauto-bridge",
        "The bridge's name at Kafka: its consumer group, and what its header says. "
        "Deployments that share a Kafka need one each.",
        _group,
    )
    host: str = _setting(
        "HOST",
        "127.0.0.1",
        "Address to listen on. 0.0.0.0 means every network; that needs a way to log in, or ARAUTO_OPEN.",
    )
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
    publish_rate: int = _setting(
        "ARAUTO_PUBLISH_RATE",
        "100",
        "Messages that one address, and one user, may publish a second; at once, twenty times as many. "
        "The next one gets 429. 0: no limit; 127.0.0.1 and ::1 have none.",
        _number(0, 1_000_000),
    )
    connect_rate: int = _setting(
        "ARAUTO_CONNECT_RATE",
        "50",
        "Sockets that one address, and one user, may open a second; at once, twenty times as many. "
        "The next one gets 429. 0: no limit; 127.0.0.1 and ::1 have none.",
        _number(0, 1_000_000),
    )
    heartbeat: int = _setting(
        "ARAUTO_HEARTBEAT",
        "20",
        "Seconds between the heartbeats of an idle socket: fewer than a proxy lets it be silent.",
        _number(1, 20),
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
        _recorded,
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
    open: bool = _setting(
        "ARAUTO_OPEN",
        "",
        "1: no login, even on a network: whoever reaches it may watch and publish.",
        _switch,
    )
    token: str = _setting(
        "ARAUTO_TOKEN",
        "",
        "The shared token: whoever has it may watch and publish. At least 16 characters.",
        _secret,
        secret=True,
    )
    read_token: str = _setting(
        "ARAUTO_READ_TOKEN",
        "",
        "A second shared token: whoever has it may watch, but not publish.",
        _secret,
        secret=True,
    )
    redis_login: bool = _setting(
        "ARAUTO_LOGIN",
        "",
        "redis: users and passwords of Redis log in, and its ACL decides which channels each may use.",
        _login,
    )
    proxies: tuple[Network, ...] = _setting(
        "ARAUTO_PROXIES",
        "",
        "Addresses or networks of proxies whose X-Forwarded-For and X-Forwarded-Proto are believed, "
        "separated by commas.",
        _networks,
    )
    proxy_user: str = _setting(
        "ARAUTO_PROXY_USER",
        "",
        "The header in which one of ARAUTO_PROXIES says who has logged in there, such as X-Forwarded-User.",
        _header,
    )
    proxy_readers: tuple[bytes, ...] = _setting(
        "ARAUTO_PROXY_READERS",
        "",
        "Of these users, as globs separated by commas, those who may watch, but not publish.",
        _globs,
    )
    tokens: str = _setting(
        "ARAUTO_TOKENS",
        "",
        "File with API tokens for programs, stored as hashes; or redis, to have them there, the same for all "
        "servers. flask --app app token, or a page, creates and revokes them. Needs another way to log in "
        "beside it.",
    )
    token_makers: tuple[bytes, ...] = _setting(
        "ARAUTO_TOKEN_MAKERS",
        "",
        "Users of Redis or of the proxy, as globs separated by commas, who may make tokens for programs "
        "in the page. Whoever has ARAUTO_TOKEN may, too.",
        _globs,
    )
    audit_channel: str = _setting(
        "ARAUTO_AUDIT_CHANNEL",
        "",
        "Channel, such as arauto.audit, to which the audit trail is published as JSON; nobody else may "
        "publish to it here. Empty: the audit trail is only in the log.",
        _channel,
    )
    audit_content: bool = _setting(
        "ARAUTO_AUDIT_CONTENT",
        "",
        "1: the audit trail, in the log and on its channel, includes messages, and not only their size.",
        _switch,
    )
    session_hours: int = _setting(
        "ARAUTO_SESSION_HOURS", "24", "Hours after which one has to log in again.", _number(1, 8760)
    )
    secret: str = _setting(
        "ARAUTO_SECRET",
        "",
        "What sessions are encrypted with. Empty: a new one at each start, which ends all sessions; "
        "several machines need the same.",
        _secret,
        secret=True,
    )

    @property
    def tokens_in_redis(self) -> bool:
        """Whether API tokens are in Redis, and not in a file."""
        return self.tokens == "redis"

    @property
    def has_login(self) -> bool:
        """Whether there is a way to log in, so that a login is required."""
        return bool(self.token or self.read_token or self.redis_login or self.proxy_user)


SETTINGS: tuple[Setting, ...] = tuple(f.metadata["setting"] for f in fields(Settings))


def read(environ: Mapping[str, str]) -> Settings:
    """Read all settings from ``environ``, for example ``os.environ``.

    An absent or empty variable means the default. Spaces and line ends around a value are left out.

    :raise SettingsError: a value does not parse.
    """
    settings = Settings(**{f.name: _read_one(f.metadata["setting"], environ) for f in fields(Settings)})
    if settings.proxy_user and not settings.proxies:
        raise SettingsError(
            "ARAUTO_PROXY_USER alone would let everyone say who they are: "
            "name the addresses of your proxy in ARAUTO_PROXIES."
        )
    if settings.bridge and not settings.kafka_url:
        raise SettingsError("ARAUTO_BRIDGE needs a Kafka: give KAFKA_URL, or leave it out.")
    if any(
        rule.channel.decode() == settings.audit_channel for rule in settings.bridge if not rule.is_to_kafka
    ):
        raise SettingsError(
            "ARAUTO_BRIDGE publishes to ARAUTO_AUDIT_CHANNEL: give one of them another channel."
        )
    if settings.bridge and "+cluster" in settings.redis_url.partition(":")[0]:
        raise SettingsError("ARAUTO_BRIDGE does not work with a Redis Cluster: leave it out.")
    if settings.token and settings.token == settings.read_token:
        raise SettingsError("ARAUTO_READ_TOKEN is ARAUTO_TOKEN: give them two different secrets.")
    return settings


def unknown_settings(environ: Mapping[str, str]) -> Iterator[str]:
    """A warning for each variable that looks like a setting but is none."""
    known = [setting.name for setting in SETTINGS]
    for name in sorted(environ):
        if name.startswith("ARAUTO_") and name not in known and not _OF_A_SERVICE.search(name):
            near = get_close_matches(name, known, 1, cutoff=0.8)
            yield f"{name} is no setting" + (f": do you mean {near[0]}?" if near else ": leave it out.")


def _read_one(setting: Setting, environ: Mapping[str, str]) -> Any:
    text = trimmed(environ.get(setting.name, "")) or setting.default
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":  # docker run --env-file keeps quotes
        raise SettingsError(f"{setting.name} is in quotes: leave them out.")
    try:
        text.encode()  # other bytes would only fail later, within a page
        return setting.parse(text)
    except UnicodeEncodeError:
        raise SettingsError(f"{setting.name} does not work: give it in UTF-8.") from None
    except ValueError as error:
        given = setting.name if setting.secret else f"{setting.name}={shown(text)}"
        raise SettingsError(f"{given} does not work: give {error}.") from None
