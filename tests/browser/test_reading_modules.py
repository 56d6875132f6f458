"""The pure modules for views of messages, in a browser: all digits are kept, hostile input is harmless."""

import base64
import json
import random
import struct
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.support.redis_servers import RedisServer
from tests.support.servers import ArautoServer
from tests.support.waiting import PATIENCE


@pytest.fixture
def page(module_page: Page) -> Page:
    return module_page


def call(page: Page, module: str, body: str, argument: Any = None) -> Any:
    """Call ``body``, a function of the module and an argument, and return its result."""
    script = f"async (argument) => ({body})(await import('/static/js/{module}.js'), argument)"
    return page.evaluate(script, argument)


# JSON

LEAVES = """({ root, members }, texts) => texts.map((text) => {
  const found = [];
  const waiting = [root(text)];
  while (waiting.length) {
    const { kind, start, end, count } = waiting.pop();
    if (count === undefined) { found.push(text.slice(start, end)); continue; }
    const all = [...members(text, start)];
    if (all.length !== count) found.push(`${count} is not ${all.length}`);
    for (const { key, value } of all.reverse()) waiting.push(value, ...(key ? [key] : []));
  }
  return found;
})"""
SCALARS = [
    "0", "-0", "1.0", "1e400", "-1.5E-7", "12345678901234567890", "true", "false", "null", '""', '"é🎺"',
    r'"\\"', r'"\""', r'"\\\""', r'"\u00e9\ud83c"', '"[{]},:"', '"\u2028"',
]  # fmt: skip


def generate(random_: random.Random, depth: int = 0) -> tuple[str, list[str]]:
    """A JSON text with odd spaces, and its keys and scalars in order."""

    def space() -> str:
        return random_.choice(["", "", " ", "\n\t", "\r\n  "])

    shape = random_.random() if depth < 6 else 1
    if shape > 0.6 and depth:
        scalar = random_.choice(SCALARS)
        return scalar, [scalar]
    parts: list[str] = []
    leaves: list[str] = []
    for _ in range(random_.randrange(5)):
        text, inner = generate(random_, depth + 1)
        if shape > 0.3:
            key = random_.choice([scalar for scalar in SCALARS if scalar.startswith('"')])
            text = f"{key}{space()}:{space()}{text}"
            leaves.append(key)
        parts.append(f"{space()}{text}{space()}")
        leaves += inner
    inside = ",".join(parts) or space()
    return (f"{{{inside}}}" if shape > 0.3 else f"[{inside}]"), leaves


def test_every_token_of_json_is_found_as_it_is_written(page: Page) -> None:
    random_ = random.Random(5)
    cases = [generate(random_) for _ in range(500)]
    for text, _ in cases:
        json.loads(text)
    assert call(page, "lib/json_scanner", LEAVES, [text for text, _ in cases]) == [
        leaves for _, leaves in cases
    ]


def test_deep_and_wide_json_is_walked_without_a_stack(page: Page) -> None:
    deep = "[" * 10_000 + "1.0" + "]" * 10_000
    count = """({ root, members }, text) => {
      let value = root(text);
      for (let depth = 0; ; depth++) {
        if (value.count === undefined) return [depth, text.slice(value.start, value.end)];
        value = members(text, value.start).next().value.value;
      }
    }"""
    assert call(page, "lib/json_scanner", count, deep) == [10_000, "1.0"]
    wide = "[" + ",".join(["1"] * 500_000) + "]"
    first = "({ root, members }, text) => [root(text).count, members(text, 0).next().value.value.end]"
    assert call(page, "lib/json_scanner", first, wide) == [500_000, 2]
    escapes = '["' + "\\\\" * 250_000 + '"]'
    assert call(page, "lib/json_scanner", "({ root }, text) => root(text).end", escapes) == len(escapes)


