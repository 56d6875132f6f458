"""The form publishes to a topic of a real Kafka, or to a channel and a topic at once."""

import json
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import OpenPage
from tests.support.kafka_servers import PATIENT, KafkaServer, arauto_beside
from tests.support.pages import (
    answer,
    channel_field,
    expect_live,
    message_field,
    overflowing,
    publish_button,
    show_part,
)
from tests.support.pictures import take
from tests.support.redis_servers import RedisServer


def test_to_a_channel_and_a_topic(
    open_page: OpenPage, kafka: KafkaServer, valkey: RedisServer, tmp_path: Path
) -> None:
    kafka.create("form.orders", 2)
    with arauto_beside(
        kafka, tmp_path, REDIS_URL=valkey.url, ALTER=PATIENT, ARAUTO_PROTECTED="kafka:form.*"
    ) as server:
        page = open_page("/?channel=form", server=server, allow=("Failed to load resource",))
        expect_live(page)
        send_to(page, "both")
        expect(page.get_by_label("Repeat")).to_be_hidden()
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
        posted: list[str] = []
        page.on("request", lambda request: posted.append(request.post_data or ""))
        answer(page).get_by_role("button", name="Send again").click()
        page.get_by_role("button", name="Publish it").click()
        expect(topic).to_contain_text("Kafka: partition 0, offset 0, kept until ")
        expect(redis).to_be_visible()
        expect(message_field(page)).to_have_value("")
        assert posted
        assert not [one for one in posted if "channel=" in one]
        assert not overflowing(page)
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
        reply = page.request.get(f"{server.url}/topics/form.orders/messages")
        kept = json.loads(reply.text().splitlines()[0])
        assert (kept["key"], kept["data"]) == ("ana", "to one")
        assert kept["headers"] == [{"name": "trace", "value": "a1"}, {"name": "empty", "value": None}]

        phone = open_page("/?channel=form", server=server, width=390, height=844, dark=True, language="pt-BR")
        show_part(phone, "publish")
        phone.locator("#publish-to").select_option("both")
        expect(phone.locator("#publish-topic")).to_be_visible()
        assert not overflowing(phone)
        take(phone, "publish-both-phone", tmp_path)
        for one in (page, phone):
            one.close()


def send_to(page: Page, where: str) -> None:
    page.get_by_label("To", exact=True).select_option(where)


def topic_field(page: Page) -> Locator:
    return page.get_by_label("Topic", exact=True)
