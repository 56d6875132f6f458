"""The sentences of a page about faults of recording: word for word, in each language."""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from threading import Event, Thread
from typing import Any

import pytest
from playwright.sync_api import Page, WebSocketRoute, expect

from arauto.recording_core.log_keys import LEASE, head_of, stream_of
from tests.browser.conftest import OpenPage
from tests.support.accessibility import expect_no_violation
from tests.support.http import publish, request
from tests.support.logs import entries, head, is_recording
from tests.support.pages import (
    STATUS_503,
    chip,
    expect_live,
    expect_state,
    expect_texts,
    notices,
    overflowing,
    show_part,
    view,
)
from tests.support.recording import make_store, recorder_of
from tests.support.redis_servers import RedisServer
from tests.support.servers import ArautoServer
from tests.support.waiting import eventually

CHANNEL = "kept.orders"
STREAM, HEAD = stream_of(CHANNEL.encode()), head_of(CHANNEL.encode())
RECORD = {"ARAUTO_RECORD": "kept.*", "ARAUTO_WORKERS": "1", "ARAUTO_DELETE_LOGS": "on"}
TIME = r"[\d:.,]+"

Said = tuple[str, str]
"""In English, in Portuguese; ``TIME`` stands for a time of day, ``WHY`` for the reason."""

NOT_RECORDED: Said = (
    f"{CHANNEL} was not recorded from TIME to TIME: messages may be missing.",
    f"{CHANNEL} não foi gravado de TIME a TIME: podem faltar mensagens.",
)
REPLACED: Said = (
    f"{CHANNEL}: its recording was replaced; messages from TIME to TIME may be missing.",
    f"{CHANNEL}: a gravação foi substituída; podem faltar mensagens de TIME a TIME.",
)
UNREADABLE: Said = (
    f"{CHANNEL}: its recording could not be read; messages from TIME to TIME may be missing.",
    f"{CHANNEL}: não foi possível ler a gravação; podem faltar mensagens de TIME a TIME.",
)
GONE: Said = (
    f"{CHANNEL} is not recorded any more; messages from TIME to TIME may be missing.",
    f"{CHANNEL} já não é gravado; podem faltar mensagens de TIME a TIME.",
)
RECORDED: Said = (
    f"{CHANNEL} is recorded: a page that was away gets what it missed.",
    f"{CHANNEL} é gravado: uma página que esteve fora recebe o que perdeu.",
)
LIVE_ONLY: Said = (
    f"{CHANNEL} is live only: a page that was away misses what was published meanwhile.",
    f"{CHANNEL} é só ao vivo: uma página que esteve fora não recebe o que perdeu.",
)
STOPPED_TAG: Said = ("not recorded since TIME", "sem gravação desde TIME")
STOPPED: Said = (
    f"{CHANNEL} has not been recorded since TIME and is live only: WHY",
    f"{CHANNEL} não é gravado desde TIME e é só ao vivo: WHY",
)
NOBODY: Said = (
    "no process records it; the servers' logs may say why",
    "nenhum processo o grava; os logs dos servidores talvez digam por quê",
)
UNREAD: Said = (
    f"The recording of {CHANNEL} cannot be read: WHY",
    f"A gravação de {CHANNEL} não pode ser lida: WHY",
)
UNHEARD: Said = (
    f"{CHANNEL} is recorded, but Redis does not let this program read the recording: WHY",
    f"{CHANNEL} é gravado, mas o Redis não deixa este programa ler a gravação: WHY",
)
NEVER: Said = (
    "NAME cannot be recorded: each entry would cause another message there, without end.",
    "NAME não pode ser gravado: cada entrada causaria outra mensagem lá, sem fim.",
)

# Every state of recording that a chip has shown.
_NOTE = """
window.recordings = [];
new MutationObserver((changes) => {
  for (const { target } of changes) if (target.dataset.recording) recordings.push(target.dataset.recording);
}).observe(document, { subtree: true, attributeFilter: ["data-recording"] });
"""


