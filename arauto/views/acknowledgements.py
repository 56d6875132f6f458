"""/channels/acknowledgements?channel=<name>: which messages are taken, and by whom.

GET lists them, PUT takes the message ``&message=<id>``, DELETE gives it back.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import redis
from flask import Flask, Response, abort, jsonify
from redis.exceptions import NoPermissionError

from arauto.auth.audit import Actor, Audit
from arauto.auth.permissions import NoRight, Permissions
from arauto.auth.request_guards import RateGuard
from arauto.auth.visitor import current_visitor
from arauto.i18n.gettext import gettext
from arauto.protocol.acknowledgements import (
    MAX_BY,
    Acknowledgement,
    is_valid_by,
    is_valid_id,
    printable_by,
)
from arauto.protocol.events import acknowledged
from arauto.protocol.json_members import named
from arauto.recording.acknowledgement_store import MOST, Answer, Outcome
from arauto.recording.recorded_channels import Recording
from arauto.redis_io.connection import error_text
from arauto.sources.source import Source
from arauto.views.history import check_reading
from arauto.web.arguments import arguments
from arauto.web.channel_argument import requested_channel
from arauto.web.request_encoding import read_json


def init_acknowledgements(
    app: Flask,
    recording: Recording,
    source: Source,
    rate: RateGuard,
    permissions: Permissions,
    audit: Audit,
) -> None:
    """Add the routes.

    :param rate: the limit of publishing; taking a message and giving it back count as publishing.
    """
    kept = recording.acknowledgements

    @app.get("/channels/acknowledgements")
    @app.get("/channels/<channel:name>/acknowledgements")
    def list_all(name: str = "") -> Response:
        arguments()
        channel = requested_channel(name)
        check_reading(source, audit, channel)
        with _refusals():
            found = kept.list(channel) if recording.is_allowed else []
        body = {"you": _own_name() or None, "acknowledgements": [*map(acknowledged, found)]}
        answer = jsonify({**named("channel", channel), **body})
        answer.headers["Cache-Control"] = "no-store"
        return answer

    @app.put("/channels/acknowledgements")
    @app.put("/channels/<channel:name>/acknowledgements")
    def take(name: str = "") -> Response:
        channel, id = admit(name)
        by = _own_name() or _typed_name()
        with _refusals():
            answer = kept.take(channel, id, by)
        if answer.outcome is Outcome.DONE:
            note("acknowledged", channel, id=id, by=by)
        elif answer.outcome is not Outcome.TAKEN or _taker(answer) != by:
            _refuse(answer)
        return _respond(channel, answer.acknowledgement)

    @app.delete("/channels/acknowledgements")
    @app.delete("/channels/<channel:name>/acknowledgements")
    def give_back(name: str = "") -> Response:
        channel, id = admit(name)
        with _refusals():
            answer = kept.give_back(channel, id)
        if answer.outcome is not Outcome.GIVEN_BACK:
            _refuse(answer)
        note("given back", channel, id=id, by=_taker(answer))
        return _respond(channel, Acknowledgement(id, "", 0))

    def admit(name: str) -> tuple[bytes, str]:
        """The channel and message of a change, after checks that this visitor may make it."""
        rate.check(current_visitor())
        channel, (id,) = requested_channel(name, needs_query=True), arguments("message")
        if not is_valid_id(id):
            abort(400, gettext("Give the id of a message as ?message=…, such as 1763879938123-41."))
        if not recording.is_allowed:
            abort(403, gettext("Nothing is recorded here: ARAUTO_RECORDING=off."))
        try:
            permissions.check_acknowledging(current_visitor(), channel)
        except NoRight:
            note("acknowledge refused", channel, id=id)
            raise
        return channel, id

    def note(event: str, channel: bytes, **facts: str) -> None:
        audit.note(event, Actor.of(current_visitor()), channel=channel.decode(), **facts)


def _own_name() -> str:
    """The name by which this visitor is known; empty: the request has to give one."""
    return printable_by(current_visitor().own_name)


def _typed_name() -> str:
    given = read_json()
    by = given.get("by") if isinstance(given, dict) else None
    if not isinstance(by, str) or not is_valid_by(by.strip()):
        abort(
            400,
            gettext(
                'Say who takes it: {"by": "Ana"}, with at most %(n)s characters and none that is invisible.',
                n=MAX_BY,
            ),
        )
    return by.strip()


def _taker(answer: Answer) -> str:
    return answer.acknowledgement.by if answer.acknowledgement else ""


def _refuse(answer: Answer) -> None:
    match answer.outcome:
        case Outcome.TAKEN:
            abort(409, gettext("%(name)s has taken this message already.", name=_taker(answer)))
        case Outcome.NOBODY:
            abort(404, gettext("Nobody has taken this message."))
        case Outcome.UNKNOWN:
            abort(404, gettext("The recording has no such message: it may have been trimmed."))
        case Outcome.FULL:
            abort(409, gettext("%(n)s messages of this channel are taken: give some back first.", n=MOST))
    abort(404, gettext("This channel is not recorded: switch it on in the page, or by ARAUTO_RECORD."))


def _respond(channel: bytes, one: Acknowledgement | None) -> Response:
    return jsonify({**named("channel", channel), **(acknowledged(one) if one else {})})


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except redis.ResponseError as error:
        status = 403 if isinstance(error, NoPermissionError) else 502
        abort(status, gettext("Redis refuses it: %(words)s", words=error_text(error)))
