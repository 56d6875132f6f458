"""The events that a follower makes of its subscriber's pushes."""

from typing import Any

import pytest
from redis.exceptions import NoPermissionError

from arauto.protocol.events import (
    ErrorNotice,
    Followed,
    Gap,
    Halted,
    Item,
    LogGap,
    Lost,
    Numbered,
    Refused,
    Unfollowed,
)
from arauto.protocol.log_position import Position
from arauto.protocol.resume import ResumePoint
from arauto.protocol.selection import Selection
from arauto.recording import follower as follower_module
from arauto.recording import log_watch, shared_queries
from arauto.recording.follower import Follower, Sentences
from arauto.recording.log_watch import PAUSE, LogWatch
from arauto.recording.shared_queries import SharedQueries
from arauto.recording_core.announcements import digest
from arauto.recording_core.channel_feed import PATIENCE
from arauto.recording_core.feed_steps import Pages
from arauto.recording_core.feed_steps import Read as ReadLog
from arauto.redis_io.connection import SLOT_MOVES
from arauto.redis_io.elapsed import now_ms

EPOCH = "0123456789ab"
CHANNEL = b"a"
WORDS = b"arauto:words:a"
HERE = Position(EPOCH, 9, 1000)
SAYS = Sentences("{name} unheard: {words}", "{name} unread: {words}", "alone", "moving")


class Store:
    """A complete log, which notes the announcements about it."""

    def __init__(self) -> None:
        self.announced: list[Any] = []
        self.pages = Pages([], HERE, 1000, 1000)

    def announcements_of(self, channel: bytes) -> bytes:
        return b"arauto:words:" + channel

    def register(self, channel: bytes) -> bool:
        return False

    def announce(self, channel: bytes, announcement: Any) -> None:
        self.announced.append(announcement)

    def read(self, channel: bytes, request: ReadLog, many: int) -> Pages:
        return self.pages


class Recording:
    def __init__(self) -> None:
        self.store = Store()
        self.is_on = True

    def covers(self, channel: bytes) -> bool:
        return self.is_on


class NoTimers:
    def __init__(self) -> None:
        self.callbacks: list[Any] = []

    def after(self, seconds: float, callback: Any) -> None:
        self.callbacks.append(callback)


class Page:
    """A follower, and the events for its page."""

    def __init__(
        self, shared: SharedQueries | None = None, start: ResumePoint | None = None, *patterns: bytes
    ) -> None:
        self.shared = shared or SharedQueries(Recording(), NoTimers(), lambda channel: "")  # type: ignore[arg-type]
        self.sent: list[list[Item]] = []
        self.selection = Selection((CHANNEL,), patterns)
        resume_points = {CHANNEL: start} if start else {}
        self.follower = Follower(self.shared, self.sent.append, resume_points, SAYS)

    def receive(self, *batch: Item) -> list[Item]:
        return self.hear_batch(list(batch))

    def hear_batch(self, batch: list[Item]) -> list[Item]:
        del self.sent[:]
        self.follower(batch)
        return [item for batch in self.sent for item in batch]

    def open(self) -> list[Item]:
        self.follower.commands(b"SUBSCRIBE", self.selection)
        return self.receive([b"ssubscribe", WORDS, 1], [b"subscribe", CHANNEL, 1])


def following(shared: SharedQueries | None = None, *patterns: bytes) -> Page:
    """A page that returned to a complete log."""
    page = Page(shared, ResumePoint(HERE), *patterns)
    page.open()
    mark = page.shared.recording.store.announced[-1].name  # type: ignore[attr-defined]
    page.receive(announcement(f"mark {mark}"), announcement(f"marked {mark} {EPOCH} 1000 9 9"))
    return page


def message(data: bytes) -> Item:
    return [b"message", CHANNEL, data]


def announcement(text: str) -> Item:
    return [b"smessage", WORDS, text.encode()]


def appended(number: int, *messages: bytes) -> Item:
    digests = ",".join(str(digest(data)) for data in messages)
    return announcement(f"appended {EPOCH} 2000 {number} 7 2000 {digests}")


def numbered(number: int, data: bytes) -> Numbered:
    return Numbered(CHANNEL, Position(EPOCH, number), data)


