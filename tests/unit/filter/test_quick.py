"""The page's filter is fast: for as many messages as the page keeps, and for hostile messages."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.servers import ROOT
from tests.unit.filter.test_hostile import FILTERS, MESSAGES

NODE = Path(sys.executable).with_name("node")
LIMIT = 5  # times as long as to parse the messages
KINDS = [
    "disk", '"a hundred"', "text -u1", "disk OR text", "(disk OR text) NOT u1", "a b c d e f", "não",
    "channel:quick", "channel=q*", "severity>=warning", "severity:error|info", "user.name:u99",
    "user.name=u99", "user.name!=u99", "user.name:u9*9", "ms>500", "ms <= 5", "ms:5", "level=info",
    "level=in*", "level:(info OR error)", "items[0].sku:s1", "items.sku:s1|s2", "has:tags", "-has:tags|ms",
]  # fmt: skip


def ask(script: str, **given: object) -> list[float]:
    ran = subprocess.run(
        [NODE, "--no-warnings", "--single-threaded-gc", Path(__file__).with_name(script)],
        input=json.dumps({"folder": str(ROOT)} | given),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,  # quadratic time would take minutes
    )
    return list(json.loads(ran.stdout))


@pytest.mark.alone
def test_all_messages_kept_are_gone_through_at_once_by_every_kind_of_filter() -> None:
    *filtered, sampled = ask("page_speed.mjs", filters=KINDS)
    slow = {kind: took for kind, took in zip(KINDS, filtered, strict=True) if took > LIMIT}
    assert not slow
    assert sampled < LIMIT


def test_no_message_holds_up_the_page() -> None:
    messages = [["a", message.decode(errors="replace")] for message in MESSAGES]
    assert len(ask("page_filter.mjs", filters=FILTERS, messages=messages)) == len(FILTERS)
