"""The dialog about a topic: partitions, consumer groups and their lag; and two workers that share one."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.conftest import OpenPage
from tests.browser.test_reading_modules import call
from tests.integration.test_kafka_examples import working
from tests.integration.test_kafka_groups import commit, consuming
from tests.support.kafka_servers import PATIENT, KafkaServer, arauto_beside
from tests.support.pages import chip
from tests.support.redis_servers import RedisServer
from tests.support.servers import ArautoServer
from tests.support.waiting import PATIENCE, eventually

MOMENTS = """({ LagHistory, sumOf, ranges }, lags) => {
  const history = new LagHistory();
  lags.forEach((lag, at) => history.add(100 + at, lag));
  const many = new LagHistory();
  for (let at = 0; at < 1000; at++) many.add(at, at);
  const sums = [[2, null, 0], [null]].map((lags) => sumOf(lags.map((lag) => ({ lag }))));
  const places = [[0, 1, 2, 5, 7, 8], []].map(ranges);
  return [history.path(100, 10), history.since, history.most, many.since, ...sums, ...places];
}"""
TURNS = """async ({ Refresh }) => {
  let [requests, running, most, isHidden] = [0, 0, 0, false];
  Object.defineProperty(document, "hidden", { get: () => isHidden, configurable: true });
  const turn = () => new Promise((done) => setTimeout(done));
  const turns = async (many) => {
    for (let at = 0; at < many; at++) await turn();
  };
  const ask = async (signal) => {
    requests++;
    most = Math.max(most, ++running);
    let isOver = false;
    const end = () => {
      running -= isOver ? 0 : 1;
      isOver = true;
    };
    signal.addEventListener("abort", end);
    await turns(6);
    end();
  };
  const grows = async () => {
    await turns(9); // who is asking ends
    const before = requests;
    await turns(50);
    return requests > before;
  };
  const show = (value) => {
    isHidden = value;
    document.dispatchEvent(new Event("visibilitychange"));
  };
  const refresh = new Refresh(ask, 0);
  const found = [await grows()];
  const stop = () => refresh.stop();
  const start = async () => {
    refresh.start();
    await turns(3);
    refresh.start(); // while the former asks
    show(false);
  };
  const [hide, reveal] = [true, false].map((value) => () => show(value));
  for (const act of [start, hide, reveal, reveal, stop, reveal]) {
    await act();
    found.push(await grows());
  }
  delete document.hidden;
  return [found, most];
}"""


def test_the_line_of_a_lag_and_what_is_not_known(module_page: Page) -> None:
    assert call(module_page, "kafka/lag_history", MOMENTS, [0, 4, None, 2, 1]) == [
        "M0 10h0L25 0M75 5h0L100 7.5", 100, 4, 600,
        {"lag": 2, "unknown": 1}, {"lag": None, "unknown": 1}, "0–2, 5, 7–8", "",
    ]  # fmt: skip


def test_it_asks_again_only_while_somebody_looks(module_page: Page) -> None:
    found, most = call(module_page, "kafka/refresh", TURNS)
    assert found == [False, True, False, True, True, False, False]
    assert most == 1


def about(page: Page, topic: str) -> Locator:
    return page.get_by_role("dialog", name=f"Topic {topic}")


@pytest.fixture(scope="module")
def server(
    kafka: KafkaServer, valkey: RedisServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[ArautoServer]:
    directory = tmp_path_factory.mktemp("about")
    with arauto_beside(kafka, directory, REDIS_URL=valkey.url, ALTER=PATIENT) as arauto:
        yield arauto


def test_partitions_groups_and_lag_of_a_real_topic(
    open_page: OpenPage, kafka: KafkaServer, server: ArautoServer
) -> None:
    kafka.create("about.jobs", partitions=2, retention_ms="86400000")
    kafka.produce("about.jobs", b"one", b"two", b"three", partition=1)
    commit(kafka, "about backup", "about.jobs", p1=2)
    page = open_page("/?topic=about.jobs&topic=wide", server=server, allow=("status of 503",))
    opener = chip(page, "about.jobs").get_by_role("button", name="About topic about.jobs")
    opener.focus()
    page.keyboard.press("Enter")
    dialog = about(page, "about.jobs")
    expect(dialog).to_contain_text("2 partitions. It keeps a message at least 1 day, then deletes it.")
    expect(dialog.get_by_role("table", name="Partitions").get_by_role("row").last).to_have_text("103311 of 1")
    expect(dialog.locator(".group")).to_have_count(1)
    expect(dialog).to_contain_text("empty · 0 members · lag 1, unknown of 1 partition")

    kafka.produce("about.jobs", b"four", partition=1)
    expect(dialog).to_contain_text("lag 2, unknown of 1 partition")
    expect(dialog.get_by_role("img")).to_have_accessible_name(
        re.compile("^Lag of about backup since .*: 2 now, 2 at most$")
    )
    with consuming(kafka, "about workers", "about.jobs", "worker 7") as worker:
        workers = dialog.locator(".group").filter(has_text="about workers")
        eventually(lambda: worker.poll(0.1) is None and workers.is_visible(), why="the group is shown")
        expect(workers).to_contain_text("worker 7 (127.0.0.1): partitions 0–1")

    def refuse(route: Route) -> None:
        route.fulfill(status=503, json={"error": "Kafka does not answer."})

    page.route("**/topics/about.jobs*", refuse)
    page.route("**/topics/about.jobs/groups", refuse)
    status = dialog.get_by_role("status")
    expect(status).to_contain_text("Kafka does not answer. What is shown is of ")
    expect(dialog).to_contain_text("2 partitions.")
    page.unroute_all()
    expect(status).to_be_empty()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(opener).to_be_focused()

    page.route("**/topics/wide", lambda route: route.fulfill(json=FACTS))
    page.route("**/topics/wide/groups", lambda route: route.fulfill(json=GROUPS))
    chip(page, "wide").get_by_role("button", name="About topic wide").click()
    dialog = about(page, "wide")
    expect(dialog).to_contain_text("200 partitions. Of each key it keeps the newest message.")
    expect(dialog).to_contain_text("1 group is not shown")
    expect(dialog).to_contain_text("Kafka has more than 200 groups")
    expect(dialog).to_contain_text("stable · 1 member · lag unknown")
    expect(dialog).to_contain_text("partitions 0–199")
    expect(dialog.get_by_text("under-replicated")).to_have_count(1)
    expect(dialog.get_by_role("table", name="Lag of wide")).to_have_count(0)
    dialog.get_by_text("By partition").click()
    expect(dialog.get_by_role("table", name="Lag of wide").get_by_role("row")).to_have_count(201)
    assert dialog.evaluate("(one) => one.scrollWidth <= one.clientWidth")


TASKS = "sistema_tarefas"


@pytest.fixture
def no_tasks(kafka: KafkaServer) -> Iterator[None]:
    """Delete the topic of the workers and their group, before and after the test."""

    def clear() -> None:
        if TASKS in kafka.topics():
            kafka.delete(TASKS)
        if "workers" in kafka.groups():
            kafka.admin.delete_consumer_groups(["workers"])["workers"].result(PATIENCE)

    clear()
    yield
    clear()


@pytest.mark.usefixtures("no_tasks")
def test_two_real_workers_share_what_two_subscribers_both_get(
    open_page: OpenPage, kafka: KafkaServer, server: ArautoServer
) -> None:
    page = open_page("/?channel=news", server=server, allow=("status of 404",))
    card = page.get_by_role("region", name="Try it")
    card.get_by_role("button", name="Share the work").click()
    dialog = page.get_by_role("dialog", name="Share the work")
    expect(dialog).to_contain_text(f"--create --topic {TASKS} --partitions 2")
    kafka.create(TASKS)
    expect(dialog).to_contain_text(f"--alter --topic {TASKS} --partitions 2")
    kafka.add_partitions(TASKS, 2)
    expect(dialog).to_contain_text("No worker is there yet.")
    expect(dialog).to_contain_text("python examples/worker.py")
    button = dialog.get_by_role("button", name="Publish 10 tasks")
    with working(kafka, "ana") as ana:
        expect(dialog).to_contain_text("One worker is there, and has all")
        expect(button).to_be_hidden()
        with working(kafka, "rui") as rui:
            button.click()
            expect(dialog).to_contain_text("Each subscriber of Redis got all 10; the workers shared them.")
            table = dialog.get_by_role("table", name="Who got which task")
            expect(table.get_by_role("row").filter(has_text="10 of 101–10")).to_have_count(2)
            for name, worker in (("ana", ana), ("rui", rui)):
                tasks = [line for line in worker.lines(7 if name == "ana" else 6) if "Task" in line]
                mine = [line.split("Task ")[1].split()[0] for line in tasks]
                expect(table.get_by_role("row").filter(has_text=name)).to_contain_text(
                    f"5 of 10{', '.join(mine)}"
                )
    page.keyboard.press("Escape")
    expect(
        card.get_by_role("listitem").filter(has_text="Share the work").get_by_role("img")
    ).to_have_accessible_name("done")


FACTS = {
    "topic": "wide",
    "partitions": [
        {"partition": one, "low": 0, "high": 9, "leader": 1, "replicas": [1, 2, 3], "in_sync": [1, 2, 3]}
        for one in range(199)
    ]
    + [{"partition": 199, "low": None, "high": None, "leader": None, "replicas": [1, 2, 3], "in_sync": [2]}],
    "cleanup": "compact", "retention_ms": None, "retention_bytes": None,
}  # fmt: skip
GROUPS = {
    "topic": "wide",
    "groups": [
        {
            "group": "wide", "state": "stable", "lag": 0,
            "members": [{"client": "one", "host": "10.0.0.7", "partitions": list(range(200))}],
            "partitions": [
                {"partition": one, "committed": None, "high": None, "lag": None} for one in range(200)
            ],
        }
    ],
    "refused": 1, "cut": True,
}  # fmt: skip