def test_announcements_are_asked_for_before_their_channel() -> None:
    commands = Page().follower.commands(b"SUBSCRIBE", Selection((CHANNEL,)))
    assert commands[:2] == [(b"SSUBSCRIBE", WORDS), (b"SUBSCRIBE", CHANNEL)]


def test_what_is_not_recorded_passes_as_it_is() -> None:
    page = Page()
    page.shared.recording.is_on = False  # type: ignore[attr-defined]
    page.follower.commands(b"SUBSCRIBE", Selection((CHANNEL,)))
    batch = [[b"subscribe", CHANNEL, 1], message(b"1")]
    page.hear_batch(batch)
    assert page.sent == [batch]
    assert page.sent[0] is batch


def test_a_message_waits_for_its_announcement() -> None:
    page = following()
    assert page.receive(message(b"1"), message(b"2")) == []
    assert page.receive(appended(10, b"1", b"2")) == [numbered(10, b"1"), numbered(11, b"2")]


def test_a_new_page_shows_what_comes_until_it_knows_where_it_is() -> None:
    page = Page()
    page.open()
    assert page.receive(message(b"1")) == [message(b"1")]
    (mark,) = page.shared.recording.store.announced  # type: ignore[attr-defined]
    page.receive(announcement(f"mark {mark.name}"))
    assert page.receive(announcement(f"marked {mark.name} {EPOCH} 1000 9 9")) == [Followed(CHANNEL, HERE)]


def test_copies_of_patterns_go_with_their_message() -> None:
    page = following(None, b"*")
    copy: Item = [b"pmessage", b"*", CHANNEL, b"1"]
    assert page.receive(message(b"1"), copy) == []
    assert page.receive(appended(10, b"1")) == [numbered(10, b"1"), copy]
    other: Item = [b"pmessage", b"*", b"other", b"1"]
    assert page.receive(other) == [other]


def test_a_copy_that_comes_in_another_batch_goes_with_its_message() -> None:
    page = following(None, b"*")
    copy: Item = [b"pmessage", b"*", CHANNEL, b"1"]
    page.receive(message(b"1"))
    assert page.receive(copy) == []
    assert page.receive(appended(10, b"1")) == [numbered(10, b"1"), copy]


def test_pages_in_the_same_state_get_the_very_same_batch() -> None:
    one = following()
    other = following(one.shared)
    for batch in ([message(b"1"), message(b"2")], [appended(10, b"1")], [appended(11, b"2"), message(b"3")]):
        first = one.hear_batch(batch)
        assert other.hear_batch(batch) == first
    assert one.sent[0] is other.sent[0]
    assert other.receive(appended(12, b"3")) == [numbered(12, b"3")]
    assert one.receive(appended(12, b"3")) == [numbered(12, b"3")]


def test_pages_that_show_what_comes_get_the_very_same_batch() -> None:
    """For example while no process records: a batch is made once for a thousand pages."""
    one = Page()
    one.open()
    other = Page(one.shared)
    other.open()
    mark = one.shared.recording.store.announced[-1].name  # type: ignore[attr-defined]
    batches = [[message(b"1")], [message(b"2"), announcement(f"mark {mark}")], [message(b"3"), message(b"4")]]
    for batch in batches:
        shown = one.hear_batch(batch)
        assert shown == [item for item in batch if item[0] == b"message"]
        other.hear_batch(batch)
        assert one.sent[0] is other.sent[0]
    batch = [appended(9, b"3"), announcement(f"marked {mark} {EPOCH} 1000 8 8")]
    assert one.hear_batch(batch) == other.hear_batch(batch) == []
    batch = [appended(10, b"4"), message(b"5")]
    assert one.hear_batch(batch) == other.hear_batch(batch) == [Followed(CHANNEL, Position(EPOCH, 10, 2000))]
    assert one.receive(appended(11, b"5")) == [numbered(11, b"5")]


def test_a_copy_that_comes_in_another_batch_is_shown_where_nobody_records() -> None:
    page = Page(None, None, b"*")
    page.open()
    copy: Item = [b"pmessage", b"*", CHANNEL, b"1"]
    assert page.receive(message(b"1")) == [message(b"1")]
    assert page.receive(copy) == [copy]


