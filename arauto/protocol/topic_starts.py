"""Where a feed begins in each of its topics (pure)."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from arauto.i18n.gettext import gettext
from arauto.protocol.log_query import BadPoint
from arauto.protocol.topic_names import TopicName, read_name
from arauto.protocol.topics import OFFSETS, Start, TopicPlace, check_topic, read_place

_LEADER = r"\d{1,9}:\d{1,9}"  # in Kafka a number of 32 bits
_PLACE = re.compile(
    rf"(?P<epoch>[A-Za-z0-9_-]{{0,40}})(\.(?P<leaders>{_LEADER}(,{_LEADER})*))?\.(?P<offsets>{OFFSETS})",
    re.ASCII,
)


class GlobPlace(NamedTuple):
    """Where a page was in each topic that a glob had selected; ``None``: nowhere yet.

    Other topics were created since.
    """

    topics: dict[str, TopicPlace | None]


Starts = dict[str, Start | GlobPlace]
"""By topic or glob; others are shown from now on."""


def read_starts(names: Sequence[str], places: Sequence[str], since: str | None) -> Starts:
    """The n-th of ``places`` is for the n-th name: ``<epoch>.3:4711,4:815``, or with leaders
    ``<epoch>.3:7,4:7.3:4711,4:815``; for a glob, one for each topic.

    :param since: a place for topics that have none of their own.
    :raise BadPoint: one does not parse, or is that of another partition.
    :raise BadTopic: a name does not parse.
    """
    if len(places) > len(names):
        raise BadPoint(gettext("Give one place for each topic, or none."))
    topics = [read_name(name) for name in names]
    starts: Starts = {one.topic: _read_since(one, since) for one in topics} if since else {}
    for one, text in zip(topics, places, strict=False):
        if text:
            starts[one.topic] = _read_glob_place(text) if one.is_glob else _read_topic_place(text)
    return starts


def _read_since(name: TopicName, since: str) -> Start:
    place = read_place(since)
    if isinstance(place, dict) and name.is_glob:
        raise BadPoint(gettext("An offset is that of one topic: with a glob write a time, such as 10m."))
    if isinstance(place, dict) and name.partition is not None and name.partition not in place:
        raise BadPoint(gettext("The offset is that of another partition."))
    return place


def _read_glob_place(text: str) -> GlobPlace:
    """Parse ``orders.eu/<epoch>.0:815;orders.us/;``: each part ends with a semicolon."""
    topics: dict[str, TopicPlace | None] = {}
    for part in filter(None, text.split(";")):
        topic, _, place = part.partition("/")
        topics[check_topic(topic)] = _read_topic_place(place) if place else None
    return GlobPlace(topics)


def _read_topic_place(text: str) -> TopicPlace:
    if match := _PLACE.fullmatch(text):
        places = read_place(match["offsets"])
        leaders = read_place(match["leaders"]) if match["leaders"] else {}
        if isinstance(places, dict) and isinstance(leaders, dict):
            return TopicPlace(match["epoch"], places, leaders)
    raise BadPoint(
        gettext("%(text)s is not a place in a topic: leave it out to start from now.", text=text[:50])
    )