def test_colours_cover_a_text_that_is_cut_anywhere(page: Page) -> None:
    text = '{"a": "b\\"c", "n": -1.5e3, "t": [true, null], "é🎺": ""}'
    rebuild = """({ tokens }, texts) => texts.map((text) => [...tokens(text)].map(
      ({ kind, start, end }) => [kind, text.slice(start, end)]))"""
    cut = call(page, "lib/json_scanner", rebuild, [text[:end] for end in range(len(text) + 1)])
    assert cut[-1] == [
        ["key", '"a"'], ["string", '"b\\"c"'], ["key", '"n"'], ["number", "-1.5e3"], ["key", '"t"'],
        ["word", "true"], ["word", "null"], ["key", '"é🎺"'], ["string", '""'],
    ]  # fmt: skip
    assert cut[9] == [["key", '"a"'], ["string", '"b\\']]


@pytest.mark.parametrize(
    "text", ["", "{", "[1,]", "{'a':1}", '{"a":1} x', "[01]", "[NaN]", "12", '"a"', "\ufeff[]"]
)
def test_what_is_not_json_is_not_taken_for_it(page: Page, text: str) -> None:
    assert call(page, "lib/json_scanner", "({ parse }, text) => parse(text) === undefined", text)


INDENT = "({ indent }, texts) => texts.map((text) => indent(text))"


def indented(page: Page, *texts: str) -> list[dict[str, Any]]:
    return list(call(page, "lib/json_indent", INDENT, texts))


def test_indented_json_has_every_token_as_it_is_written(page: Page) -> None:
    random_ = random.Random(6)
    texts = [text for text, _ in (generate(random_) for _ in range(300))]
    spread = [answer["indented"] for answer in indented(page, *texts)]
    found = [call(page, "lib/json_scanner", LEAVES, some) for some in (texts, spread)]
    assert found[0] == found[1]
    assert [answer["indented"] for answer in indented(page, *spread)] == spread


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"a":1,"a":2}', '{\n  "a": 1,\n  "a": 2\n}'),
        ("[184467440737095516150.10,1e999,-0]", "[\n  184467440737095516150.10,\n  1e999,\n  -0\n]"),
        (r'["\ud83c","\udfba\ud83c"]', '[\n  "\\ud83c",\n  "\\udfba\\ud83c"\n]'),
        ('{"key":"a value"}', '{\n  "key": "a value"\n}'),
    ],
)
def test_json_that_a_parser_would_alter_is_only_indented(page: Page, text: str, expected: str) -> None:
    assert indented(page, text) == [{"indented": expected}]


def test_a_lone_surrogate_is_found_and_indented_as_it_is(page: Page) -> None:
    read = """async ({ indent }) => {
      const { root, members, tokens } = await import("/static/js/lib/json_scanner.js");
      const text = '["\ud83c"]';
      const all = [...tokens(text)].length + [...members(text, 0)].length;
      return [indent(text).indented === '[\\n  "\ud83c"\\n]', all, root(text).end];
    }"""
    assert call(page, "lib/json_indent", read) == [True, 2, 5]


def test_deep_json_is_indented_without_a_stack(page: Page) -> None:
    deep, cut = "[" * 10_000 + "]" * 10_000, "[" * 10_000 + "]" * 9_999
    answers = indented(page, deep, cut)
    assert "".join(answers[0]["indented"].split()) == deep
    assert answers[1] == {"line": 1, "column": 20_000}


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("[1,]", 4), ('{"a":1,}', 8), ("[,]", 2), ('["abc', 2), ('["abc\\', 2), ('["abc\\"', 2), ('{"abc', 2),
        ('{"a"', 5), ('{"a":', 6), ('{"a"}', 5), ("{1:2}", 2), ('["a":1]', 5), ("[1}", 3), (" ", 2),
        ("[constructor]", 2), ("[end]", 2), ("{key:1}", 2), ("[a value]", 2), ("[1\u00a0]", 3), ("[1;2]", 3),
        ('["\u0000"]', 2), ('["\\u00g0"]', 2), ("{}{}", 3), ("[-]", 2), ("[+1]", 2), ("[Infinity]", 2),
        ("[h'00']", 2),
    ],
)  # fmt: skip
def test_what_breaks_json_is_found_and_harms_no_reader(page: Page, text: str, column: int) -> None:
    assert indented(page, text) == [{"line": 1, "column": column}]
    count = """({ root, roots, members, tokens }, text) =>
      [root(text), ...roots(text), ...members(text, 0), ...tokens(text)].length"""
    assert call(page, "lib/json_scanner", count, text) < 10


