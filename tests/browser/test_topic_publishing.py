"""The form publishes to a topic of a real Kafka, or to a channel and a topic at once."""

import json
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urljoin

import pytest
from flask import Flask
from playwright.sync_api import Locator, Page, Response, expect

from arauto.i18n.client_strings import topic_strings
from arauto.settings import read
from arauto.web.locale import init_language
from tests.browser.conftest import OpenPage
from tests.browser.test_publish_form import recent
from tests.browser.test_reading import choose, clipboard
from tests.browser.test_reading_modules import call
from tests.support.kafka_servers import PATIENT, KafkaServer, arauto_beside
from tests.support.pages import (
    answer,
    channel_field,
    cut_off,
    expect_confirmed,
    expect_live,
    expect_noted,
    message_field,
    overflowing,
    publish_button,
    row,
    show_part,
    subscribe,
)
from tests.support.pictures import take
from tests.support.redis_servers import RedisServer
from tests.support.rules import PERSON, rules, set_user
from tests.support.waiting import PATIENCE

FAILURES = ("Failed to load resource", "WebSocket connection to")
NOBODY = SimpleNamespace(url="kafka://127.0.0.1:1")
READ_TOKEN = "a token for those who read"
RECORD = ("key", "headers", "partition", "data")
TYPED = {"Key": "ana", "Headers": "trace: a1", "Partition": "1"}


class Posted:
    """The form's requests and their responses."""

    def __init__(self, page: Page) -> None:
        self._answers: list[Response] = []
        page.on("response", lambda one: self._answers.append(one))

    def take(self) -> list[tuple[int, str]]:
        """Status and destination of each request since the last call."""
        taken = [one for one in self._answers if one.request.method == "POST"]
        self._answers.clear()
        return [
            (one.status, "topic" if "topic=" in str(one.request.post_data) else "channel") for one in taken
        ]


def test_to_a_channel_and_a_topic(
    open_page: OpenPage, kafka: KafkaServer, own_redis: RedisServer, tmp_path: Path
) -> None:
    kafka.create("form.orders", 2)
    kafka.create("plain.orders", 2)
    with arauto_beside(
        kafka, tmp_path, REDIS_URL=own_redis.url, ALTER=PATIENT, ARAUTO_PROTECTED="kafka:form.*"
    ) as server:
        page = open_page(
            "/?channel=form", server=server, allow=FAILURES, permissions=["clipboard-read", "clipboard-write"]
        )
        expect_live(page)
        send_to(page, "both")
        channel_field(page).fill("form")
        message_field(page).fill("to both")
        publish_button(page).click()
        expect(answer(page)).to_have_text("Type the topic to publish to.")

        topic_field(page).fill("form.gone")
        publish_button(page).click()
        page.get_by_role("button", name="Publish it").click()
        redis, topic = answer(page).locator("[data-side=redis]"), answer(page).locator("[data-side=kafka]")
        expect(redis).to_have_text("Redis: 1 subscriber received it. Nobody keeps it.")
        expect(topic).to_contain_text("form.gone")
        expect(message_field(page)).to_have_value("to both")

        kafka.create("form.gone")
        posted = Posted(page)
        send_again(page).click()
        page.get_by_role("button", name="Publish it").click()
        expect(topic).to_contain_text("Kafka: partition 0, offset 0, kept until ")
        expect(redis).to_be_visible()
        expect(message_field(page)).to_have_value("")
        assert posted.take() == [(409, "topic"), (200, "topic")]
        assert overflowing(page) + cut_off(page) == []
        take(page, "publish-both", tmp_path)

        own_redis.stop()
        message_field(page).fill("while Redis is away")
        publish_button(page).click()
        page.get_by_role("button", name="Publish it").click()
        expect(topic).to_contain_text("Kafka: partition 0, offset 1, kept until ")
        sentence = "Redis is unreachable: the message was not published. Try again when it is back."
        expect(redis).to_have_text(f"Channel form: {sentence} Send again")
        expect(message_field(page)).to_have_value("while Redis is away")
        own_redis.start()
        expect_live(page)
        posted.take()
        send_again(page).click()
        expect(redis).to_have_text("Redis: 1 subscriber received it. Nobody keeps it.")
        expect(message_field(page)).to_have_value("")
        expect(send_again(page)).to_have_count(0)
        assert posted.take() == [(200, "channel")]
        take(page, "publish-both", tmp_path)

        send_to(page, "topic")
        expect(channel_field(page)).to_be_hidden()
        expect(answer(page)).to_have_text("")
        topic_field(page).fill("form.orders")
        page.get_by_text("Key, headers, partition").click()
        page.get_by_label("Key", exact=True).fill("ana")
        page.get_by_label("Headers", exact=True).fill(":a1")
        page.get_by_label("Partition", exact=True).fill("1")
        message_field(page).fill("to one")
        publish_button(page).click()
        expect(answer(page)).to_contain_text("Write each header on a line of its own")
        page.get_by_label("Headers", exact=True).fill("trace: a1\nempty")
        publish_button(page).click()
        page.get_by_role("button", name="Publish it").click()
        expect(answer(page)).to_contain_text("Kafka: partition 1, offset 0")
        kept = messages(page, "form.orders")[0]
        assert (kept["key"], kept["data"]) == ("ana", "to one")
        assert kept["headers"] == [{"name": "trace", "value": "a1"}, {"name": "empty", "value": None}]

        is_kept_and_repeated(page, kafka)

        phone = open_page("/?channel=form", server=server, width=390, height=844, dark=True, language="pt-BR")
        show_part(phone, "publish")
        phone.locator("#publish-to").select_option("both")
        expect(phone.locator("#publish-topic")).to_be_visible()
        assert overflowing(phone) + cut_off(phone) == []
        take(phone, "publish-both-phone", tmp_path)
        for one in (page, phone):
            one.close()