def test_pages_of_a_log_that_is_written_late_get_the_very_same_batch() -> None:
    one = following()
    other = following(one.shared)
    late = announcement(f"appended {EPOCH} 9000 10 7 3000 {digest(b'1')}")
    for batch in ([message(b"1")], [late, message(b"2")]):
        one.hear_batch(batch)
        other.hear_batch(batch)
    late = announcement(f"appended {EPOCH} 9900 11 7 4000 {digest(b'2')}")
    batch = [late, message(b"3")]
    assert one.hear_batch(batch) == other.hear_batch(batch)
    assert one.sent[0] is other.sent[0]
    assert Followed(CHANNEL, Position(EPOCH, 11, 9900), 4000) in one.sent[0]


def test_what_waited_too_long_is_the_very_same_for_all() -> None:
    one = following()
    other = following(one.shared)
    many = [message(b"%d" % number) for number in range(1500)]
    for page in (one, other):
        page.hear_batch(many)
        page.hear_batch([message(b"more")])
        page.follower.watch._probed_at = now_ms() + 60_000
        page.hear_batch([[b"pong", b"look"]])
        shown = [batch for batch in page.sent if batch[0][0] == b"message"]
        assert [item for batch in shown for item in batch] == [*many, message(b"more")]
    assert len(one.sent) == len(other.sent) > 2
    assert all(batch is same for batch, same in zip(one.sent[1:-1], other.sent[1:-1], strict=True))


def test_a_page_in_another_state_finds_out_itself() -> None:
    one = following()
    other = following(one.shared)
    other.receive(message(b"0"))
    batch = [message(b"1"), appended(10, b"1")]
    assert one.hear_batch(batch) == [numbered(10, b"1")]
    assert numbered(10, b"1") not in other.hear_batch(batch)


def test_where_each_page_is_followed_from_the_log_no_gap_is_shown() -> None:
    page = following()
    page.receive(Lost(1.0, "gone"))
    page.follower.commands(b"SUBSCRIBE", Selection((CHANNEL,)))
    back: list[Item] = [Gap(1.0, 2.0), [b"ssubscribe", WORDS, 1], [b"subscribe", CHANNEL, 1]]
    assert page.receive(*back) == [[b"subscribe", CHANNEL, 1], Followed(CHANNEL, HERE)]


def test_a_gap_of_the_link_is_shown_where_a_pattern_is_selected() -> None:
    page = following(None, b"*")
    page.receive(Lost(1.0, "gone"))
    assert page.receive(Gap(1.0, 2.0)) == [Gap(1.0, 2.0)]


def test_a_gap_of_the_link_is_shown_where_it_is_unknown_what_a_page_has() -> None:
    page = Page()
    page.open()
    page.receive(Lost(1.0, "gone"))
    assert page.receive(Gap(1.0, 2.0)) == [Gap(1.0, 2.0)]


def test_a_gap_of_the_link_is_shown_where_another_channel_is_not_recorded() -> None:
    """At first no channel was recorded."""
    page = Page()
    page.shared.recording.is_on = False  # type: ignore[attr-defined]
    page.follower.commands(b"SUBSCRIBE", Selection((CHANNEL, b"b")))
    page.receive([b"subscribe", CHANNEL, 1], [b"subscribe", b"b", 1])
    page.shared.recording.covers = lambda name: name == CHANNEL  # type: ignore
    page.follower.commands_after_switch([CHANNEL, b"b"])
    page.receive([b"ssubscribe", WORDS, 1])
    mark = page.shared.recording.store.announced[-1].name  # type: ignore[attr-defined]
    page.receive(announcement(f"mark {mark}"), announcement(f"marked {mark} {EPOCH} 1000 9 9"))
    page.receive(Lost(1.0, "gone"))
    assert Gap(1.0, 2.0) in page.receive(Gap(1.0, 2.0))


@pytest.mark.parametrize("kind", ["pattern", "shard"])
def test_what_has_no_log_has_its_gap_as_long_as_it_is_selected(kind: str) -> None:
    """Also if it was selected while nothing was recorded."""
    page, names = following(), Selection(**{f"{kind}s": (b"x",)})
    page.follower.commands(b"SUBSCRIBE", names)
    assert page.receive(Gap(1.0, 2.0)) == [Gap(1.0, 2.0)]
    page.follower.commands(b"UNSUBSCRIBE", names)
    assert page.receive(Gap(1.0, 2.0)) == []
    page.follower.commands(b"SUBSCRIBE", names)
    page.receive(Refused(kind, b"x", "no"))
    assert page.receive(Gap(1.0, 2.0)) == []


