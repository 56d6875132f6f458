"""The view behind the socket: joins one subscriber to one transport."""

import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from functools import cache
from time import monotonic
from typing import Any

import flask_sock
import redis
from flask import Flask, Response, g, request
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import ServiceUnavailable

from arauto.auth.audit import Audit, Who
from arauto.auth.permissions import NoRight, check_listening
from arauto.auth.request_guards import RateGuard, check_handshake
from arauto.auth.session_monitor import SessionMonitor
from arauto.auth.visitor import Visitor, visitor
from arauto.feed.frame_cache import FrameCache
from arauto.i18n.gettext import gettext
from arauto.net.websocket import Code, Transport, Upgrade, text_frame
from arauto.protocol.events import Item, Refused, encode_error, text
from arauto.protocol.selection import Selection
from arauto.protocol.validation import BadChange, BadSelection, check_size, read_change, read_lists, select
from arauto.recording.follower import Follower, Words
from arauto.recording.log_query import BadPoint
from arauto.recording.resume import read_starts
from arauto.recording.shared_queries import SharedQueries
from arauto.redis_io.subscriber import Subscriber
from arauto.system.resource_errors import sentence
from arauto.web.locale import chosen
from arauto.web.responses import RETRY_AFTER
from arauto.workers.connection_limits import ConnectionLimits
from arauto.workers.drain import Drain

PATH = "/feed"
ASKS_WHY = "Arauto-Asks-Why"  # a header of the page's question
_ASKED = ("channel", "pattern", "after", "since")

log = logging.getLogger("arauto")


class Feeds:
    """What the feeds of one application in this process share.

    :param shared: what recorded channels need.
    :param monitor: where one has to log in.
    :param limit: bytes of a message.
    :param beat: seconds between heartbeats.
    """

    def __init__(
        self,
        shared: SharedQueries,
        capacity: ConnectionLimits,
        rate: RateGuard,
        audit: Audit,
        drain: Drain,
        monitor: SessionMonitor | None,
        *,
        limit: int,
        beat: float,
    ) -> None:
        self.shared = shared
        self.monitor = monitor
        self.capacity = capacity
        self.rate = rate
        self.audit = audit
        self.frames = FrameCache(limit)
        self.beat = beat
        self.drain = drain
        self.timers = shared.timers
        self._open: set[tuple[Follower, Subscriber]] = set()

    @contextmanager
    def following(self, follower: Follower | None, subscriber: Subscriber) -> Iterator[None]:
        """For as long as the block runs, the feed hears of what is switched on or off."""
        if follower is None:
            yield
            return
        self._open.add((follower, subscriber))
        follower.watch.begin(subscriber)
        try:
            self._reconcile(follower, subscriber)
            yield
        finally:
            follower.watch.end()
            self._open.discard((follower, subscriber))

    def reconcile(self) -> None:
        """Have each feed follow what is recorded now, and nothing else."""
        for follower, subscriber in list(self._open):
            self._reconcile(follower, subscriber)

    def _reconcile(self, follower: Follower, subscriber: Subscriber) -> None:
        if commands := follower.strays(subscriber.channels):
            subscriber.ask(commands)


def init_feed(app: Flask, feeds: Feeds) -> None:
    """Add the feed's route, with its checks before the upgrade."""
    flask_sock.Server = Upgrade  # flask-sock has no other place to say it; see there why
    flask_sock.Sock(app).route(PATH, endpoint="feed")(lambda upgrade: feed(feeds, upgrade))
    upgrade = app.view_functions["feed"]

    def admit_and_upgrade() -> Any:
        with _admit(feeds):
            return upgrade()

    app.view_functions["feed"] = admit_and_upgrade
    app.add_url_rule(PATH, "feed_refusal", lambda: _answer_why(feeds))


def _answer_why(feeds: Feeds) -> Response:
    """A plain GET goes through the same checks, so a page can ask why its socket was refused.

    Where all is well by then it gets 204, since an error would be shown in its console; others get 426.
    """
    _check(feeds)
    if ASKS_WHY not in request.headers:
        check_handshake()
    return Response(status=204)