UNTIL = {"kept_until": 1795804447.0}
KEPT: list[dict[str, Any]] = [
    {"cleanup": "delete", **UNTIL},
    {"cleanup": "delete", **UNTIL, "kept_bytes": 1_000_000},
    {"cleanup": "delete", "kept_until": None},
    {"cleanup": "delete", "kept_until": None, "kept_bytes": 1_000_000},
    {"cleanup": "compact", "kept_until": None},
    {"cleanup": "compact,delete", **UNTIL},
    {},
    {"cleanup": "compact", "kept_until": None, "tombstone": "1"},
    {"cleanup": "delete", **UNTIL, "tombstone": "1"},
]
HOW_LONG = {
    "en": (
        "Kafka: partition 3, offset 4711",
        ", kept until {time}.",
        ", kept until {time}. When the partition has more than 1 MB, its oldest messages go.",
        ", kept without limit of time.",
        ", kept without limit of time. When the partition has more than 1 MB, its oldest messages go.",
        ", kept until a newer message has its key.",
        ", kept until {time}. A newer message with its key replaces it.",
        ". Kafka does not tell how long it is kept.",
        ". Compaction deletes what has its key, and later the tombstone.",
        ", kept until {time}.",
    ),
    "es": (
        "Kafka: partición 3, offset 4711",
        ", guardado hasta {time}.",
        ", guardado hasta {time}. Cuando la partición pasa de 1 MB, salen los mensajes más antiguos.",
        ", guardado sin límite de tiempo.",
        ", guardado sin límite de tiempo. Cuando la partición pasa de 1 MB, salen los mensajes más antiguos.",
        ", guardado hasta que un mensaje más nuevo tenga su clave.",
        ", guardado hasta {time}. Un mensaje más nuevo con su clave lo sustituye.",
        ". Kafka no dice cuánto tiempo se guarda.",
        ". La compactación borra lo que tiene su clave, y después el tombstone.",
        ", guardado hasta {time}.",
    ),
    "pt-BR": (
        "Kafka: partição 3, offset 4711",
        ", guardada até {time}.",
        ", guardada até {time}. Quando a partição passa de 1 MB, as mensagens mais antigas saem.",
        ", guardada sem limite de tempo.",
        ", guardada sem limite de tempo. Quando a partição passa de 1 MB, as mensagens mais antigas saem.",
        ", guardada até que uma mensagem mais nova tenha a sua chave.",
        ", guardada até {time}. Uma mensagem mais nova com a sua chave a substitui.",
        ". O Kafka não diz por quanto tempo fica guardada.",
        ". A compactação apaga o que tem a sua chave, e depois o tombstone.",
        ", guardada até {time}.",
    ),
}


@pytest.mark.parametrize("language", HOW_LONG)
def test_how_long_kafka_keeps_it_is_said(module_page: Page, language: str) -> None:
    app = Flask("arauto")
    app.config["SETTINGS"] = read({})
    init_language(app)
    with app.test_request_context(headers={"Accept-Language": language}):
        words = topic_strings()
    script = """async ({ kafkaSays }, [words, language, kept]) => {
      const { Words } = await import("/static/js/ui/i18n.js");
      const { fullTime } = await import("/static/js/ui/timestamps.js");
      const say = (one) => kafkaSays({ partition: 3, offset: 4711, ...one }, new Words(words, language))[1];
      return [fullTime(new Date(1000 * kept[0].kept_until)), ...kept.map(say)];
    }"""
    time, *sentences = call(module_page, "kafka/topic_answer", script, [words, language, KEPT])
    begins, *expected = HOW_LONG[language]
    assert sentences == [begins + sentence.format(time=time) for sentence in expected]