def test_a_sharded_channel_is_not_the_recorded_one_of_its_name() -> None:
    page = following()
    batch: list[Item] = [
        [b"ssubscribe", CHANNEL, 1],
        [b"smessage", CHANNEL, b"1"],
        [b"sunsubscribe", CHANNEL, 0],
    ]
    assert page.receive(*batch) == batch
    assert page.receive(message(b"1"), appended(10, b"1")) == [numbered(10, b"1")]


def test_what_waits_is_shown_when_recording_ends() -> None:
    page = following()
    page.receive(message(b"1"))
    assert page.receive([b"sunsubscribe", WORDS, 0]) == [message(b"1"), Unfollowed(CHANNEL)]
    assert page.receive(message(b"2")) == [message(b"2")]


def test_the_reply_to_a_probe_comes_after_recording_ended() -> None:
    page = following()
    page.receive([b"sunsubscribe", WORDS, 0])
    assert page.receive([b"pong", b"look"]) == []
    assert page.receive(message(b"1")) == [message(b"1")]


def test_a_page_that_comes_back_to_what_is_not_recorded_any_more_has_a_gap() -> None:
    page = Page(start=ResumePoint(HERE))
    page.shared.recording.is_on = False  # type: ignore[attr-defined]
    page.follower.commands(b"SUBSCRIBE", Selection((CHANNEL,)))
    _, gap, unfollowed = page.receive([b"subscribe", CHANNEL, 1])
    assert isinstance(gap, LogGap)
    assert gap.hole.reason == "unrecorded"
    assert unfollowed == Unfollowed(CHANNEL)


def test_without_permission_for_the_log_a_page_gets_a_reason_and_is_live() -> None:
    page = Page()
    page.follower.commands(b"SUBSCRIBE", Selection((CHANNEL,)))
    events = page.receive(Refused("log", WORDS, "NOPERM"), [b"subscribe", CHANNEL, 1], message(b"1"))
    assert events == [ErrorNotice("a unheard: NOPERM"), [b"subscribe", CHANNEL, 1], message(b"1")]
    for why, expected in (("NOPERM", []), ("away", [ErrorNotice("a unheard: away")])):
        assert page.follower.commands_after_switch([CHANNEL]) == [
            (b"SSUBSCRIBE", WORDS)
        ]  # whatever was switched by another process
        assert page.receive(Refused("log", WORDS, why)) == expected


def test_what_is_switched_on_is_followed_from_there() -> None:
    page = Page()
    page.shared.recording.is_on = False  # type: ignore[attr-defined]
    page.follower.commands(b"SUBSCRIBE", Selection((CHANNEL,)))
    page.receive([b"subscribe", CHANNEL, 1])
    page.shared.recording.is_on = True  # type: ignore[attr-defined]
    assert page.follower.commands_after_switch([CHANNEL]) == [(b"SSUBSCRIBE", WORDS)]
    assert page.follower.commands_after_switch([CHANNEL]) == []
    page.receive([b"ssubscribe", WORDS, 1])
    assert page.shared.recording.store.announced  # type: ignore[attr-defined]


def test_why_nobody_records_is_shown_when_no_recorder_answers() -> None:
    page = Page()
    page.open()
    page.receive([b"pong", b"look"])
    feed = page.follower._feeds[CHANNEL]
    feed.live_since -= 10_000
    events = page.receive([b"pong", b"look"])
    assert any(isinstance(item, Halted) and item.why == "alone" for item in events)


def test_a_page_that_follows_does_not_show_that_nobody_records(monkeypatch: pytest.MonkeyPatch) -> None:
    page = following()
    monkeypatch.setattr(follower_module, "_now", lambda: now_ms() + 60_000)
    assert not any(isinstance(item, Halted) for item in page.receive([b"pong", b"look"]))


