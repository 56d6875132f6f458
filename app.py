"""Arauto's Flask application: :func:`create_app`, and ``app`` for gunicorn and flask."""

import atexit
import os
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import click
from flask import Flask

from arauto.assets.minifier import minify_in_subprocess, pack
from arauto.assets.serve import init_assets
from arauto.auth.request_guards import init_guards
from arauto.auth.visitor import Visitor, init_visitor
from arauto.cli.token_commands import init_token_commands
from arauto.feed.feed_socket import init_feed
from arauto.protocol.validation import ChannelName
from arauto.redis_io import discovery
from arauto.redis_io.cluster_link import open_link
from arauto.redis_io.embedded import EmbeddedValkey
from arauto.redis_io.redis_url import Tls
from arauto.server import bind_policy
from arauto.services import Services
from arauto.settings import Settings, SettingsError, read
from arauto.system.concurrency import find_addresses_at_once
from arauto.views.acknowledgements import init_acknowledgements
from arauto.views.channels import init_channels
from arauto.views.health import init_health
from arauto.views.history import init_history
from arauto.views.keyspace_events import init_keyspace_events
from arauto.views.metrics import init_metrics
from arauto.views.page import init_page, later_words
from arauto.views.publish import init_publish
from arauto.views.recording import init_recording
from arauto.web.forwarded import Proxies
from arauto.web.locale import init_language
from arauto.web.request_encoding import init_request_encoding
from arauto.web.responses import init_answers
from arauto.web.template_cache import init_template_cache
from arauto.workers.shared_state import SharedState

if TYPE_CHECKING:
    from arauto.auth.authentication import Authentication
    from arauto.sources.kafka_source import KafkaSource
    from arauto.views.produce import Produce

BODY_FACTOR = 6  # JSON may write one byte of a message as six, "\u0001"
BODY_EXTRA = 65536  # bytes for the channel, the field names and multipart boundaries


def create_app(settings: Settings | None = None, shared: SharedState | None = None) -> Flask:
    """Create the application: settings, Redis, guards, routes, error responses.

    :param settings: used instead of the environment.
    :param shared: state that a server with several processes has made for all of them.
    :raise SystemExit: a setting or the Redis cannot be used; with a sentence why.
    """
    try:
        settings = settings or read(os.environ)
        shared = shared or _for_one_process(settings)
    except (SettingsError, bind_policy.Exposed, discovery.NoRedis) as error:
        raise SystemExit(str(error)) from None
    find_addresses_at_once()
    settings = replace(
        settings, token=settings.token or shared.token, secret=settings.secret or shared.secret
    )
    link = open_link(shared.redis.url, Tls.of(settings), settings.cluster_replicas)
    app = Flask(__name__)
    app.config["SETTINGS"] = settings
    app.config["MAX_CONTENT_LENGTH"] = BODY_FACTOR * settings.max_message + BODY_EXTRA
    app.config["MAX_FORM_MEMORY_SIZE"] = app.config["MAX_CONTENT_LENGTH"]
    app.url_map.merge_slashes = False  # a channel's name may have two in a row
    app.url_map.converters["channel"] = ChannelName
    app.json.sort_keys = False  # type: ignore[attr-defined]
    init_template_cache(app)
    init_visitor(app, Visitor(link=link))
    init_language(app)
    if settings.proxies:
        app.wsgi_app = Proxies(app.wsgi_app, settings.proxies)  # type: ignore[method-assign]
    init_request_encoding(app)  # before everything that may respond with a page
    init_guards(app, settings)
    init_answers(app)
    try:
        services = Services.make(settings, link, shared)
    except SettingsError as error:
        raise SystemExit(str(error)) from None
    services.keep(app)
    if services.authentication is not None:
        _add_login(app, services, services.authentication)
    init_assets(app, shared.assets | pack(later_words(app)))
    init_feed(app, services.feeds)
    init_publish(
        app,
        settings,
        services.source,
        services.publish_rate,
        services.permissions,
        services.audit,
        _add_kafka(app, services, services.kafka) if services.kafka is not None else None,
    )
    init_channels(app, services.source)
    init_keyspace_events(app)
    init_history(app, services.source, services.audit)
    init_recording(
        app,
        services.recording,
        services.recorder,
        services.publish_rate,
        services.permissions,
        services.audit,
    )
    init_acknowledgements(
        app,
        services.recording,
        services.source,
        services.publish_rate,
        services.permissions,
        services.audit,
    )
    init_health(app, services.source, services.feeds.drain, services.bridge)
    init_metrics(app, shared.capacity)
    init_page(app, settings, shared.redis)
    init_token_commands(app)
    return app


def _add_login(app: Flask, services: Services, authentication: "Authentication") -> None:
    from arauto.auth.authentication import init_authentication  # see Services.make
    from arauto.views.api_tokens import init_api_tokens
    from arauto.views.login import init_login

    init_authentication(app, authentication)
    init_login(app, authentication, services.audit)
    if services.tokens is not None:
        init_api_tokens(app, services.settings, services.tokens, services.audit)


def _add_kafka(app: Flask, services: Services, kafka: "KafkaSource") -> "Produce":
    from arauto.views.produce import make_produce  # which load Kafka's library
    from arauto.views.topics import init_topics

    init_topics(app, kafka, services.audit)
    if services.bridge is not None:
        from arauto.views.bridge import init_bridge

        init_bridge(app, services.bridge)
    return make_produce(services.settings, kafka, services.permissions, services.audit)


def _for_one_process(settings: Settings) -> SharedState:
    """State for Flask's own server, a command or a test. An embedded Valkey ends with the process.

    :raise Exposed: Flask's own server would be open on a network.
    :raise NoRedis: no Redis can be used.
    """
    running = click.get_current_context(silent=True)
    host = (running and running.params.get("host")) or "127.0.0.1"
    bind_policy.make_token(settings, [host], container=False)  # for its exception
    redis = discovery.find(settings)
    if redis.binary:
        atexit.register(EmbeddedValkey.start(redis.binary, settings.max_sockets).stop)
    return SharedState.make(settings, redis, minify_in_subprocess())


def __getattr__(name: str) -> Flask:
    # ``app`` is made on access, so that importing create_app() has no effect.
    if name != "app":
        raise AttributeError(name)
    from arauto.server.hooks import master

    globals()["app"] = create_app(shared=master.made)
    return globals()["app"]  # type: ignore[no-any-return]


if __name__ == "__main__":
    os.execv(sys.executable, [sys.executable, "-m", "gunicorn", "app:app"])  # noqa: S606 - no shell is wanted
