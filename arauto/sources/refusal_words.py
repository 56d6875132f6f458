"""Sentences for errors of Redis, for the visitor."""

from functools import cache
from typing import NamedTuple

from arauto.auth.audit import Actor, Audit
from arauto.auth.visitor import Visitor
from arauto.i18n.gettext import gettext
from arauto.protocol.events import Refused
from arauto.protocol.json_members import text
from arauto.web.locale import chosen


class ExplainRefused:
    """Replaces an error of Redis by a sentence that names the remedy, and audits refusals of a Redis user."""

    def __init__(self, visitor: Visitor, audit: Audit) -> None:
        self._user = visitor.redis_user
        self._audit = audit
        self._actor = Actor.of(visitor)
        # Now, because the subscriber's thread has no request and so no language.
        self._words = _words(chosen(), self._user)
        self._is_cluster = visitor.link.is_cluster

    def __call__(self, refused: Refused) -> Refused:
        name = text(refused.name)
        if self._user and not self._is_away(refused):
            facts = {refused.kind: name} if refused.kind else {}
            self._audit.note("listening refused", self._actor, **facts)
        sentence = self._sentence(refused)
        return refused._replace(error=sentence.replace("{name}", name) if sentence else refused.error)

    def _is_away(self, refused: Refused) -> bool:
        return refused.kind == "shard" and not refused.error.startswith(("NOPERM", "ERR unknown command"))

    def _sentence(self, refused: Refused) -> str:
        if self._is_away(refused):
            words = refused.error
            if words.startswith("MOVED ") and not self._is_cluster:
                return self._words.elsewhere.replace("{node}", words.rpartition(" ")[2])
            # The node that Redis names in MOVED is no help to the visitor.
            why = "" if words.startswith("MOVED") or not words else f" ({words})"
            return self._words.away + why
        if refused.kind == "shard" and refused.error.startswith("ERR unknown command"):
            return self._words.unsupported
        if not self._user:
            return ""
        return self._words.refused if refused.kind else self._words.shut_out


class _Words(NamedTuple):
    refused: str
    shut_out: str
    elsewhere: str
    away: str
    unsupported: str


@cache
def _words(language: str, user: str) -> _Words:
    return _Words(
        gettext("Redis does not let the user %(user)s listen to {name}.", user=user),
        gettext("Redis no longer lets the user %(user)s in: log in again.", user=user),
        elsewhere("{name}", "{node}"),
        gettext(
            "No node of the cluster serves the sharded channel {name} now: it is shown as soon as one does."
        ),
        unsupported(),
    )


def elsewhere(name: str, node: str) -> str:
    """The sentence for a sharded channel that belongs to ``node``."""
    return gettext(
        "The sharded channel %(name)s belongs to another node of the cluster: set REDIS_URL to %(node)s.",
        name=name,
        node=node,
    )


def unsupported() -> str:
    """The sentence for a Redis without sharded channels."""
    return gettext("This Redis has no sharded channels: use Redis 7 or later, or Valkey.")
