"""The names of topics in a feed: a topic, one partition of it, or all that a glob matches (pure)."""

import re
from typing import NamedTuple

from arauto.i18n.gettext import gettext
from arauto.protocol.topics import MAX_NAME, BadTopic, check_topic, read_partition
from arauto.text.glob import matches

_SPECIAL = frozenset("*?[")  # no topic has one of these in its name
_INTERNAL = "__"  # the prefix of Kafka's own topics
_GLOB = re.compile(r"[A-Za-z0-9._\-*?\[\]^\\]+")


class TopicName(NamedTuple):
    """One name of a selection.

    :param topic: the topic, or a glob if ``is_glob``.
    :param partition: ``None``: all.
    """

    topic: str
    partition: int | None = None
    is_glob: bool = False

    @property
    def text(self) -> str:
        """The text, for :func:`read_name`."""
        return self.topic if self.partition is None else f"{self.topic}:{self.partition}"


def read_name(text: str) -> TopicName:
    """Parse ``orders``, ``orders:2`` for a partition of it, or a glob such as ``orders.*``.

    :raise BadTopic: it is none of these.
    """
    if not _SPECIAL.isdisjoint(text):
        if len(text) > MAX_NAME or not _GLOB.fullmatch(text):
            raise BadTopic(
                gettext(
                    "A glob of topics has what their names have, and * ? [ ] ^ \\, at most %(n)s in all.",
                    n=MAX_NAME,
                )
            )
        return TopicName(text, is_glob=True)
    topic, colon, partition = text.partition(":")
    return TopicName(check_topic(topic), read_partition(partition) if colon else None)


def glob_matches(glob: str, topic: str) -> bool:
    """Whether a glob matches a topic; Kafka's own topics only if the glob begins with ``__`` too."""
    is_hidden = topic.startswith(_INTERNAL) and not glob.startswith(_INTERNAL)
    return not is_hidden and matches(glob.encode(), topic.encode())
