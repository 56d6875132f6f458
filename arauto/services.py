"""The services of one application, made in the order in which they need each other."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import Flask

from arauto.auth.api_tokens import Tokens
from arauto.auth.api_tokens_in_redis import TokensInRedis
from arauto.auth.audit import Audit
from arauto.auth.permissions import Permissions
from arauto.auth.request_guards import RateGuard
from arauto.auth.session_monitor import SessionMonitor
from arauto.feed.feed_socket import Feeds
from arauto.recording.recorded_channels import Recording
from arauto.recording.shard_recorders import Recorder, make_recorder
from arauto.recording.shared_queries import SharedQueries
from arauto.redis_io.connection import RedisLink
from arauto.redis_io.expiring_store import RedisStore
from arauto.settings import Settings
from arauto.sources.redis_source import RedisSource
from arauto.sources.source import Source
from arauto.system.timer_wheel import TimerWheel
from arauto.workers.drain import Drain
from arauto.workers.shared_state import SharedState

if TYPE_CHECKING:  # the libraries that these load take memory
    from arauto.auth.authentication import Authentication
    from arauto.bridge.bridge_thread import BridgeThread
    from arauto.sources.kafka_source import KafkaSource

_KEY = "arauto"


@dataclass(frozen=True, kw_only=True)
class Services:
    """The services of one application; others in the same process have their own.

    :param authentication: ``None`` without a login.
    :param tokens: ``None`` without ``ARAUTO_TOKENS``.
    :param recorder: ``None`` if nothing can be recorded.
    :param kafka: ``None`` without ``KAFKA_URL``.
    :param bridge: ``None`` without ``ARAUTO_BRIDGE``.
    """

    settings: Settings
    link: RedisLink
    audit: Audit
    permissions: Permissions
    authentication: "Authentication | None"
    tokens: Tokens | None
    recording: Recording
    recorder: Recorder | None
    source: Source
    kafka: "KafkaSource | None"
    bridge: "BridgeThread | None"
    feeds: Feeds
    publish_rate: RateGuard

    @classmethod
    def make(cls, settings: Settings, link: RedisLink, shared: SharedState) -> "Services":
        audit = Audit(link, settings)
        tokens = None
        if settings.tokens:
            in_redis = settings.tokens_in_redis
            tokens = TokensInRedis(RedisStore(link)) if in_redis else Tokens(settings.tokens)
        authentication = monitor = None
        if settings.has_login:
            from arauto.auth.authentication import Authentication

            authentication = Authentication(settings, link, tokens, audit, shared.rates.extra_tokens)
            monitor = SessionMonitor(authentication.find_ended, authentication.end_session)
        timers = TimerWheel()
        recording = Recording(link, settings)
        recorder: Recorder | None = None
        if recording.is_allowed:
            recorder = make_recorder(recording, timers, lambda: source.reconcile(), shared.worker_states)
        queries = SharedQueries(recording, timers, recorder.why_not if recorder else lambda channel: "")
        source = RedisSource(recording, queries, audit)
        kafka = _kafka(settings, audit)
        feeds = Feeds(
            source,
            kafka,
            timers,
            shared.capacity,
            RateGuard(shared.rates.connect, audit),
            audit,
            Drain(shared.worker_states),
            monitor,
            limit=settings.max_message,
            beat=settings.heartbeat,
        )
        return cls(
            settings=settings,
            link=link,
            audit=audit,
            permissions=Permissions(link, audit),
            authentication=authentication,
            tokens=tokens,
            recording=recording,
            recorder=recorder,
            source=source,
            kafka=kafka,
            bridge=_bridge(settings, link, timers, shared),
            feeds=feeds,
            publish_rate=RateGuard(shared.rates.publish, audit),
        )

    def keep(self, app: Flask) -> None:
        """Store them where :func:`services_of` finds them."""
        app.extensions[_KEY] = self


def _kafka(settings: Settings, audit: Audit) -> "KafkaSource | None":
    """:raise NoKafka: a setting is wrong, or the package for it is not installed."""
    if not settings.kafka_url:
        return None
    from arauto.kafka_io.kafka_url import KafkaUrl

    url = KafkaUrl.of(settings)  # before imports that fail without the package
    from arauto.kafka_io.connection import KafkaLink
    from arauto.sources.kafka_source import KafkaSource

    return KafkaSource(KafkaLink(url), settings.max_message, audit)


def _bridge(
    settings: Settings, link: RedisLink, timers: TimerWheel, shared: SharedState
) -> "BridgeThread | None":
    if not settings.bridge:
        return None
    from arauto.bridge.bridge_thread import BridgeThread
    from arauto.kafka_io.connection import KafkaLink
    from arauto.kafka_io.kafka_url import KafkaUrl

    # A link of its own, so that it does not wait for queries of visitors.
    return BridgeThread(settings, link, KafkaLink(KafkaUrl.of(settings)), timers, shared.worker_states)


def services_of(app: Flask) -> Services:
    """The services, for gunicorn's hooks and for commands; routes get theirs as arguments."""
    found: Services = app.extensions[_KEY]
    return found