def test_texts_of_json_may_have_any_spaces_between_them(page: Page) -> None:
    assert call(
        page, "message/plain_text", "({ readJson }, text) => readJson(text).value", "[1]\u00a0[2]\u2028"
    ) == [
        [1],
        [2],
    ]


# Severity


def test_severity_is_read_from_an_object_and_nothing_else(page: Page) -> None:
    cases = {
        '{"severity":"FATAL"}': "critical",
        ' \n{"level":"Warning"}': "warning",
        '{"priority":4}': "error",
        '{"priority":"3"}': "info",
        '{"level":10}': "debug",
        '{"severity":"purple","level":"err"}': "error",
        '{"a":{"severity":"critical"}}': "",
        '[{"severity":"critical"}]': "",
        '{"priority":6}': "",
        '{"priority":"map"}': "",
        '{"level":{"valueOf":1}}': "",
        '{"severity":"critical"': "",
        "critical": "",
        "": "",
        '{"status":"firing","alerts":[{"labels":{"severity":"error"}},{}]}': "error",
        '{"status":"firing","alerts":[{"labels":{"severity":"page"}}]}': "warning",
        '{"status":"resolved","alerts":[{"labels":{"severity":"error"}}]}': "info",
        '{"status":"x","alerts":[null],"level":"debug"}': "debug",
        '{"status":"x","alerts":[]}': "warning",
        '{"repository":{"full_name":"o/r"},"check_run":{"name":"ci","conclusion":"failure"}}': "error",
        '{"repository":null,"severity":"info","sender":null}': "info",
    }
    found = call(page, "message/severity", "({ severityOf }, texts) => texts.map(severityOf)", list(cases))
    assert dict(zip(cases, found, strict=True)) == cases
    alerts = """async ({ alertIn }, texts) => {
      const { readJson } = await import("/static/js/message/plain_text.js");
      return texts.map((text) => alertIn(readJson(text).value)?.severity ?? "");
    }"""
    assert call(page, "message/alert_parser", alerts, list(cases)) == found
    ranks = call(page, "message/alert_parser", "({ RANKS }) => RANKS")
    assert ranks == ["debug", "info", "warning", "error", "critical"]


def test_what_cannot_have_a_severity_is_not_parsed(page: Page) -> None:
    count = """({ severityOf }, texts) => {
      const parse = JSON.parse;
      let parsed = 0;
      JSON.parse = (text) => { parsed += 1; return parse(text); };
      texts.forEach(severityOf);
      JSON.parse = parse;
      return parsed;
    }"""
    texts = ["plain text", "level: error", '{"id": 1, "name": "no alert", "list": [1, 2, 3]}', "[" * 100]
    assert call(page, "message/severity", count, texts) == 0
    assert call(page, "message/severity", count, [*texts, '{"level": "info", "msg": "x"}']) == 1


# MessagePack

DECODE = """({ decode }, texts) => texts.map((text) => decode(Uint8Array.from(text.match(/../g) ?? [],
  (pair) => parseInt(pair, 16))))"""


def decode(page: Page, packed: list[bytes]) -> list[str | None]:
    return list(call(page, "lib/msgpack", DECODE, [data.hex() for data in packed]))


