"""Sentences about topics, for a thread that has no request and so no language."""

from functools import cache
from typing import NamedTuple, get_args

from arauto.i18n.gettext import gettext
from arauto.kafka_io.connection import Kind, Trouble, say
from arauto.kafka_io.topic_hub import MOST, MOST_READ


class TopicWords(NamedTuple):
    """Sentences with placeholders."""

    of: dict[Kind, str]
    too_many: str
    left_out: str

    def say(self, found: Trouble) -> str:
        return self.of[found.kind].replace("{words}", found.words)

    def say_left_out(self, glob: str, n: int) -> str:
        return self.left_out.replace("{glob}", glob).replace("{n}", str(n))


@cache
def topic_words(language: str) -> TopicWords:
    """The sentences in the language of this request, which is ``language``."""
    return TopicWords(
        {kind: say(Trouble(kind, "{words}")) for kind in get_args(Kind)},
        gettext(
            "This server process watches %(n)s topics already: try again when pages have been closed.", n=MOST
        ),
        gettext(
            "This server process reads at most %(most)s topics at a time. Of those that %(glob)s matches,"
            " it leaves %(n)s out: choose fewer, or close pages.",
            most=MOST_READ,
            glob="{glob}",
            n="{n}",
        ),
    )
