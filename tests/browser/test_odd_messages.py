"""No published message keeps the page from reading and showing the others."""

import gzip
import json
import random
import re
from collections.abc import Iterator
from contextlib import closing
from time import time
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from arauto.assets.bundler import join
from arauto.assets.minifier import ENTRIES, modules
from tests.browser.conftest import OpenPage
from tests.browser.test_exporting import export
from tests.browser.test_notifications import calls, leave, settings, watched
from tests.support.http import get
from tests.support.logs import entries, head, is_recording, write_log
from tests.support.pages import expect_live, notices, rows, view
from tests.support.redis_servers import RedisServer, binaries
from tests.support.servers import ArautoServer
from tests.support.waiting import eventually

KEYS = (
    "level", "severity", "priority", "title", "message", "text", "msg", "tags", "link", "url", "click",
    "alerts", "status", "receiver", "externalURL", "labels", "annotations", "panelURL", "repository",
    "full_name", "head_commit", "review", "comment", "sender", "action", "ref", "compare", "pull_request",
    "__proto__", "constructor", "prototype", "hasOwnProperty", "toString", "valueOf", "toJSON", "length",
    "then", "", "a.b", "\ud800",
)  # fmt: skip
LEAVES: tuple[Any, ...] = (
    None, True, False, 0, -0.0, 1e308, -1, 2**70, 10, "", " ", "\ud800", "\udc00\ud800", "__proto__", "info",
    "critical", "0x10", "http://", "https://[", "javascript:1", "firing", "a" * 300, [], {}, [[]], [None],
    {"toString": 1}, {"valueOf": {}, "toString": {}}, {"length": -1}, {"length": 1e9, "0": "x"},
    {"toJSON": 1}, {"__proto__": None},
)  # fmt: skip
DEEP = 100_000
HOSTILE: list[str | bytes] = [
    '{"level":{"toString":1}}',
    '{"severity":{"toString":1,"valueOf":1},"priority":{"valueOf":{}}}',
    '{"level":[10],"priority":[[["5"]]]}',
    '{"priority":true,"message":{"toString":1},"title":[1]}',
    '{"title":{"toString":1},"message":["x"],"tags":{"length":3},"link":{"href":1}}',
    '{"tags":[{"toString":1},null,[]],"title":"t","message":"m"}',
    '{"status":"firing","alerts":{"length":1}}',
    '{"status":"firing","alerts":["x",1,null]}',
    '{"status":"firing","alerts":[[],{"labels":"x","annotations":1},{"labels":{"severity":{"toString":1}}}]}',
    '{"status":{"toString":1},"alerts":[{}],"receiver":[],"externalURL":{}}',
    '{"repository":"o/r","pull_request":1}',
    '{"repository":{"full_name":"o/r"},"head_commit":false,"comment":[],"review":0,"sender":"x"}',
    '{"repository":{"full_name":{"toString":1}},"level":{"toString":1}}',
    '{"__proto__":{"level":"critical"},"constructor":1,"hasOwnProperty":1,"toString":1,"level":"info"}',
    '{"level":"__proto__","priority":"constructor","severity":"toString"}',
    '{"toJSON":1,"then":1,"level":1e400,"priority":-1e400}',
    '{"level":"info","title":"\\ud800","message":"\\udc00\\ud800","link":"https://\\ud800"}',
    '{"level":"info","a":' + "[" * 30_000 + "]" * 30_000 + "}",
    "[" * DEEP,
    "[" * DEEP + "]" * DEEP,
    '{"a":' * DEEP + "1" + "}" * DEEP,
    "[" + "{" * 20_000,
    '"' + "\\" * 9_999,
    "null", "true", "-0", "1e999", '""', "[]", "{}", "[null]", "\0", "\ufeff", "\u2028\u202e",
    b"\x91" * DEEP + b"\xc0",
    b"\xdd\xff\xff\xff\xff" + b"\xc0" * 100,
    b"\x81" * 400 + b"\xc0",
    b"\xd7\xff" + b"\xff" * 8,
    b"\x91\xd7\xff" + b"\xff" * 8,
    b"\x91\xcb\x7f\xf0" + b"\0" * 6,
    gzip.compress(b"[" * 2_000_000),
    gzip.compress(b"\x91" * DEEP + b"\xc0"),
    gzip.compress(b'{"level":{"toString":1}}'),
    gzip.compress(gzip.compress(b"x")),
    b"\x1f\x8b\x08" + b"\xff" * 50,
]  # fmt: skip
FILTERS = (
    "level:1", "level>1", "level>=0 -title:x", "severity>=debug", "-severity:critical",
    "alerts.labels.severity:x",
    "__proto__.level:critical", "toString:1", "length>0", "x", "/x/", "constructor:*",
)  # fmt: skip
MARK = "shown as received: it could not be read"
WARNING = ("This could not be read",)


