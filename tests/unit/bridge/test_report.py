from arauto.bridge.report import Missed, Report, rules_in
from arauto.text.bridge_rules import read_rules

RULES = read_rules("a -> kafka:t, kafka:u -> b")


def test_another_process_goes_on_with_it() -> None:
    report = Report.of(RULES)
    report.passed(RULES[0], 3)
    report.set_trouble(RULES[1], "kafka", "unknown", "")
    report.miss(RULES[0], "unattended", 1, 2)
    other = Report.of(RULES, report.write())
    assert other == report
    assert Report.of(RULES[:1], report.write()).rules == {"a -> kafka:t": report.rules["a -> kafka:t"]}
    for broken in (
        b"{",
        b"[]",
        b'"x"',
        b"[" * 100_000,
        b'{"rules":{"a -> kafka:t":{"x":1}}}',
        b'{"rules":{"a -> kafka:t":{"passed":"x","trouble":[]}}}',
        b'{"rules":{"a -> kafka:t":{"passed":-1,"trouble":[]}}}',
        b'{"rules":{"a -> kafka:t":{"trouble":[1]}}}',
        b'{"rules":7,"missed":7,"waiting":Infinity}',
        b'{"missed":[1],"waiting":"x"}',
        b'{"missed":[{"rule":[],"why":"full","start":1,"end":1,"many":1}]}',
        b'{"missed":[{"rule":"a","why":"x","start":1,"end":1,"many":1}]}',
        b'{"missed":[{"rule":"a","why":"full","start":null,"end":1,"many":1}]}',
        b'{"missed":[{"rule":"a","why":"full","start":1,"end":1e99,"many":1}]}',
    ):
        assert Report.of(RULES, broken) == Report.of(RULES)
        assert rules_in(broken, ()) == ()
    assert rules_in(Report.of(RULES[1:]).write(), RULES) == RULES[1:]
    for unknown in (b"", b"[]", b"{}"):
        assert rules_in(unknown, RULES) == RULES


def test_what_is_missed_one_by_one_is_one_span() -> None:
    report = Report.of(RULES)
    for at in (1000, 1500, 2400, 9000):
        report.miss(RULES[0], "full", at, at, 1)
    assert report.missed == [
        Missed("a -> kafka:t", "full", 1000, 2400, 3),
        Missed("a -> kafka:t", "full", 9000, 9000, 1),
    ]
    assert report.rules["a -> kafka:t"].missed == 4
    for at in range(50):
        report.miss(RULES[0], "unattended", at, at)
    assert len(report.missed) == 20


def test_a_span_that_goes_on_is_extended() -> None:
    report = Report.of(RULES)
    for start, end in ((1, 2), (2, 5), (4, 5), (6, 7)):
        report.keep_missing(RULES[0], "unattended", start, end)
    assert [(one.start, one.end) for one in report.missed] == [(1, 5), (6, 7)]
