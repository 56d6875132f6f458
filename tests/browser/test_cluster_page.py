"""A page on a Redis Cluster: names of every kind, and the loss of a master."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import OpenPage
from tests.support.clusters import MASTERS, Cluster
from tests.support.pages import (
    STATUS_503,
    answer,
    expect_live,
    expect_texts,
    notices,
    publish,
    rows,
)
from tests.support.redis_servers import binaries
from tests.support.servers import ArautoServer, Start
from tests.support.waiting import eventually


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    with ExitStack() as stack:
        yield Cluster(stack, binaries()["valkey"], tmp_path)


@pytest.fixture
def server(start: Start, cluster: Cluster) -> ArautoServer:
    server = start(REDIS_URL=cluster.url, ARAUTO_RECORD="kept.*")
    eventually(lambda: server.log.count("recorder started") == MASTERS, why="each shard has a recorder")
    return server


def test_two_pages_go_on_when_the_master_of_a_recorded_channel_dies(
    open_page: OpenPage, cluster: Cluster, server: ArautoServer
) -> None:
    """The recorded channel has a gap row; what was published before and after is shown once, in order."""
    selection = "/?channel=kept.alerts&channel=news&shard=jobs"
    pages = [open_page(selection, server=server, allow=STATUS_503) for _ in range(2)]
    for page in pages:
        expect_live(page)
    publish(pages[0], "kept.alerts", "by the form")
    expect(answer(pages[0])).to_contain_text("2 tabs")
    texts = ["by the form"]
    for page in pages:
        expect_texts(page, texts)
    for n, node in enumerate(cluster.nodes):
        node.client.publish("news", f"from node {n}")
        for page in pages:  # else the next node's message may come first
            expect(rows(page).last).to_contain_text(f"from node {n}")
        texts.append(f"from node {n}")
    cluster.owner("jobs").client.execute_command("SPUBLISH", "jobs", "sharded")
    texts.append("sharded")
    for page in pages:
        expect_texts(page, texts)

    master = cluster.owner("kept.alerts")
    replica = next(node for node in cluster.nodes if node.nodes_seen()[node.id][3] == master.id)
    master.stop()
    eventually(lambda: replica.is_master, why="the replica has taken over")
    for page in pages:
        expect(notices(page).filter(has_text="kept.alerts was not recorded from ").first).to_be_visible()
        expect_live(page)
    publish(pages[1], "kept.alerts", "after it")
    texts.append("after it")
    for page in pages:
        expect_texts(page, texts)
    expect(answer(pages[1])).to_contain_text("2 tabs")
