"""The route /feed: a source's messages on one browser's WebSocket."""

import logging
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from functools import cache
from time import monotonic
from types import FunctionType
from typing import TYPE_CHECKING, Any

import flask_sock
from flask import Flask, Response, g, request
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import ServiceUnavailable

from arauto.auth.audit import Actor, Audit
from arauto.auth.permissions import NoRight, check_subscribing
from arauto.auth.request_guards import RateGuard, check_handshake, is_websocket
from arauto.auth.session_monitor import SessionMonitor
from arauto.auth.visitor import Visitor, current_visitor
from arauto.feed.frame_cache import FrameCache
from arauto.feed.mixed_tail import MixedTail
from arauto.i18n.gettext import gettext
from arauto.net.websocket import Code, Transport, Upgrade, text_frame
from arauto.protocol.events import Item, encode_error
from arauto.protocol.json_members import text
from arauto.protocol.log_query import BadPoint
from arauto.protocol.resume import read_resume_points
from arauto.protocol.selection import Selection
from arauto.protocol.topic_starts import read_starts
from arauto.protocol.topics import BadTopic
from arauto.protocol.validation import BadChange, BadSelection, check_size, read_change, read_lists, select
from arauto.sources.source import Source, Tail
from arauto.system.resource_errors import sentence
from arauto.system.timer_wheel import TimerWheel
from arauto.web.arguments import BadArgument, only
from arauto.web.locale import chosen
from arauto.web.responses import RETRY_AFTER
from arauto.workers.connection_limits import ConnectionLimits
from arauto.workers.drain import Drain

if TYPE_CHECKING:  # importing it loads Kafka's library
    from arauto.sources.kafka_source import KafkaSource

PATH = "/feed"
ASKS_WHY = "Arauto-Asks-Why"  # a header of the page's plain GET
_ARGUMENTS = ("channel", "pattern", "shard", "topic", "after", "place", "since")

log = logging.getLogger("arauto")


class Feeds:
    """The objects that the feeds of one application in this process share.

    :param monitor: closes sockets of ended sessions; ``None``: there is no login.
    :param limit: bytes of a message to send.
    :param beat: seconds between heartbeats.
    """

    def __init__(
        self,
        source: Source,
        kafka: "KafkaSource | None",
        timers: TimerWheel,
        capacity: ConnectionLimits,
        rate: RateGuard,
        audit: Audit,
        drain: Drain,
        monitor: SessionMonitor | None,
        *,
        limit: int,
        beat: float,
    ) -> None:
        self.source = source
        self.kafka = kafka
        self.timers = timers
        self.monitor = monitor
        self.capacity = capacity
        self.rate = rate
        self.audit = audit
        self.frames = FrameCache(limit)
        self.beat = beat
        self.drain = drain


class _Sock(flask_sock.Sock):  # type: ignore[misc]  # flask-sock carries no types
    """flask-sock with :class:`Upgrade` for the handshake.

    Its ``route`` looks ``Server`` up in the globals of its module. These are not changed, since another
    application in this process may use flask-sock too; this is the same function with its own globals.
    """

    route: Any = FunctionType(
        flask_sock.Sock.route.__code__,
        vars(flask_sock) | {"Server": Upgrade},
        argdefs=flask_sock.Sock.route.__defaults__,
    )


def init_feed(app: Flask, feeds: Feeds) -> None:
    """Add the feed's route, with its checks before the upgrade."""
    _Sock(app).route(PATH, endpoint="feed")(lambda upgrade: feed(feeds, upgrade))
    upgrade = app.view_functions["feed"]

    def admit_and_upgrade() -> Any:
        address = _admit(feeds)
        try:
            return upgrade()
        finally:
            feeds.capacity.give_back(address)

    app.view_functions["feed"] = admit_and_upgrade
    app.add_url_rule(PATH, "feed_refusal", lambda: _explain_refusal(feeds))