def test_a_mark_that_nobody_received_is_followed_by_another(monkeypatch: pytest.MonkeyPatch) -> None:
    """The recorder has the channel from its first message on; the mark was sent before that."""
    page = Page()
    page.open()
    sent = page.shared.recording.store.announced  # type: ignore[attr-defined]
    page.receive(announcement(f"mark {sent[-1].name}"), message(b"1"), appended(1, b"1"))
    monkeypatch.setattr(follower_module, "_now", lambda: now_ms() + 500)
    monkeypatch.setattr(page.shared, "_marked", {})
    page.receive([b"pong", b"look"])
    page.receive(announcement(f"mark {sent[-1].name}"))
    events = page.receive(announcement(f"marked {sent[-1].name} {EPOCH} 2000 1 1"))
    assert events == [Followed(CHANNEL, Position(EPOCH, 1, 2000))]


def test_recorders_learn_of_a_channel_that_has_no_log(monkeypatch: pytest.MonkeyPatch) -> None:
    page = Page()
    store = page.shared.recording.store
    monkeypatch.setattr(store, "register", lambda channel: True)
    woken: list[bool] = []
    monkeypatch.setattr(store, "wake_recorders", lambda channel: woken.append(True), raising=False)
    page.open()
    assert woken == [True]


def test_marks_sent_at_the_same_time_have_names_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page would take the answer to the second mark of a channel for the answer to the first."""
    shared = Page().shared
    store = shared.recording.store
    others = [b"b"]

    def register(channel: bytes) -> bool:  # meanwhile another thread sends a mark
        if others:
            shared.locate(others.pop())
        return False

    monkeypatch.setattr(store, "register", register)
    shared.locate(CHANNEL)
    assert len({mark.name for mark in store.announced}) == 2  # type: ignore[attr-defined]


def test_why_the_recorder_could_not_be_asked_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    page = Page()

    def refuse(channel: bytes, announcement: Any) -> None:
        raise NoPermissionError("may not spublish")

    monkeypatch.setattr(page.shared.recording.store, "announce", refuse)
    page.open()
    page.follower._feeds[CHANNEL].live_since -= 10_000
    events = page.receive([b"pong", b"look"])
    assert any(isinstance(item, Halted) and item.why == "may not spublish" for item in events)


def test_a_reason_that_is_another_later_is_reported_then() -> None:
    why = [""]
    shared = SharedQueries(Recording(), NoTimers(), lambda channel: why[0])  # type: ignore[arg-type]
    page = Page(shared)
    page.open()
    page.follower._feeds[CHANNEL].live_since -= 10_000

    def reasons() -> list[str]:
        return [item.why for item in page.receive([b"pong", b"look"]) if isinstance(item, Halted)]

    assert [reasons(), reasons()] == [["alone"], []]
    for why[0] in ("away", "may not"):
        assert [reasons(), reasons()] == [[why[0]], []]


def test_that_nothing_is_recorded_is_reported_once_in_the_same_words() -> None:
    page = following()

    def reasons(text: str) -> list[str]:
        return [item.why for item in page.receive(announcement(text)) if isinstance(item, Halted)]

    assert [reasons(f"stopped 5 {why}") for why in ("full", "full", "gone")] == [["full"], [], ["gone"]]
    assert reasons(f"stopped 5 {SLOT_MOVES}") == ["moving"]


def test_marks_that_nobody_answers_become_rare(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr(shared_queries, "monotonic", lambda: clock[0])
    page = following()
    marks = page.shared.recording.store.announced  # type: ignore[attr-defined]
    marked_at = []
    for _ in range(24):
        clock[0] += 0.25
        before = len(marks)
        page.shared.locate(CHANNEL)
        if len(marks) > before:
            marked_at.append(clock[0] - 100)
    assert marked_at == [0.25, 0.75, 1.75, 3.5, 5.25]
    page.receive(announcement(f"marked {marks[-1].name} {EPOCH} 1000 9 9"))
    page.shared.locate(CHANNEL)
    assert len(marks) == 7


def test_a_shared_result_plans_the_same_probe(monkeypatch: pytest.MonkeyPatch) -> None:
    now = now_ms()
    monkeypatch.setattr(log_watch, "now_ms", lambda: now)
    first = following()
    second = following(first.shared)
    second.follower.watch._pause, second.follower.watch._rests_until = 4000, 1  # as after an outage
    for batch in ([message(b"1")], [message(b"2")], [appended(10, b"1", b"2")], [message(b"3")]):
        first.hear_batch(batch)
        with monkeypatch.context() as patch:
            patch.delattr(LogWatch, "plan")
            second.hear_batch(batch)
        plans = [vars(page.follower.watch) | {"_timers": None} for page in (first, second)]
        assert plans[0] == plans[1]
        assert (plans[0]["_due"] is None) == (batch[0] == appended(10, b"1", b"2"))


def test_a_slow_page_does_not_let_messages_of_others_wait_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    """When a message was received is not compared, but decides until when it waits."""
    clock = [now_ms()]
    monkeypatch.setattr(follower_module, "_now", lambda: clock[0])
    fast = following()
    slow = following(fast.shared)
    began = clock[0]
    fast.receive(message(b"1"))
    clock[0] += 2000
    slow.receive(message(b"1"))
    for batch in ([message(b"2")], [message(b"3")]):  # the first page to receive both is the slow one
        for page in (slow, fast):
            page.hear_batch(batch)
            assert page.follower.watch._due == began + PATIENCE + (2000 if page is slow else 0)
    fast.follower.watch._probed_at = began + PATIENCE
    clock[0] = began + PATIENCE
    assert [item for item in fast.receive([b"pong", b"look"]) if isinstance(item, list)] == [
        message(b"%d" % number) for number in (1, 2, 3)
    ]


def test_a_live_feed_plans_its_own_probe() -> None:
    """When it became live is not part of a shared result."""
    shared = SharedQueries(Recording(), NoTimers(), lambda channel: "")  # type: ignore[arg-type]
    pages = [Page(shared), Page(shared)]
    for page in pages:
        page.open()
    for page in pages:
        page.follower._feeds[CHANNEL].live_since -= 60_000
        page.follower.watch._pause = 8000
    pages[0].follower._feeds[CHANNEL].live_since = now_ms()
    batch = [message(b"1")]
    for page in pages:
        page.hear_batch(batch)
    assert [page.follower.watch._pause for page in pages] == [PAUSE, 8000]


def test_a_page_that_is_not_told_its_place_looks_for_it_less_and_less(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As while Redis refuses to write, so that nobody answers a mark; there may be a thousand such pages."""
    clock = [now_ms()]
    monkeypatch.setattr(log_watch, "now_ms", lambda: clock[0])
    monkeypatch.setattr(follower_module, "_now", lambda: clock[0])
    page = Page(None, ResumePoint(HERE))
    page.open()
    watch = page.follower.watch
    began, probed = clock[0], list[float]()

    def probe() -> None:
        assert watch._due is not None
        clock[0], watch._probed_at = watch._due, watch._due
        page.receive([b"pong", b"look"])

    while clock[0] < began + 60_000:
        probe()
        probed.append((clock[0] - began) / 1000)
    assert probed[:4] == [0.25, 0.5, 0.75, 1.0]
    assert probed[12:] == [5.0, 9.0, 17.0, 33.0, 49.0, 65.0]
    page.receive(message(b"1"))
    assert watch._due == clock[0] + 250