def publish_together(redis: RedisServer, channel: str, messages: list[Any]) -> None:
    """Publish in one transaction, so that the messages come in one frame."""
    with redis.client.pipeline(transaction=True) as pipeline:
        for message in messages:
            pipeline.publish(channel, message)
        pipeline.execute()


def expect_all(page: Page, many: int) -> None:
    """Expect all rows, and the last message to be read, which came after all the odd ones."""
    expect(rows(page)).to_have_count(many)
    expect(rows(page).last).to_contain_text("the end")
    expect(page.locator("[data-odd]")).to_have_count(0)


def test_no_hostile_value_stops_the_page(open_page: OpenPage, valkey: RedisServer) -> None:
    page = watched(open_page, "hostile")
    dialog = settings(page)
    dialog.get_by_label("on the desktop").check()
    dialog.get_by_role("combobox").last.select_option("info")
    page.keyboard.press("Escape")
    leave(page)
    publish_together(valkey, "hostile", [*HOSTILE, '{"level":"critical","msg":"the end"}'])
    many = len(HOSTILE) + 1
    expect_all(page, many)
    eventually(lambda: calls(page) != [], why="a serious message causes a call")
    for name in ("line", "tree", "raw", "wrapped"):
        page.locator("#view").select_option(name)
        expect_all(page, many)
    for text in FILTERS:
        page.locator(".filter__text").fill(text)
        expect(page.locator("#filter-count")).to_have_text(re.compile(f"^\\d+ of {many}$"))
    page.locator(".filter__text").fill("")
    expect_all(page, many)
    for name in ("NDJSON", "JSON", "CSV", "Plain text"):
        assert "the end" in export(page, name).read_text("utf-8-sig")


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RedisServer, ArautoServer]]:
    folder = tmp_path_factory.mktemp("recorded")
    with (
        closing(RedisServer(binaries()["valkey"], tmp_path_factory.mktemp("odd"))) as redis,
        closing(
            ArautoServer(folder / "log", REDIS_URL=redis.url, ARAUTO_RECORD="odd.*", ARAUTO_WORKERS="1")
        ) as server,
    ):
        eventually(lambda: is_recording(redis), why="there is a recorder")
        yield redis, server
        assert "Traceback" not in server.log


def test_a_reload_shows_the_hostile_past(
    open_page: OpenPage, recorded: tuple[RedisServer, ArautoServer]
) -> None:
    redis, server = recorded
    page = open_page(view("odd.a") + "&since=first", server=server)
    expect_live(page)
    eventually(lambda: head(redis, "odd.a"), why="the log of the page's channel has begun")
    publish_together(redis, "odd.a", [*HOSTILE, "the end"])
    expect_all(page, len(HOSTILE) + 1)
    eventually(lambda: len(entries(redis, "odd.a")) == len(HOSTILE) + 1, why="all is recorded")
    page.reload()
    expect_live(page)
    expect_all(page, len(HOSTILE) + 1)


def test_what_others_write_to_a_log_stops_neither_page_nor_server(
    open_page: OpenPage, recorded: tuple[RedisServer, ArautoServer]
) -> None:
    redis, server = recorded
    now = round(time() * 1000)
    written: list[dict[str, str]] = [
        {"m": "one"},
        {"gap": "9" * 20},
        {"gap": "x"},
        {"m": "a", "b": "c"},
        {"z": "two"},
        {"m": "the end"},
    ]
    write_log(redis, "odd.late", *((now, fields) for fields in written))
    assert get(server, "/channels/odd.late/messages").status == 200
    page = open_page(view("odd.late") + "&since=first", server=server)
    expect_live(page)
    expect(rows(page)).to_have_text([re.compile("one"), re.compile("the end")])
    expect(notices(page)).not_to_have_count(0)
    expect(page.locator("[data-odd]")).to_have_count(0)