class Stage:
    """A page in each language, on the same channel; the test can close their sockets."""

    def __init__(
        self, open_page: OpenPage, redis_server: RedisServer, run: Callable[..., ArautoServer]
    ) -> None:
        self.redis = redis_server
        self.pages: list[Page] = []
        self._open_page = open_page
        self._run = partial(run, REDIS_URL=redis_server.url)
        self._servers: list[ArautoServer] = []
        self._is_away = False
        self._sockets: list[WebSocketRoute] = []

    def serve(self, *, records: bool = True, **settings: str) -> ArautoServer:
        server = self._run(**RECORD | settings)
        self._servers.append(server)
        if records:
            eventually(lambda: is_recording(self.redis), why="there is a recorder")
        return server

    def open(self, server: ArautoServer, channel: str = CHANNEL) -> None:
        for language in ("en", "pt-BR"):
            page = self._open_page(
                "/", server=server, language=language, allow=["status of 409", "status of 502", *STATUS_503]
            )
            page.add_init_script(_NOTE)
            page.route_web_socket(re.compile("/feed"), self._route)
            page.goto(server.url + view(channel))
            expect_live(page)
            self.pages.append(page)

    def begin(self, server: ArautoServer) -> None:
        """Wait until both pages follow the log and show the same message."""
        self.open(server)
        self.expect_chip("on", RECORDED)
        self.publish("1")
        self.expect_shown("1")

    def end(self) -> None:
        """Stop pages and servers: the recorders are subscribers, and the fixtures check for these."""
        for page in self.pages:
            page.close()
        for server in self._servers:
            server.stop()
            assert "Traceback" not in server.log

    # Sockets

    def _route(self, socket: WebSocketRoute) -> None:
        if self._is_away:
            socket.close()
            return
        socket.connect_to_server()
        self._sockets.append(socket)

    def leave(self) -> None:
        self._is_away = True
        for socket in self._sockets:
            socket.close()
        self._sockets.clear()
        for page in self.pages:
            expect_state(page, "reconnecting")

    def come_back(self) -> None:
        self._is_away = False
        for page in self.pages:
            page.evaluate("dispatchEvent(new Event('online'))")
            expect_live(page)

    # Messages

    def publish(self, *messages: str) -> None:
        for message in messages:
            self.redis.client.publish(CHANNEL, message)

    def await_logged(self, message: str) -> None:
        def is_there() -> bool:
            return any(fields.get(b"m") == message.encode() for _, fields in entries(self.redis, CHANNEL))

        eventually(is_there)

    # The page's sentences

    def expect_shown(self, *messages: str) -> None:
        for page in self.pages:
            expect_texts(page, messages)

    def expect_rows(self, *rows: Said) -> None:
        for n, page in enumerate(self.pages):
            expect(notices(page)).to_have_text([_match(said[n]) for said in rows])

    def expect_chip(self, state: str, said: Said, why: str | Said = "", channel: str = CHANNEL) -> None:
        """The state beside the name, and the sentence on the menu button behind it."""
        for n, page in enumerate(self.pages):
            there = chip(page, channel)
            expect(there).to_have_attribute("data-recording", state)
            reason = why if isinstance(why, str) else why[n]
            expect(there.locator(".chip__more")).to_have_attribute("title", _match(said[n], reason))
            tag = there.locator(".chip__recorded")
            if state == "off":
                expect(tag).to_be_hidden()
            else:
                expect(tag).to_have_text(
                    _match(STOPPED_TAG[n]) if state == "stopped" else ("recorded", "gravado")[n]
                )

    def expect_problem(self, said: Said, why: str = "") -> None:
        for n, page in enumerate(self.pages):
            expect(page.locator("#choose-problem")).to_have_text(_match(said[n], why))

    def expect_fitting(self) -> None:
        """Check accessibility and layout, on a phone and on a laptop."""
        for page in self.pages:
            expect_no_violation(page, "the sentences about recording")
            for width, height in ((360, 740), (1280, 800)):
                page.set_viewport_size({"width": width, "height": height})
                show_part(page, "channels")
                assert overflowing(page) == [], (width, height)
                expect(page.locator(".chip__remove")).to_be_in_viewport(ratio=1)


def _match(sentence: str, why: str = "") -> re.Pattern[str]:
    pattern = re.escape(sentence).replace("TIME", TIME).replace("WHY", f".*{re.escape(why)}.*")
    return re.compile(f"^{pattern}$")


@pytest.fixture
def stage(open_page: OpenPage, start: Any, own_redis: RedisServer) -> Iterator[Stage]:
    stage = Stage(open_page, own_redis, start)
    yield stage
    stage.end()


def switch(server: ArautoServer, on: bool) -> None:
    path = f"/channels/recording?channel={CHANNEL}"
    answer = request(server, "PUT", path, json.dumps({"recorded": on}), Origin=server.url)
    assert answer.status == 200, answer.body


def forbid(redis_server: RedisServer, *commands: str) -> None:
    redis_server.client.execute_command("ACL", "SETUSER", "default", *(f"-{command}" for command in commands))


@contextmanager
def idle_recorder(redis_server: RedisServer) -> Iterator[None]:
    """A recorder that holds the lease and sends beats, but writes nothing."""
    store, is_over = make_store(redis_server.url), Event()
    token = store.claim()

    def live() -> None:
        while not is_over.wait(0.2):
            store.renew(token, 0)

    thread = Thread(target=live)
    thread.start()
    yield
    is_over.set()
    thread.join()
    store.release(token)