@contextmanager
def _admit(feeds: Feeds) -> Iterator[None]:
    """Everything that can be refused is refused here: after the upgrade no status is left."""
    _check(feeds)
    check_handshake()
    feeds.rate.check(visitor())
    address = request.remote_addr or ""
    if not feeds.capacity.take(address):
        _turn_away(_no_room())
    try:
        yield
    finally:
        feeds.capacity.give_back(address)


def _check(feeds: Feeds) -> None:
    if request.args.get("selection") != "follows":
        _choose(request.args, feeds.audit)
    if not feeds.drain.admits:
        _turn_away(gettext("The server is restarting: try again in a moment."))
    feeds.rate.check(visitor(), counts=False)
    if feeds.capacity.full():
        _turn_away(_no_room())
    if feeds.capacity.full_for(request.remote_addr or ""):
        _turn_away(_no_room_for_address())


def _choose(given: MultiDict[str, str], audit: Audit) -> None:
    """Check what a page wants to hear, and from where; it is in ``g.selection`` and ``g.starts`` then."""
    channels = given.getlist("channel")
    selection = select(channels, given.getlist("pattern"))
    g.starts = read_starts(channels, given.getlist("after"), given.get("since"))
    try:
        check_listening(visitor(), selection.channels, selection.patterns)
    except NoRight as error:
        audit.note("listening refused", Who.of(visitor()), **error.what)
        raise
    g.selection = selection


def _turn_away(sentence: str) -> None:
    raise ServiceUnavailable(sentence, retry_after=RETRY_AFTER)


def _no_room() -> str:
    return gettext("All places are taken: too many pages are open. Try again when one has left.")


def _no_room_for_address() -> str:
    return gettext(
        "Too many pages are open from your address: close one, or have ARAUTO_MAX_SOCKETS_PER_ADDRESS raised."
    )


def feed(feeds: Feeds, ws: Upgrade) -> None:
    """Stream the selection to one browser until it leaves."""
    goodbye, fault = _last_words(chosen())
    transport = Transport(ws.sock, feeds.timers, feeds.beat)
    asked = visitor()
    try:
        with feeds.drain.present(transport, goodbye), _bound(feeds.monitor, transport, asked):
            if "selection" in g or _receive_selection(transport, feeds.audit):
                _stream(feeds, transport, asked, fault)
    except Exception as error:
        # It must not reach Flask, which would write a page into the stream.
        if said := sentence(error):
            log.warning("a feed had to leave: %s", said)
            transport.close(Code.NO_ROOM, _no_room())
            _wait_until_read(transport)
        else:
            log.exception("a feed failed")
            transport.close(Code.FAULT, fault)
    finally:
        transport.release()


def _receive_selection(transport: Transport, audit: Audit) -> bool:
    """The first message says what the address had no room for; whether it may be heard."""
    if (said := transport.receive()) is None:
        return False
    try:
        _choose(MultiDict(read_lists(said, _ASKED)), audit)
        return True
    except (BadSelection, BadPoint, NoRight) as error:
        transport.close(Code.POLICY, str(error))
    except BadChange:
        transport.close(Code.POLICY, gettext("The page said something the server does not know."))
    _wait_until_read(transport)
    return False


def _wait_until_read(transport: Transport) -> None:
    while transport.receive() is not None:
        pass


def _stream(feeds: Feeds, transport: Transport, asked: Visitor, fault: str) -> None:
    deliver = _Deliver(transport, feeds.frames, fault)
    hand_on = _Explain(deliver, asked.redis_user, feeds.audit, Who.of(asked)) if asked.redis_user else deliver
    follower = _follower(feeds, hand_on, asked.redis_user)
    with (
        _logged(g.selection, transport, deliver),
        Subscriber(
            asked.link.connect,
            follower or hand_on,
            deliver.fail,
            feeds.timers,
            g.selection,
            follower.commands if follower else None,
            hears_sharded=True,
        ) as subscriber,
        feeds.following(follower, subscriber),
    ):
        _converse(transport, subscriber, asked, feeds.audit)