VALUES: list[tuple[bytes, str]] = [
    (b"\x00", "0"),
    (b"\x7f", "127"),
    (b"\xe0", "-32"),
    (b"\xff", "-1"),
    (b"\xc0", "null"),
    (b"\xc2", "false"),
    (b"\xc3", "true"),
    (b"\xcc\xff", "255"),
    (b"\xcd\xff\xff", "65535"),
    (b"\xce\xff\xff\xff\xff", "4294967295"),
    (b"\xcf" + b"\xff" * 8, "18446744073709551615"),
    (b"\xd0\x80", "-128"),
    (b"\xd1\x80\x00", "-32768"),
    (b"\xd2\x80\x00\x00\x00", "-2147483648"),
    (b"\xd3\x80" + b"\x00" * 7, "-9223372036854775808"),
    (b"\xca" + struct.pack(">f", 1.5), "1.5"),
    (b"\xcb" + struct.pack(">d", 1.0), "1.0"),
    (b"\xcb" + struct.pack(">d", 0.1), "0.1"),
    (b"\xcb" + struct.pack(">d", -0.0), "-0.0"),
    (b"\xcb" + struct.pack(">d", float("inf")), "Infinity"),
    (b"\xcb" + struct.pack(">d", float("nan")), "NaN"),
    (b"\xa0", '""'),
    (b"\xa3\xc3\xa9\x22", '"é\\""'),
    (b"\xa1\xff", "h'ff'"),
    (b"\xd9\x01a", '"a"'),
    (b"\xda\x00\x01a", '"a"'),
    (b"\xdb\x00\x00\x00\x01a", '"a"'),
    (b"\xc4\x02\x00\xff", "h'00ff'"),
    (b"\xc5\x00\x01\x00", "h'00'"),
    (b"\xc6\x00\x00\x00\x00", "h''"),
    (b"\xd4\x05\xab", "ext5(h'ab')"),
    (b"\xd8\xfb" + b"\x01" * 16, f"ext-5(h'{'01' * 16}')"),
    (b"\xc7\x03\x7f\x01\x02\x03", "ext127(h'010203')"),
    (b"\xd6\xff" + struct.pack(">I", 1_700_000_000), "timestamp(1700000000)"),
    (b"\xd7\xff" + struct.pack(">Q", (500_000_000 << 34) | 17_000_000_000), "timestamp(17000000000.5)"),
    (b"\xc7\x0c\xff" + struct.pack(">Iq", 1, -5), "timestamp(-5.000000001)"),
    (b"\x90", "[]"),
    (b"\x80", "{}"),
    (b"\xdc\x00\x01\xc0", "[null]"),
    (b"\xdd\x00\x00\x00\x01\xc0", "[null]"),
    (b"\xde\x00\x01\x01\xc0", "{1: null}"),
    (b"\xdf\x00\x00\x00\x01\x91\x01\x90", "{[1]: []}"),
]


def test_every_kind_of_messagepack_is_read_exactly(page: Page) -> None:
    assert decode(page, [b"\x91" + packed for packed, _ in VALUES]) == [f"[{text}]" for _, text in VALUES]
    everything = b"\xdc" + struct.pack(">H", len(VALUES)) + b"".join(packed for packed, _ in VALUES)
    whole = f"[{', '.join(text for _, text in VALUES)}]"
    assert decode(page, [everything]) == [whole]
    parts = call(page, "lib/json_scanner", LEAVES, [whole])[0]
    assert "18446744073709551615" in parts
    assert "timestamp(17000000000.5)" in parts
    assert f"ext-5(h'{'01' * 16}')" in parts
    assert not any("is not" in part for part in parts)


def test_only_one_whole_object_or_array_is_taken_for_messagepack(page: Page) -> None:
    everything = b"\xdc" + struct.pack(">H", len(VALUES)) + b"".join(packed for packed, _ in VALUES)
    cut = [everything[:end] for end in range(len(everything))]
    assert set(decode(page, cut)) == {None}
    others = [everything + b"\x00", b"\xff", b"\xcc\xff", b"\x91\xc1", b"\xa1\xff", b"\xc4\x01\xff"]
    hostile = [
        b"\xdd\xff\xff\xff\xff" + b"\xc0" * 100,
        b"\x91\xc6\xff\xff\xff\xff",
        b"\x91" * 100_000 + b"\xc0",
        b"\x81" * 100_000 + b"\xc0",
    ]
    assert set(decode(page, others + hostile)) == {None}
    assert decode(page, [b"\x91" * 400 + b"\xc0"]) == ["[" * 400 + "null" + "]" * 400]