def test_a_recorder_that_is_killed_costs_a_pause(stage: Stage) -> None:
    killed = recorder_of(stage.serve())
    stage.begin(stage.serve())
    killed.kill()
    stage.publish("2", "3")
    stage.expect_shown("1", "2", "3")
    stage.expect_chip("on", RECORDED)
    stage.expect_rows()


def test_a_log_is_deleted_while_a_tab_is_away(stage: Stage) -> None:
    server = stage.serve()
    stage.begin(server)
    stage.leave()
    stage.publish("2")
    stage.await_logged("2")
    answer = request(server, "DELETE", f"/channels/messages?channel={CHANNEL}", Origin=server.url)
    assert answer.status == 200, answer.body
    stage.publish("3")
    stage.await_logged("3")
    stage.come_back()
    stage.expect_shown("1", "3")
    stage.expect_rows(REPLACED)
    stage.expect_chip("on", RECORDED)


@pytest.mark.parametrize("is_back", [True, False])
def test_a_channel_is_switched_off_while_a_tab_is_away(stage: Stage, is_back: bool) -> None:
    server = stage.serve(records=False, ARAUTO_RECORD="")
    switch(server, True)
    stage.begin(server)
    stage.leave()
    switch(server, False)
    stage.publish("2")
    if is_back:
        switch(server, True)
        stage.publish("3")
        stage.await_logged("3")
    stage.come_back()
    stage.publish("4")
    stage.expect_shown(*["1", "3", "4"] if is_back else ["1", "4"])
    stage.expect_rows(NOT_RECORDED if is_back else GONE)
    stage.expect_chip("on", RECORDED) if is_back else stage.expect_chip("off", LIVE_ONLY)


def test_redis_refuses_writes_while_a_tab_is_away(stage: Stage) -> None:
    stage.begin(stage.serve())
    stage.leave()
    stage.redis.client.config_set("maxmemory", "1")
    stage.publish("2")
    stage.come_back()
    stage.publish("3")
    for page in stage.pages:
        expect(page.locator(".row__data").last).to_have_text("3")  # live, whatever is wrong with the log
    stage.expect_chip("stopped", STOPPED, "maxmemory")
    stage.expect_fitting()
    stage.redis.client.config_set("maxmemory", "0")
    stage.expect_chip("on", RECORDED)
    for page in stage.pages:
        expect(notices(page)).not_to_have_count(0)


def test_redis_comes_back_from_an_older_snapshot(stage: Stage) -> None:
    stage.begin(stage.serve())
    stage.redis.client.save()
    stage.publish("2")
    stage.expect_shown("1", "2")
    stage.leave()
    epoch = head(stage.redis, CHANNEL)["epoch"]  # the snapshot has a lease too, so the lease shows nothing
    stage.redis.stop()
    stage.redis.start()
    eventually(lambda: head(stage.redis, CHANNEL)["epoch"] != epoch, why="a recorder has begun a new epoch")
    stage.come_back()
    stage.publish("3")
    stage.expect_shown("1", "2", "3")
    stage.expect_rows(REPLACED, NOT_RECORDED)
    stage.expect_chip("on", RECORDED)


def test_a_tab_is_back_before_anybody_records_on_an_older_snapshot(stage: Stage) -> None:
    """From then on the tab receives all messages, so it needs no second gap although none is recorded."""
    stage.begin(stage.serve())
    stage.redis.client.save()
    stage.publish("2")
    stage.expect_shown("1", "2")
    stage.leave()
    stage.redis.stop()
    stage.redis.start("--maxmemory", "1")  # no process can become the recorder
    stage.come_back()
    stage.publish("3")
    stage.expect_shown("1", "2", "3")
    stage.expect_rows(REPLACED)
    stage.expect_chip("stopped", STOPPED)
    stage.redis.client.config_set("maxmemory", "0")
    stage.expect_chip("on", RECORDED)
    stage.publish("4")
    stage.expect_shown("1", "2", "3", "4")
    stage.expect_rows(REPLACED)


def test_two_servers_record_the_union_of_their_globs(stage: Stage) -> None:
    stage.serve(ARAUTO_RECORD="other.*")
    stage.begin(stage.serve())
    stage.leave()
    stage.publish("2")
    stage.await_logged("2")
    stage.come_back()
    stage.expect_shown("1", "2")
    stage.expect_rows()


def test_two_databases_of_one_redis(stage: Stage) -> None:
    stage.serve(records=False, REDIS_URL=f"{stage.redis.url}/1")
    stage.begin(stage.serve())
    stage.leave()
    stage.publish("2")
    stage.await_logged("2")
    stage.come_back()
    stage.publish("3")
    stage.expect_shown("1", "2", "3")
    stage.expect_rows()


