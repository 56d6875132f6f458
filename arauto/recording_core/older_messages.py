"""Messages of a log from before a page subscribed (pure)."""

from arauto.protocol.log_position import Position
from arauto.recording_core.announcements import Mark, Marked


class OlderMessages:
    """Their numbers follow from the answer to a mark. Without a log there are none.

    ``until``: they have numbers up to this; 0: none is missing; ``None``: not known yet.
    """

    def __init__(self, until: int | None) -> None:
        self.until = until
        self._marks: dict[str, int] = {}  # how many messages came before each

    def count(self, announcement: Mark | Marked, received: int) -> None:
        """Messages received before the mark have numbers up to the one in its answer."""
        if isinstance(announcement, Mark):
            self._marks.setdefault(announcement.name, received)
        elif announcement.name in self._marks:
            self.until = announcement.position.number - self._marks[announcement.name]

    def skip(self, many: int) -> None:
        """A recorder has skipped ``many`` numbers."""
        if self.until is not None:
            self.until += many

    def are_shown(self, position: Position | None) -> bool:
        """Whether a page that was shown the log up to ``position`` was shown all of them."""
        if self.until is None:
            return False
        return self.until == 0 or (position is not None and position.number >= self.until)

    def end(self, position: Position | None) -> bool:
        """From here on none is missing; returns whether none was missing before."""
        were_shown, self.until = self.are_shown(position), 0
        return were_shown