def test_what_is_refused_or_away_is_said_beside_what_was_published(
    open_page: OpenPage, own_redis: RedisServer, tmp_path: Path
) -> None:
    person = rules(PERSON, channels=("form",))
    set_user(own_redis, "eva", "a password of eva", *person)
    with arauto_beside(
        NOBODY,
        tmp_path,
        REDIS_URL=own_redis.url,
        ALTER="",
        ARAUTO_LOGIN="redis",
        ARAUTO_READ_TOKEN=READ_TOKEN,
    ) as server:
        page = open_page("/?channel=form", server=server, allow=FAILURES)
        page.get_by_label("User").fill("eva")
        page.get_by_label("Password").fill("a password of eva")
        page.keyboard.press("Enter")
        expect_live(page)
        send_to(page, "both")
        channel_field(page).fill("form")
        topic_field(page).fill("form.orders")
        page.get_by_text("Key, headers, partition").click()
        for label, text in TYPED.items():
            page.get_by_label(label, exact=True).fill(text)
        message_field(page).fill("of eva")
        posted = Posted(page)
        publish_button(page).click()
        redis, topic = answer(page).locator("[data-side=redis]"), answer(page).locator("[data-side=kafka]")
        expect(redis).to_have_text("Redis: 1 subscriber received it. Nobody keeps it.")
        refusal = "Redis does not let the user eva publish to kafka:form.orders. Nothing was published."
        expect(topic).to_have_text(f"{refusal} Send again")
        assert posted.take() == [(200, "channel"), (403, "topic")]

        set_user(own_redis, "eva", "a password of eva", *person, "&kafka:*")
        send_again(page).click()
        away = "Kafka does not answer. Nothing was published."
        expect(topic).to_have_text(f"Topic form.orders: {away} Send again")
        expect(send_again(page)).to_be_in_viewport()
        expect(redis).to_have_attribute("data-state", "received")
        assert posted.take() == [(503, "topic")]
        send_to(page, "topic")
        publish_button(page).click()
        expect(answer(page)).to_have_text(f"{away} Send again")
        for label, text in TYPED.items():
            expect(page.get_by_label(label, exact=True)).to_have_value(text)
        expect(message_field(page)).to_have_value("of eva")

        page.locator("#publish").evaluate("(form) => form.publisher.rest('The session is over.')")
        send_to(page, "both")
        expect(answer(page)).to_have_text("The session is over.")

        page.context.clear_cookies()
        page.goto(server.url)
        page.get_by_label("Access token").fill(READ_TOKEN)
        page.keyboard.press("Enter")
        expect_live(page)
        expect(page.get_by_text("You may watch, but not publish.")).to_be_visible()
        expect(page.locator("#publish-to")).to_be_hidden()
        loaded = page.evaluate("performance.getEntriesByType('resource').map(({ name }) => name)")
        assert "topics.js" in str(loaded)
        assert "topic_publish.js" not in str(loaded)