def test_the_connection_may_break_while_recording_is_switched_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another thread adds channels meanwhile."""
    page = following()

    class Feeds(dict[bytes, Any]):
        def get(self, name: bytes, default: Any = None) -> Any:
            page.follower.commands_after_switch([CHANNEL, b"b"])
            return super().get(name, default)

    monkeypatch.setattr(page.follower, "_feeds", Feeds(page.follower._feeds))
    lost = Lost(1.0, "away")
    assert page.receive(lost) == [lost]


def test_an_answer_may_come_while_another_thread_forgets_old_marks(monkeypatch: pytest.MonkeyPatch) -> None:
    page = following()

    class Forgotten(dict[bytes, tuple[float, float]]):
        def __contains__(self, name: object) -> bool:
            return True  # and is removed just afterwards

    monkeypatch.setattr(page.shared, "_marked", Forgotten())
    assert page.receive(announcement(f"marked 0.1 {EPOCH} 1000 9 9")) == []


def test_each_page_notes_itself_that_it_follows_another_log() -> None:
    first = following()
    pages = [first, following(first.shared)]
    batch: list[Item] = [[b"ssubscribe", b"arauto:words:b", 2]]
    for page in pages:
        page.follower.commands(b"SUBSCRIBE", Selection((b"b",)))
        page.hear_batch(batch)
        assert page.follower._followed == {CHANNEL, b"b"}