def test_noise_is_refused_or_read_and_never_fails(page: Page) -> None:
    random_ = random.Random(7)
    noise = [
        bytes([random_.choice((0x81, 0x92, 0xDC)), *random_.randbytes(random_.randrange(40))])
        for _ in range(3000)
    ]
    found = decode(page, noise)
    assert None in found
    assert any(text is not None for text in found)


# Commands

MESSAGES = [
    "", "plain", "two words", "Olá 🎺 שלום", "it's \"quoted\" `id` $(id) $HOME \\ \\n !! %s %%",
    "line\nother\n\n", "\n", "-x", "--data @/etc/passwd", "@/etc/passwd", "a=b&c=d+e%20", "tab\tand\r\n",
    "nul\0in it", "\x1b[201~; echo pasted\n", "\x7f\x9f\x80", "\u2028\u202e", "'", "''", "'\\''",
    "x" * 150_000,
    '{"id": 12345678901234567890}', "é" * 60_000 + "\0",
]  # fmt: skip
CHANNELS = ["news", "with spaces", "it's $HOME", "-n", "--raw", "é🎺", "a=b&c"]


@pytest.fixture
def next_published(valkey: RedisServer) -> Iterator[Any]:
    """A function that returns channel and data of the next message on any channel."""
    with valkey.client.pubsub(ignore_subscribe_messages=True) as pubsub:
        pubsub.psubscribe("*")
        assert pubsub.get_message(timeout=PATIENCE) is None  # the confirmation

        def next_pair() -> tuple[bytes, bytes]:
            message = pubsub.get_message(timeout=PATIENCE)
            assert message is not None
            return message["channel"], message["data"]

        yield next_pair


def shells() -> list[str]:
    return ["bash", "sh"]


def run(shell: str, command: str) -> None:
    subprocess.run([shell], input=command.encode(), check=True, timeout=20, capture_output=True)


@pytest.mark.parametrize("shell", shells())
def test_the_copied_redis_cli_command_publishes_the_same_bytes(
    page: Page, valkey: RedisServer, next_published: Any, shell: str
) -> None:
    binaries = [b"\xff\x00\n", bytes(range(256)) * 3]
    events = [{"channel": "news", "data": message} for message in MESSAGES]
    events += [{"channel": channel, "data": "x"} for channel in CHANNELS]
    events += [{"channel": "b", "data": in_base64(data), "encoding": "base64"} for data in binaries]
    make = "({ redisCommand }, [cli, events]) => events.map((event) => redisCommand(cli, event))"
    commands = call(page, "message/shell_commands", make, [["redis-cli", "-p", str(valkey.port)], events])
    wanted = [message.encode() for message in MESSAGES] + [b"x"] * len(CHANNELS) + binaries
    for command, event, data in zip(commands, events, wanted, strict=True):
        assert not any(ord(character) < 32 and character != "\n" for character in command)
        run(shell, command)
        assert next_published() == (event["channel"].encode(), data), command[:200]


def in_base64(data: bytes) -> str:

    return base64.b64encode(data).decode()


@pytest.mark.parametrize("shell", shells())
def test_the_copied_curl_command_publishes_the_same_text(
    page: Page, plain_arauto: ArautoServer, next_published: Any, shell: str
) -> None:
    events = [{"channel": "news", "data": message} for message in MESSAGES]
    events += [{"channel": channel, "data": "x"} for channel in CHANNELS]
    make = "({ curlCommand }, [url, events]) => events.map((event) => curlCommand(url, event))"
    commands = call(page, "message/shell_commands", make, [f"{plain_arauto.url}/publish", events])
    for command, event in zip(commands, events, strict=True):
        run(shell, command)
        assert next_published() == (event["channel"].encode(), event["data"].encode()), command[:200]
