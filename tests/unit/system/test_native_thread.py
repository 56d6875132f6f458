"""The check for room for more threads."""

import _thread
from typing import Any

import pytest

from arauto.system.native_thread import check_room
from arauto.system.resource_errors import NoThread


@pytest.mark.parametrize("most", [2, 3])
def test_threads_are_started_at_the_same_time_and_have_ended(
    monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    begin = _thread.start_new_thread
    begun: list[object] = []
    ended: list[object] = []

    def run(function: Any) -> None:
        function()
        ended.append(function)

    def start(function: Any, given: Any) -> None:
        if len(begun) == most:
            raise RuntimeError("can't start new thread")
        begun.append(function)
        begin(run, (function,))

    monkeypatch.setattr(_thread, "start_new_thread", start)
    if most < 3:
        with pytest.raises(NoThread):
            check_room(3)
    else:
        check_room(3)
    assert len(ended) == most