@pytest.mark.parametrize("name", ["__keyevent@0__:xadd", "__keyspace@0__:a", "arauto:logs"])
def test_what_can_never_be_recorded_is_refused_in_its_menu(stage: Stage, name: str) -> None:
    stage.open(stage.serve(), name)
    for page in stage.pages:
        page.locator(".chip__more").click()
        page.locator("#recording [role=menuitem]").first.click()
    stage.expect_problem((NEVER[0].replace("NAME", name), NEVER[1].replace("NAME", name)))
    stage.expect_fitting()


def test_the_head_of_a_log_is_deleted(stage: Stage) -> None:
    stage.begin(stage.serve())
    stage.leave()
    stage.redis.client.delete(HEAD)
    stage.publish("2")
    eventually(lambda: head(stage.redis, CHANNEL), why="the recorder has written a new head")
    stage.come_back()
    stage.publish("3")
    stage.expect_shown("1", "3")
    stage.expect_rows(REPLACED, NOT_RECORDED)
    stage.expect_chip("on", RECORDED)


def test_the_lease_is_deleted(stage: Stage) -> None:
    stage.begin(stage.serve())
    stage.leave()
    stage.redis.client.delete(LEASE)
    stage.publish("2")
    stage.await_logged("2")
    stage.come_back()
    stage.publish("3")
    stage.expect_shown("1", "2", "3")
    stage.expect_rows()
    stage.expect_chip("on", RECORDED)


def test_the_key_of_a_log_is_no_stream(stage: Stage) -> None:
    stage.begin(stage.serve())
    stage.leave()
    stage.redis.client.delete(STREAM)
    stage.redis.client.set(STREAM, "somebody's")
    stage.come_back()
    stage.publish("2")
    stage.expect_shown("1", "2")
    stage.expect_rows(UNREADABLE)
    stage.expect_problem(UNREAD, "WRONGTYPE")
    stage.expect_chip("stopped", STOPPED, "WRONGTYPE")
    stage.expect_fitting()


def test_a_log_holds_an_entry_of_somebody_else(stage: Stage) -> None:
    stage.begin(stage.serve())
    stage.leave()
    stage.redis.client.xadd(STREAM, {"theirs": "1"})
    stage.publish("2")
    stage.await_logged("2")
    stage.come_back()
    stage.publish("3")
    stage.expect_shown("1", "2", "3")
    stage.expect_chip("on", RECORDED)


def test_a_right_is_missing(stage: Stage) -> None:
    forbid(stage.redis, "ssubscribe")
    stage.open(stage.serve(records=False))
    stage.publish("1")
    stage.expect_shown("1")
    stage.expect_problem(UNHEARD, "'ssubscribe'")
    stage.expect_chip("off", LIVE_ONLY)
    stage.expect_fitting()


def test_scripts_are_not_allowed(stage: Stage) -> None:
    forbid(stage.redis, "eval", "evalsha")
    server = stage.serve(records=False)
    stage.open(server)
    assert publish(server, CHANNEL, "1").status == 200
    stage.expect_shown("1")
    stage.expect_chip("stopped", STOPPED, "'eval'")


def test_the_form_and_redis_cli_in_turn(stage: Stage) -> None:
    server = stage.serve()
    stage.begin(server)
    sent = [str(n) for n in range(2, 12)]
    for n, message in enumerate(sent):
        publish(server, CHANNEL, message) if n % 2 else stage.publish(message)
    stage.expect_shown("1", *sent)
    stage.leave()
    more = [str(n) for n in range(12, 22)]
    for n, message in enumerate(more):
        publish(server, CHANNEL, message) if n % 2 else stage.publish(message)
    stage.await_logged(more[-1])
    stage.come_back()
    stage.expect_shown("1", *sent, *more)
    stage.expect_rows()


def test_nobody_records_and_then_somebody_does(stage: Stage) -> None:
    with idle_recorder(stage.redis):
        stage.open(stage.serve())
        stage.publish("1")
        stage.expect_shown("1")
        stage.expect_chip("stopped", STOPPED, NOBODY)
        stage.expect_fitting()
    stage.expect_chip("on", RECORDED)
    stage.publish("2")
    stage.expect_shown("1", "2")


@pytest.mark.parametrize("is_published", [True, False])
def test_no_page_says_for_a_moment_that_a_channel_is_not_recorded(stage: Stage, is_published: bool) -> None:
    stage.open(stage.serve())
    if is_published:
        stage.publish("1")
    stage.expect_chip("on", RECORDED)
    for page in stage.pages:
        assert "stopped" not in page.evaluate("recordings")
