"""The reads of a page from its log: when, up to where, and which entries it is shown (pure)."""

from arauto.protocol.log_position import Position
from arauto.recording_core.announcements import Announcement, Appended, Resumed
from arauto.recording_core.backlog import Backlog
from arauto.recording_core.feed_steps import FeedStep, Gap, Pages, Read, Show


class LogReading:
    """The reads of one page, and the epochs known from them.

    ``requested_at``, ``read_at``: when the last read was sent and answered, in milliseconds.
    ``caught_up_at``: everything that Redis had pushed by then is handled.
    """

    def __init__(self) -> None:
        self.request: Read | None = None
        self.requested_at = 0
        self.read_at = self.caught_up_at = 0
        self.is_unreadable = False
        # An old master that comes back has entries that the page was shown before another took its place:
        self.shown_until = 0  # milliseconds
        self._ended: set[str] = set()  # epochs that another one follows
        self._read_for: Announcement | None = None  # the announcement that the log was read for ...
        self._read_until = 0  # ... up to this number

    def ask(self, after: Position, until: int | None, now: int) -> Read:
        self.request, self.requested_at = Read(after, until), now
        return self.request

    def ask_for(self, announcement: Announcement, after: Position, until: int, now: int) -> Read:
        """Read the entries before ``announcement``."""
        self._read_for, self._read_until = announcement, until
        return self.ask(after, until, now)

    def end(self) -> None:
        """The read was answered, or nothing waits for it any more."""
        self.request, self.is_unreadable = None, False

    @property
    def is_caught_up(self) -> bool:
        """Whether all pushes were received of messages that the page may have been shown from the log."""
        return self.caught_up_at >= self.read_at

    def was_for(self, announcement: Announcement, number: int) -> bool:
        """Whether the last read was for ``announcement``, up to ``number``.

        An answer to a mark may have shown meanwhile that the page needs to read further.
        """
        return announcement is self._read_for and number <= self._read_until

    # Up to where

    def find_end(
        self, announcement: Announcement, position: Position, older: int, backlog: Backlog, serial: int
    ) -> int | None:
        """Up to which number to read the log before ``announcement`` can be handled; ``None``: it can.

        :param older: messages from before the page subscribed have numbers up to this.
        :param serial: of the last message in ``backlog`` before the announcement.
        """
        if isinstance(announcement, Appended):
            return self._find_end_of_appended(announcement, position, older)
        if not isinstance(announcement, Resumed):
            return None
        if is_beyond(position, announcement):
            # The entries were read meanwhile; or all was lost, and the clock went back.
            return announcement.position.number
        end = announcement.position.number - backlog.count_last(announcement.left, serial) - 1
        if self.shown_until:
            end = announcement.begins  # the other log may have had the same leftovers, and they were shown
        return end if position.number < end else None

    def _find_end_of_appended(self, appended: Appended, position: Position, older: int) -> int | None:
        if appended.last.number <= position.number:
            # Numbers rise from epoch to epoch, but not if all was lost and the clock went back.
            is_known = appended.epoch in self._ended | {position.epoch}
            return None if is_known else position.number
        if appended.epoch != position.epoch:
            return appended.last.number  # the log was read meanwhile, and another epoch had begun
        end = max(appended.first - 1, min(older, appended.last.number))
        return end if position.number < end else None

    # The result

    def show(self, request: Read, pages: Pages, since: int) -> list[FeedStep]:
        """The steps for a page that was shown everything up to ``since``."""
        steps: list[FeedStep] = []
        if pages.is_other:
            self.shown_until = max(since, request.after.ms)
            end = next((entry.ms for entry in pages.entries if entry.ms > self.shown_until), pages.at)
            steps.append(Gap(since, end, "replaced"))
        is_in_gap = pages.is_other  # this gap ends at the first entry that is shown
        for entry in pages.entries:
            if entry.ms <= self.shown_until:
                continue
            if entry.missing and not is_in_gap:
                steps.append(Gap(since, entry.ms, entry.missing))
            is_in_gap = False
            at = Position(pages.end.epoch, entry.number, entry.ms)
            if entry.data is None:
                steps.append(Gap(entry.since or since, entry.ms, "recorder"))
            else:
                steps.append(Show(entry.data, at, entry.ms))
        if pages.missing and not is_in_gap:
            steps.append(Gap(since, pages.at, pages.missing))
        return steps

    def note(self, request: Read, pages: Pages) -> None:
        """Note epochs that have ended: of each, only one announcement makes the page read the log."""
        epochs = {request.after.epoch}
        if isinstance(self._read_for, Appended) and not pages.is_other:
            epochs.add(self._read_for.epoch)
        self._ended |= epochs - {pages.end.epoch}

    def count_skipped(self, announcement: Announcement, pages: Pages) -> int:
        """How many numbers the announced recorder skipped, if the read was for its announcement.

        Messages that its predecessor did not write have none of these numbers.
        """
        is_about = isinstance(announcement, Resumed) and announcement is self._read_for
        return pages.skipped if is_about else 0


def is_beyond(position: Position | None, announcement: Announcement) -> bool:
    """Whether the position is behind the end of ``announcement``, but in another epoch."""
    end = None
    if isinstance(announcement, Appended):
        end = announcement.last
    elif isinstance(announcement, Resumed):
        end = announcement.position
    if position is None or end is None:
        return False
    return position.number >= end.number and position.epoch != end.epoch
