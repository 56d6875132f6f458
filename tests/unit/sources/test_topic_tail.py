"""The topics of one page."""

from threading import Thread
from typing import Any

import pytest

from arauto.sources import topic_tail
from arauto.sources.topic_tail import TopicTail


def test_each_attribute_has_a_slot(monkeypatch: pytest.MonkeyPatch) -> None:
    """One without a slot would give each page a dictionary of attributes as well."""
    for name in ("topic_words", "chosen", "ExplainRefused"):
        monkeypatch.setattr(topic_tail, name, lambda *given: None)
    given: Any = None
    tail = TopicTail(given, given, given, given, given, {}, given, given)
    assert vars(tail).keys() == vars(Thread()).keys()