# Unexpected errors

BOOM = "function boom(stage, text) { if (text.includes(`boom-${stage}`)) throw new Error(stage); }\n"
LONG = "\n" * 20
STAGES = {  # where a message fails: the text in a script after which to throw, and the condition
    "row": ("const { row, time, channel, body } = this.#newRow(event);", 'boom("row", event.data);'),
    "body": ("const view = this.viewOf(event);", 'boom("body", event.data);'),
    "later": ("function readText(whole) {", 'boom("later", whole);'),
    "paint": ("function paint(place) {", 'boom("paint", place.textContent);'),
    "tools": ("function equip(row) {", 'boom("tools", row.textContent);'),
    "tree": ("build(text, run, equip) {", 'boom("tree", text);'),
    "branch": ("#branch(text, value, place) {", 'if (place.depth > 1) boom("branch", text);'),
    "unfold": ("byteLength(text), () => {", 'boom("unfold", text);'),
    "filter": ("attempt(event, () => ", 'boom("filter", event.data) ?? '),
    "find": ("async #find(place) {", 'boom("find", place.textContent);'),
    "notice": ("function isWorthy(event) {", 'boom("notice", event.data);'),
    "export": ("attempt(event, () => ", 'boom("export", event.data) ?? '),
    "view": ("const { text, bytes, isJson, alert } = content;", 'if (view === "line") boom("view", text);'),
}
HOMES = {"filter": "feed/filter_bar", "export": "feed/export_file"}  # the script, if several have that text
MESSAGES: dict[str, str | bytes] = {
    "later": json.dumps(["boom-later", "x\n" * 40_000]),
    "paint": '["boom-paint"]',
    "tree": '["boom-tree"]',
    "branch": '[[["boom-branch"]]]',
    "unfold": f"boom-unfold{LONG}",
}


def fail(page: Page, stage: str) -> None:
    """Make a script of the page throw at one stage, for messages that request it."""
    words, fault = STAGES[stage]
    scripts = modules()
    homes = [name for name, text in scripts.items() if words in text and HOMES.get(stage, name) == name]
    assert len(homes) == 1
    assert scripts[homes[0]].count(words) == 1
    scripts[homes[0]] = scripts[homes[0]].replace(words, words + fault)
    joined = join(scripts, ENTRIES)

    def answer(route: Route) -> None:
        name = route.request.url.rpartition("/")[2].removesuffix(".js")
        route.fulfill(body=BOOM + joined[name], content_type="text/javascript")

    page.route("**/page/*.js", answer)
    page.reload()


def provoke(page: Page, stage: str) -> None:
    """Do what makes the page reach that stage."""
    if stage in ("tree", "branch"):
        page.locator("#view").select_option("tree")
    if stage == "branch":
        page.locator(".tree__toggle[aria-expanded=false]").click()
    if stage == "unfold":
        page.get_by_role("button", name="Show all").click()
    if stage in ("filter", "find"):
        page.locator(".filter__text").fill("o")
    if stage == "view":
        page.locator("#view").select_option("line")
    if stage == "export":
        for name in ("NDJSON", "JSON", "CSV", "Plain text"):
            written = export(page, name).read_text("utf-8-sig")
            assert "boom-export" in written
            assert "the end" in written