def _explain_refusal(feeds: Feeds) -> Response:
    """Run the same checks for a plain GET, by which a page finds out why its socket was refused.

    If nothing is wrong by then, it gets 204, since an error would appear in its console; others get 426.
    """
    _check(feeds)
    if ASKS_WHY not in request.headers or is_websocket(request):
        check_handshake()
    return Response(status=204)


def _admit(feeds: Feeds) -> str:
    """Run the checks before the upgrade, after which there is no status.

    :return: the address for which a place was taken.
    """
    _check(feeds)
    check_handshake()
    feeds.rate.check(current_visitor())
    address = request.remote_addr or ""
    if not feeds.capacity.take(address):
        _refuse(_no_room())
    return address


def _check(feeds: Feeds) -> None:
    follows = only(request.args, "selection")
    if follows not in ("", "follows"):
        raise BadArgument(gettext("selection is follows, or left out."))
    if not follows:
        _read_selection(request.args, feeds)
    if not feeds.drain.is_accepting:
        _refuse(gettext("The server is restarting: try again in a moment."))
    feeds.rate.check(current_visitor(), counts=False)
    if feeds.capacity.full():
        _refuse(_no_room())
    if feeds.capacity.full_for(request.remote_addr or ""):
        _refuse(_no_room_for_address())


def _read_selection(given: MultiDict[str, str], feeds: Feeds) -> None:
    """Set ``g.selection`` and where it begins, if the visitor may read all of it."""
    channels, topics = given.getlist("channel"), given.getlist("topic")
    selection = select(channels, given.getlist("pattern"), given.getlist("shard"), topics)
    _check_kafka(feeds, selection)
    since = only(given, "since")
    of_channels = since if channels or not topics else None  # of topics alone it may be an offset
    g.resume_points = read_resume_points(channels, given.getlist("after"), of_channels)
    g.starts = read_starts(topics, given.getlist("place"), since)
    try:
        check_subscribing(current_visitor(), selection)
    except NoRight as error:
        feeds.audit.note("listening refused", Actor.of(current_visitor()), **error.what)
        raise
    g.selection = selection


def _check_kafka(feeds: Feeds, selection: Selection) -> None:
    if selection.topics and feeds.kafka is None:
        raise BadSelection(gettext("This server has no Kafka: topics need KAFKA_URL."))


def _refuse(sentence: str) -> None:
    raise ServiceUnavailable(sentence, retry_after=RETRY_AFTER)


def _no_room() -> str:
    return gettext("Too many pages are open: try again when one has been closed. A pane is a page, too.")


def _no_room_for_address() -> str:
    return gettext(
        "Too many pages are open from your address: close one, or have"
        " ARAUTO_MAX_SOCKETS_PER_ADDRESS raised. A pane is a page, too."
    )


def feed(feeds: Feeds, ws: Upgrade) -> None:
    """Stream the selection to one browser until it disconnects."""
    reason, fault = _close_reasons(chosen())
    transport = Transport(ws.sock, feeds.timers, feeds.beat)
    visitor = current_visitor()
    try:
        with feeds.drain.track(transport, reason), _bind_to_session(feeds.monitor, transport, visitor):
            if "selection" in g or _receive_selection(transport, feeds):
                _stream(feeds, transport, visitor, fault)
    except Exception as error:
        # It must not reach Flask, which would write a page into the stream.
        if why := sentence(error):
            log.warning("feed dropped why=%r", why)
            transport.close(Code.NO_ROOM, _no_room())
            _wait_until_read(transport)
        else:
            log.exception("feed failed")
            transport.close(Code.FAULT, fault)
    finally:
        transport.release()


def _receive_selection(transport: Transport, feeds: Feeds) -> bool:
    """Read the selection from the first message, if it was too long for the URL; False: it was refused."""
    if (message := transport.receive()) is None:
        return False
    try:
        _read_selection(MultiDict(read_lists(message, _ARGUMENTS)), feeds)
        return True
    except (BadSelection, BadTopic, BadPoint, BadArgument, NoRight) as error:
        transport.close(Code.POLICY, str(error))
    except BadChange:
        transport.close(Code.POLICY, gettext("Invalid message: expected channels and patterns."))
    _wait_until_read(transport)
    return False