def is_kept_and_repeated(page: Page, kafka: KafkaServer) -> None:
    """The form's features work for topics as for channels, with a key, headers and a partition."""
    send_to(page, "both")
    topic_field(page).fill("plain.orders")
    message_field(page).fill("number {n}")
    page.get_by_role("spinbutton", name="Repeat", exact=True).fill("3")
    publish_button(page).click()
    redis, topic = answer(page).locator("[data-side=redis]"), answer(page).locator("[data-side=kafka]")
    expect(redis).to_have_text("Redis: 1 subscriber received it. Nobody keeps it. the last of 3 messages")
    expect(topic).to_contain_text("Kafka: partition 1, offset 2, kept until ")
    expect(topic).to_contain_text("the last of 3 messages")
    assert [one["data"] for one in messages(page, "plain.orders")] == ["number 1", "number 2", "number 3"]
    expect(row(page, "number 3").locator(".row__fact")).to_have_text("received by 1")
    expect(row(page, "number 2").locator(".row__fact")).to_have_count(0)

    dialog = recent(page)
    expect(dialog.get_by_role("button", name="form, plain.orders (topic) number 3")).to_have_count(1)
    expect(dialog.get_by_role("button", name="form.orders (topic) to one", exact=True)).to_have_count(1)
    dialog.get_by_role("button", name="form, plain.orders (topic) number 3").click()
    dialog = recent(page)
    dialog.get_by_label("Name of the template").fill("Both")
    dialog.get_by_role("button", name="Save as template").click()
    page.keyboard.press("Escape")
    for label in TYPED:
        page.get_by_label(label, exact=True).fill("0")
    message_field(page).fill("half a thought")
    dialog = recent(page)
    dialog.get_by_role("button", name="Both form, plain.orders (topic) number 3").click()
    expect_form(
        page, "both", "plain.orders", "number 3", Key="ana", Headers="trace: a1\nempty", Partition="1"
    )
    answer(page).get_by_role("button", name="Undo").click()
    expect_form(page, "both", "plain.orders", "half a thought", Key="0", Headers="0", Partition="0")
    message_field(page).fill("")
    dialog = recent(page)
    dialog.get_by_role("button", name="Both form, plain.orders (topic) number 3").click()
    answer(page).get_by_role("button", name="Undo").click()
    expect_form(page, "both", "plain.orders", "", Key="0", Headers="0", Partition="0")
    message_field(page).fill("half a thought")
    page.reload()
    expect_live(page)
    expect_form(page, "both", "plain.orders", "half a thought", Key="0", Headers="0", Partition="0")

    subscribe(page, "plain.orders", "topic")
    expect_confirmed(page, "plain.orders")
    record: Any = {"key": b"bob", "headers": [("trace", b"b2"), ("none", None)]}
    kafka.produce("plain.orders", b"one\r\ntwo", **record)
    kafka.produce("plain.orders", b"odd", key=b"\xff")
    choose(page, row(page, "two"), "Edit and resend")
    expect_form(
        page, "topic", "plain.orders", "one\ntwo", Key="bob", Headers="trace: b2\nnone", Partition="0"
    )
    send_to(page, "channel")
    send_to(page, "topic")
    publish_button(page).click()
    expect(answer(page)).to_contain_text("Kafka: partition 0, offset 2")
    choose(page, row(page, "two").first, "Copy as curl")
    expect_noted(page, "Copied")
    subprocess.run(clipboard(page), shell=True, check=True, capture_output=True, timeout=PATIENCE)
    row(page, "odd").get_by_role("button", name="Actions").click()
    for item in ("Edit and resend", "Copy as curl", "Copy as redis-cli"):
        expect(page.get_by_role("menuitem", name=item)).to_be_hidden()
    page.keyboard.press("Escape")
    first, _, *again = [one for one in messages(page, "plain.orders") if one["partition"] == 0]
    is_a_tombstone(page, kafka)
    for one in again:
        assert {name: one[name] for name in RECORD} == {name: first[name] for name in RECORD}
    assert len(again) == 2


def is_a_tombstone(page: Page, kafka: KafkaServer) -> None:
    """A tombstone is shown as one when it arrives; text typed meanwhile stays."""
    kafka.create("plain.compact", cleanup_policy="compact")
    subscribe(page, "plain.compact", "topic")
    expect_confirmed(page, "plain.compact")
    send_to(page, "topic")
    topic_field(page).fill("plain.compact")
    message_field(page).fill("written")
    for label in TYPED:
        page.get_by_label(label, exact=True).fill("")
    nothing = page.get_by_label("No value (tombstone)")
    nothing.check()
    expect(message_field(page)).to_be_disabled()
    publish_button(page).click()
    keyless = "The topic is compacted and takes no message without a key: give one. Nothing was published."
    expect(answer(page)).to_have_text(f"{keyless} Send again")
    page.get_by_label("Key", exact=True).fill("ana")
    publish_button(page).click()
    deletes = "Compaction deletes what has its key, and later the tombstone."
    expect(answer(page)).to_have_text(f"Kafka: partition 0, offset 0. {deletes}")
    expect(message_field(page)).to_have_value("written")
    expect(row(page, "No data: deletes what has this key")).to_have_count(1)
    assert [(one["key"], one["data"]) for one in messages(page, "plain.compact")] == [("ana", None)]
    nothing.uncheck()
    choose(page, row(page, "No data: deletes what has this key"), "Edit and resend")
    expect(nothing).to_be_checked()
    expect(recent(page).get_by_role("button", name="plain.compact (topic), no value")).to_have_count(1)
    page.keyboard.press("Escape")
    send_to(page, "both")
    expect(message_field(page)).to_be_enabled()
    expect(nothing).to_be_hidden()


def expect_form(page: Page, to: str, topic: str, text: str, **record: str) -> None:
    expect(page.get_by_label("To", exact=True)).to_have_value(to)
    expect(topic_field(page)).to_have_value(topic)
    expect(message_field(page)).to_have_value(text)
    for label, value in record.items():
        expect(page.get_by_label(label, exact=True)).to_have_value(value)


def messages(page: Page, topic: str) -> list[dict[str, Any]]:
    """The stored messages of the topic."""
    reply = page.request.get(urljoin(page.url, f"/topics/{topic}/messages"))
    return [json.loads(line) for line in reply.text().splitlines()]


def send_again(page: Page) -> Locator:
    return answer(page).get_by_role("button", name="Send again")


def send_to(page: Page, where: str) -> None:
    page.get_by_label("To", exact=True).select_option(where)


def topic_field(page: Page) -> Locator:
    return page.get_by_label("Topic", exact=True)
