"""The mark with which a page without announcements finds its place in the log again (pure)."""

from arauto.protocol.log_position import Position
from arauto.recording_core.announcements import Appended, Mark, Marked, Renewed
from arauto.recording_core.backlog import Received
from arauto.recording_core.shared_states import Unannounced

ANSWERED_WITHIN = 400  # milliseconds until an unanswered mark may be followed by another

Noted = tuple[Appended | Renewed, int]
"""An announcement, with the serial of the last message before it."""


class PendingMark:
    """One mark at a time, and announcements since, until the number in its answer is in the log."""

    def __init__(self) -> None:
        self._name = ""
        self._at = 0
        self._answer: Marked | None = None
        self._noted: list[Noted] = []

    def __bool__(self) -> bool:
        return bool(self._name)

    def begin(self, mark: Mark, now: int) -> None:
        self._name, self._at, self._answer, self._noted = mark.name, now, None, []

    def forget(self) -> None:
        self._name, self._answer, self._noted = "", None, []

    def is_overdue(self, now: int, patience: int) -> bool:
        """Whether to give the mark up: no recorder may have had the channel.

        :param patience: milliseconds until the number in its answer is in the log.
        """
        return bool(self._name) and now - self._at > (patience if self._answer else ANSWERED_WITHIN)

    def answer(self, marked: Marked) -> bool:
        """Whether that is the answer to this mark."""
        if marked.name != self._name:
            return False
        self._answer = marked
        return True

    def note(self, announcement: Appended | Renewed, serial: int) -> None:
        """Note an announcement after the mark."""
        self._noted.append((announcement, serial))

    def take(self, written: int) -> tuple[Position, list[Noted]] | None:
        """Where messages after the mark begin, and announcements since; ``None``: not in the log yet.

        :param written: the number up to which the log is written.
        """
        answer, noted = self._answer, self._noted
        if answer is None or written < answer.position.number:
            return None
        renewed = [one.position.epoch for one, _ in noted if isinstance(one, Renewed)]
        self.forget()
        epoch = [answer.position.epoch, *renewed][-1]
        return Position(epoch, answer.position.number, answer.position.ms), noted

    # State that equal feeds share

    def state(self, shown: tuple[Received, ...], newest: int, is_halted: bool) -> Unannounced:
        """:param newest: the serial of the newest message."""
        noted = tuple([(one, serial - newest) for one, serial in self._noted])
        return Unannounced(self._name, self._answer, self._at, shown, noted, is_halted)

    def settle(self, state: Unannounced, newest: int) -> None:
        self._name, self._answer, self._at = state.mark, state.marked, state.marked_at
        self._noted = [(one, serial + newest) for one, serial in state.since_mark]