@pytest.mark.parametrize("stage", STAGES)
def test_a_message_at_which_a_step_fails_is_shown_as_it_came(
    open_page: OpenPage, valkey: RedisServer, stage: str
) -> None:
    page = open_page(view(f"stage {stage}"), allow=WARNING, color_scheme="light")
    if stage == "notice":
        page.evaluate("localStorage.setItem('arauto', JSON.stringify({ sound: true }))")
    fail(page, stage)
    expect_live(page)
    message = MESSAGES.get(stage, f"boom-{stage}")
    publish_together(valkey, f"stage {stage}", ["one", message, "two", "so, the end"])
    expect(rows(page)).to_have_count(4)
    provoke(page, stage)
    expect(page.locator(".row[data-odd]")).to_have_count(1)
    odd = rows(page).nth(1)
    if stage == "row":
        odd.hover()  # then its tools appear, without a time
    expect(odd.locator(".mark")).to_have_text(MARK)
    expect(odd.locator(".row__data")).to_contain_text(f"boom-{stage}")
    expect(page.locator("#filter-count")).to_contain_text("1 message could not be read")
    publish_together(valkey, f"stage {stage}", ["more, also", "to the end"])
    expect(rows(page)).to_have_count(6)
    expect(page.locator(".row[data-odd]")).to_have_count(1)


def test_one_broken_gzip_does_not_keep_the_next_from_being_read(
    open_page: OpenPage, valkey: RedisServer
) -> None:
    page = open_page(view("boom.gzip"), allow=WARNING)
    fail(page, "later")
    expect_live(page)
    publish_together(valkey, "boom.gzip", [gzip.compress(b'["boom-later"]'), gzip.compress(b'["read"]')])
    expect(rows(page).last).to_contain_text('["read"]')
    expect(rows(page).first.locator(".mark")).to_have_text(MARK)


# The modules


def value(random_: random.Random, depth: int = 0) -> Any:
    shape = random_.random() if depth < 5 else 1
    if shape < 0.5:
        return {random_.choice(KEYS): value(random_, depth + 1) for _ in range(random_.randrange(5))}
    if shape < 0.65:
        return [value(random_, depth + 1) for _ in range(random_.randrange(4))]
    return random_.choice(LEAVES)


READ = """async ([texts, filters]) => {
  const at = (name) => import(`/static/js/${name}.js`);
  const [
    { Rows }, { JsonTrees }, { Words }, { readFilter }, { severityOf }, { keysOf }, { indent }, { onOdd },
  ] =
    await Promise.all([
      "message/row", "message/json_tree", "ui/i18n", "feed/filter_query", "message/severity",
      "stream/channel_names", "lib/json_indent", "stream/unreadable",
    ].map(at));
  const words = new Words(JSON.parse(document.getElementById("config").textContent).words, "en");
  const find = (id) => document.getElementById(id);
  const rows = new Rows(find("message-row"), find("notice-row"), words);
  const trees = new JsonTrees(words);
  const tests = filters.map((text) => readFilter(text).test);
  const failed = [];
  let now = "";
  onOdd(() => failed.push(["odd", now]));
  for (now of texts) {
    const event = { type: "message", channel: "c", data: now, patterns: [], at: 1 };
    try {
      severityOf(now);
      tests.forEach((test) => test(event));
      indent(now);
      trees.build(now, (work) => work());
      const row = rows.build(event);
      for (const view of ["line", "tree", "raw", "wrapped"]) rows.setViewOf(row, view);
    } catch (error) {
      failed.push([String(error), now]);
    }
  }
  return failed;
}"""


def test_no_json_whatsoever_makes_a_module_fail(open_page: OpenPage) -> None:
    page = open_page(view("unused"), allow=WARNING)
    random_ = random.Random(12)
    texts = [
        json.dumps({random_.choice(KEYS): value(random_), **value_of_keys(random_)}) for _ in range(2_000)
    ]
    assert page.evaluate(READ, [texts, list(FILTERS)]) == []


def value_of_keys(random_: random.Random) -> dict[str, Any]:
    return {random_.choice(KEYS[:18]): value(random_, 3) for _ in range(3)}


def test_indentation_does_not_grow_with_the_depth(open_page: OpenPage) -> None:
    page = open_page(view("deep desk"))
    page.locator("#publish-message").fill("[" * 20_000 + "]" * 20_000)
    expect(page.locator("#publish-check")).to_have_text("valid JSON")


def test_what_is_nested_in_vain_hides_no_match(open_page: OpenPage, valkey: RedisServer) -> None:
    page = open_page(view("vain") + "&filter=a:42")
    expect_live(page)
    valkey.client.publish("vain", '[{"a":{"toString":1}},' + "[" * 20_000 + "]" * 20_000 + ',{"a":42}]')
    expect(rows(page)).to_have_count(1)
