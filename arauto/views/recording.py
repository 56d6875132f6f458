"""PUT /channels/recording and DELETE /channels/messages, with ``?channel=<name>``."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic, sleep

import redis
from flask import Flask, Response, abort, jsonify
from redis.exceptions import NoPermissionError

from arauto.auth.audit import Actor, Audit
from arauto.auth.permissions import NoRight, Permissions
from arauto.auth.request_guards import RateGuard
from arauto.auth.visitor import current_visitor
from arauto.i18n.gettext import gettext
from arauto.protocol.json_members import text
from arauto.recording.recorded_channels import Recording
from arauto.recording.shard_recorders import Recorder
from arauto.recording_core.log_keys import is_recordable
from arauto.redis_io.connection import error_text
from arauto.web.arguments import arguments
from arauto.web.channel_argument import requested_channel
from arauto.web.request_encoding import read_json

PATIENCE = 4.0  # seconds for a recorder to begin, if there is none yet
_LOOK_EVERY = 0.05  # seconds


def init_recording(
    app: Flask,
    recording: Recording,
    recorder: Recorder | None,
    rate: RateGuard,
    permissions: Permissions,
    audit: Audit,
) -> None:
    """Add the routes. Without a recorder, both return 403.

    :param rate: the limit of publishing; these requests count as publishing.
    """

    @app.put("/channels/recording")
    @app.put("/channels/<channel:name>/recording")
    def switch(name: str = "") -> Response:
        rate.check(current_visitor())
        arguments()
        channel, on = requested_channel(name, needs_query="/" in name), _wanted()
        if recorder is None:
            abort(403, gettext("Nothing is recorded here: ARAUTO_RECORDING=off."))
        if not is_recordable(channel):
            abort(
                409,
                gettext(
                    "%(name)s cannot be recorded: each entry would cause another message there, without end.",
                    name=text(channel),
                ),
            )
        if not recording.may_record(channel):
            abort(
                409,
                gettext(
                    "A name that begins with } cannot be recorded on a cluster: its keys would be on several "
                    "nodes. Use another name."
                ),
            )
        if not on and recording.glob_of(channel) is not None:
            abort(409, gettext("ARAUTO_RECORD has this channel recorded: it cannot be switched off here."))
        with _refusals(channel, audit):
            permissions.check_recording(current_visitor(), channel)
            if recording.glob_of(channel) is None:
                recording.switch(channel, on)
                audit.note(
                    "recording on" if on else "recording off",
                    Actor.of(current_visitor()),
                    channel=channel.decode(),
                )
                recorder.wake()
                if on and not _has_begun(recording, channel):
                    abort(
                        503,
                        gettext(
                            "It is switched on, but no recorder has begun: the server's log may say why."
                        ),
                    )
        return jsonify(channel=text(channel), recorded=on)

    @app.delete("/channels/messages")
    @app.delete("/channels/<channel:name>/messages")
    def forget(name: str = "") -> Response:
        rate.check(current_visitor())
        arguments()  # a part of a recording, as by "until", cannot be deleted
        channel = requested_channel(name, needs_query=True)
        if recorder is None or not recording.may_delete:
            abort(403, gettext("Recordings are not deleted here: ARAUTO_DELETE_LOGS=on would allow it."))
        with _refusals(channel, audit):
            permissions.check_recording(current_visitor(), channel)
            if not recording.forget(channel):
                abort(404, gettext("This channel has no recording."))
        audit.note("log deleted", Actor.of(current_visitor()), channel=channel.decode())
        return jsonify(channel=text(channel), deleted=True)


def _wanted() -> bool:
    given = read_json()
    on = given.get("recorded") if isinstance(given, dict) else None
    if not isinstance(on, bool):
        abort(400, gettext('The body must be {"recorded": true} or {"recorded": false}.'))
    return on


def _has_begun(recording: Recording, channel: bytes) -> bool:
    """Whether a recorder has taken the channel; waits for one to start."""
    end = monotonic() + PATIENCE
    while not (is_taken := _is_taken(recording, channel)) and monotonic() < end:
        sleep(_LOOK_EVERY)
    return is_taken


def _is_taken(recording: Recording, channel: bytes) -> bool:
    head = recording.store.head(channel)
    return head is not None and head.is_taken and not head.is_closed


@contextmanager
def _refusals(channel: bytes, audit: Audit) -> Iterator[None]:
    try:
        yield
    except NoRight:
        audit.note("recording refused", Actor.of(current_visitor()), channel=channel.decode())
        raise
    except redis.ResponseError as error:
        words = error_text(error)
        if words == "FULL":
            abort(
                409,
                gettext(
                    "%(n)s channels are switched on already: switch one off, or use ARAUTO_RECORD.",
                    n=Recording.MAX_SWITCHED,
                ),
            )
        status = 403 if isinstance(error, NoPermissionError) else 502
        abort(status, gettext("Redis refuses it: %(words)s", words=words))