def _wait_until_read(transport: Transport) -> None:
    while transport.receive() is not None:
        pass


def _stream(feeds: Feeds, transport: Transport, visitor: Visitor, fault: str) -> None:
    deliver = _Deliver(transport, feeds.frames, fault)
    kafka, starts, points = feeds.kafka, g.starts, g.resume_points
    with _logged(g.selection, transport, deliver), ExitStack() as stack:
        tail = MixedTail(
            g.selection,
            lambda names: feeds.source.tail(visitor, names, points, deliver, deliver.fail),
            None if kafka is None else lambda: kafka.tail(visitor, starts, deliver, deliver.fail),
            stack,
        )
        _follow_changes(transport, tail, visitor, feeds)


@cache
def _close_reasons(language: str) -> tuple[str, str]:
    """Sentences for closing a socket, looked up while there is a request that has a language.

    Cached, because looking sentences up costs more than the rest of this function.
    """
    return gettext("The server is restarting."), gettext("Internal error. See the server log.")


def _bind_to_session(
    monitor: SessionMonitor | None, transport: Transport, visitor: Visitor
) -> AbstractContextManager[None]:
    """Bind the socket to the visitor's session, if there is one."""
    if monitor is None or not visitor.key:
        return nullcontext()
    if visitor.redis_user:
        reason = gettext(
            "Your session is over, or Redis no longer lets %(user)s in: log in again.", user=visitor.name
        )
    else:
        reason = gettext("Your session is over: log in again.")
    return monitor.track(transport, visitor, reason)


class _Deliver:
    """Sends batches to a transport, and counts events. Runs in the source's thread."""

    __slots__ = ("_fault", "_make", "_send", "_transport", "events")

    def __init__(self, transport: Transport, frames: FrameCache, fault: str) -> None:
        self._transport = transport
        self._make = frames.make
        self._send = transport.send
        self._fault = fault
        self.events = 0

    def __call__(self, batch: list[Item]) -> None:
        frame = self._make(batch)
        try:
            self._send(frame)
        except OSError:
            self._transport.abort()  # wakes the feed's own thread
            raise
        self.events += len(batch)

    def fail(self) -> None:
        if not self._transport.close(Code.FAULT, self._fault):
            self._transport.abort()


def _follow_changes(transport: Transport, tail: Tail, visitor: Visitor, feeds: Feeds) -> None:
    """Change the selection as the page requests, until it disconnects."""
    while (message := transport.receive()) is not None:
        try:
            change = read_change(message)
            _check_kafka(feeds, change.added)
            check_size(tail.size_after(change))
            check_subscribing(visitor, change.added)
            tail.change(change)
        except NoRight as error:
            feeds.audit.note("listening refused", Actor.of(visitor), **error.what)
            _send_error(transport, str(error))
        except (BadSelection, BadTopic) as error:
            _send_error(transport, str(error))
        except BadChange:
            transport.close(Code.POLICY, gettext("Invalid message: expected channels and patterns."))


def _send_error(transport: Transport, sentence: str) -> None:
    try:
        transport.send(text_frame(encode_error(sentence)))
    except OSError:
        pass  # it has disconnected; receive() returns None


@contextmanager
def _logged(selection: Selection, transport: Transport, deliver: _Deliver) -> Iterator[None]:
    """Log one line when a feed opens and one when it closes, without messages."""
    names = " ".join(
        [f"channel={text(name)!r}" for name in selection.channels]
        + [f"pattern={text(name)!r}" for name in selection.patterns]
        + [f"shard={text(name)!r}" for name in selection.shards]
        + [f"topic={text(name)!r}" for name in selection.topics]
    )
    began = monotonic()
    named = f" user={current_visitor().name!r}" if current_visitor().name else ""
    log.info("feed opened %s%s address=%s", names, named, request.remote_addr)
    try:
        yield
    finally:
        seconds = monotonic() - began
        log.info(
            "feed closed %s seconds=%.1f events=%d code=%d",
            names,
            seconds,
            deliver.events,
            transport.code,
        )