@cache
def _last_words(language: str) -> tuple[str, str]:
    """What a socket may be closed with at a time when no request is there to say its language.

    Cached, because looking sentences up costs more than the rest of this function.
    """
    return gettext("The server is restarting."), gettext("The server made a mistake; its log says which.")


def _bound(
    monitor: SessionMonitor | None, transport: Transport, asked: Visitor
) -> AbstractContextManager[None]:
    """Bind the socket to the visitor's session, where there is one."""
    if monitor is None or not asked.key:
        return nullcontext()
    if asked.redis_user:
        goodbye = gettext(
            "Your session is over, or Redis no longer lets %(user)s in: log in again.", user=asked.name
        )
    else:
        goodbye = gettext("Your session is over: log in again.")
    return monitor.present(transport, asked, goodbye)


class _Explain:
    """Hands a batch on with Redis's refusals in words that name the channel and the user."""

    def __init__(self, deliver: "_Deliver", user: str, audit: Audit, who: Who) -> None:
        self._deliver = deliver
        self._audit = audit
        self._who = who
        # Now, because the subscriber's thread has no request that says a language.
        self._sentence = gettext("Redis does not let the user %(user)s listen to {name}.", user=user)
        self._shut_out = gettext("Redis no longer lets the user %(user)s in: log in again.", user=user)

    def __call__(self, batch: list[Item]) -> None:
        if any(isinstance(item, Refused) for item in batch):
            batch = [self._explain(item) if isinstance(item, Refused) else item for item in batch]
        self._deliver(batch)

    def _explain(self, refused: Refused) -> Refused:
        name = text(refused.name)
        self._audit.note("listening refused", self._who, **{refused.kind: name} if refused.kind else {})
        return refused._replace(
            error=self._sentence.replace("{name}", name) if refused.kind else self._shut_out
        )


class _Deliver:
    """Hands a subscriber's batches to a transport; counts them. Runs in the subscriber's thread."""

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


def _follower(feeds: Feeds, deliver: Callable[[list[Item]], None], user: str) -> Follower | None:
    """What brings recorded channels up to now; ``None`` where nothing can be recorded."""
    recording = feeds.shared.recording
    if not recording.is_allowed and not g.starts:
        return None
    if not all(map(recording.covers, g.starts)):
        with suppress(redis.RedisError):
            recording.refresh()  # another process may have been the first to know
    return Follower(feeds.shared, deliver, g.selection, g.starts, _words_for(user))


def _words_for(user: str) -> Words:
    if not user:
        return _words(chosen())
    sentence = gettext(
        "{name} is recorded, but Redis does not let the user %(user)s hear of its log: it is live only.",
        user=user,
    )
    return _words(chosen())._replace(unheard=sentence)


@cache
def _words(language: str) -> Words:
    return Words(
        gettext("{name} is recorded, but Redis does not let this program hear of its log: {words}"),
        gettext("The log of {name} cannot be read: {words}"),
        gettext("no process records it; the servers' logs may say why"),
    )


def _converse(transport: Transport, subscriber: Subscriber, asked: Visitor, audit: Audit) -> None:
    """Do what the page asks for, until it has left."""
    while (said := transport.receive()) is not None:
        try:
            change = read_change(said)
            check_size(subscriber.size_after(change))
            check_listening(asked, change.subscribe, change.psubscribe)
            subscriber.change(change)
        except NoRight as error:
            audit.note("listening refused", Who.of(asked), **error.what)
            _complain(transport, str(error))
        except BadSelection as error:
            _complain(transport, str(error))
        except BadChange:
            transport.close(Code.POLICY, gettext("The page said something the server does not know."))


def _complain(transport: Transport, sentence: str) -> None:
    try:
        transport.send(text_frame(encode_error(sentence)))
    except OSError:
        pass  # it has left; receive() tells


@contextmanager
def _logged(selection: Selection, transport: Transport, deliver: _Deliver) -> Iterator[None]:
    """One line when a feed opens, one when it closes; never what was said in it."""
    names = " ".join(
        [f"channel={text(name)!r}" for name in selection.channels]
        + [f"pattern={text(name)!r}" for name in selection.patterns]
    )
    began = monotonic()
    named = f" user={visitor().name!r}" if visitor().name else ""
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
