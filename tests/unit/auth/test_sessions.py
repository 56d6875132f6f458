import pytest

from arauto.auth import sessions as module
from arauto.auth.sessions import Sessions
from arauto.redis_io.expiring_store import MemoryStore


def test_what_was_begun_is_found_until_it_is_ended() -> None:
    sessions = Sessions(MemoryStore(), "secret", 60)
    session = sessions.begin("redis", "ana", "p&ss")
    assert sessions.find(session.id) == session
    sessions.end(session)
    assert sessions.find(session.id) is None


def test_a_server_with_another_secret_says_so_once(caplog: pytest.LogCaptureFixture) -> None:
    store = MemoryStore()
    session = Sessions(store, "secret", 60).begin("token", "token", "x")
    other = Sessions(store, "another", 60)
    assert other.find("of nobody") is other.find(session.id) is other.find(session.id) is None
    assert caplog.messages == ["session of another secret"]


def test_it_ends_by_itself_whatever_the_shelf_says(monkeypatch: pytest.MonkeyPatch) -> None:
    sessions = Sessions(MemoryStore(), "secret", 60)
    session = sessions.begin("redis", "ana", "p&ss")
    monkeypatch.setattr(module, "time", lambda: session.until)
    assert sessions.find(session.id) is None


def test_neither_another_secret_nor_another_name_opens_it() -> None:
    store = MemoryStore()
    session = Sessions(store, "secret", 60).begin("redis", "ana", "p&ss")
    assert Sessions(store, "another", 60).find(session.id) is None
    other = Sessions(store, "secret", 60).begin("redis", "bia", "x")
    kept = store.get(session.key)
    assert kept is not None
    assert b"p&ss" not in kept
    assert session.id not in session.key
    store.put(other.key, kept, 60)
    assert Sessions(store, "secret", 60).find(other.id) is None


def test_everywhere_is_everywhere_of_the_same_person() -> None:
    sessions = Sessions(MemoryStore(), "secret", 60)
    here, there = sessions.begin("redis", "ana", "x"), sessions.begin("redis", "ana", "x")
    other, namesake = sessions.begin("redis", "bia", "x"), sessions.begin("token", "ana", "x")
    sessions.end_all(here)
    assert [sessions.find(one.id) is None for one in (here, there, other, namesake)] == [
        True, True, False, False,
    ]  # fmt: skip
    assert sessions.find_ended([here.key, other.key]) == {here.key}


def test_a_mark_is_for_its_purpose() -> None:
    sessions = Sessions(MemoryStore(), "secret", 60)
    signature = sessions.sign("csrf", "a")
    assert sessions.is_signature(signature, "csrf", "a")
    assert not sessions.is_signature(signature, "login", "a")
    assert not sessions.is_signature(signature, "csrf", "b")
    assert not sessions.is_signature("é", "csrf", "a")
    assert not Sessions(MemoryStore(), "another", 60).is_signature(signature, "csrf", "a")
