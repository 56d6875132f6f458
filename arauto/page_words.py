"""The words the page's script needs, in the language of the person who asked."""

from arauto.words import gettext, ngettext


def page_words() -> dict[str, str | dict[str, str]]:
    """Return every word of the script by key; a plural is a mapping by its category.

    The script fills ``{placeholders}`` and chooses the plural, so both are handed over as they are.
    """
    return _status_words() | _feed_words() | _reading_words() | _selection_words() | _publish_words()


def _status_words() -> dict[str, str | dict[str, str]]:
    return {
        "status_idle": gettext("Choose a channel"),
        "status_connecting": gettext("Connecting"),
        "status_live": gettext("Live"),
        "status_live_but": {
            "one": ngettext("Live; Redis refused {n} name", "Live; Redis refused {n} names", 1),
            "other": ngettext("Live; Redis refused {n} name", "Live; Redis refused {n} names", 2),
        },
        "status_reconnecting_server": gettext("Reconnecting to the server, lost since {time}."),
        "status_reconnecting_redis": gettext("The server is reconnecting to Redis, lost since {time}."),
        "status_reconnecting_proxy": gettext(
            "Reconnecting since {time}. The server answers, but no WebSocket gets through:"
            " look at the proxy in between."
        ),
        "status_refused": gettext("Refused: {reason}"),
    }


def _feed_words() -> dict[str, str | dict[str, str]]:
    return {
        "gap_redis": gettext("No connection to Redis from {from} to {to}: messages in between are unknown."),
        "gap_server": gettext(
            "No connection to the server from {from} to {to}: messages in between are unknown."
        ),
        "skipped": {
            "one": ngettext(
                "{n} message came meanwhile and is not drawn",
                "{n} messages came meanwhile and are not drawn",
                1,
            ),
            "other": ngettext(
                "{n} message came meanwhile and is not drawn",
                "{n} messages came meanwhile and are not drawn",
                2,
            ),
        },
        "fell_out": {
            "one": ngettext(
                "{n} message came meanwhile and is gone: the newest 10,000 are kept",
                "{n} messages came meanwhile and are gone: the newest 10,000 are kept",
                1,
            ),
            "other": ngettext(
                "{n} message came meanwhile and is gone: the newest 10,000 are kept",
                "{n} messages came meanwhile and are gone: the newest 10,000 are kept",
                2,
            ),
        },
        "older": {
            "one": ngettext("{n} older message is not shown", "{n} older messages are not shown", 1),
            "other": ngettext("{n} older message is not shown", "{n} older messages are not shown", 2),
        },
        "new": {
            "one": ngettext("{n} new", "{n} new", 1),
            "other": ngettext("{n} new", "{n} new", 2),
        },
        "cleared": {
            "one": ngettext("{n} message was cleared.", "{n} messages were cleared.", 1),
            "other": ngettext("{n} message was cleared.", "{n} messages were cleared.", 2),
        },
        "undo": gettext("Undo"),
        "pause": gettext("Pause"),
        "resume": gettext("Resume"),
        "matching": gettext("{matching} of {n}"),
        "nothing_matches": gettext("Nothing matches. Messages kept: {n}"),
        "regex_bad": gettext("{regex} is not a regular expression; nothing is filtered."),
        "severity_bad": gettext("{severity} is no severity: choose from {ranks}. Nothing is filtered."),
        "export_ready": {
            "one": ngettext("{n} message, as shown", "{n} messages, as shown", 1),
            "other": ngettext("{n} message, as shown", "{n} messages, as shown", 2),
        },
        "exporting": gettext("{n} of {all}"),
        "exported": {
            "one": ngettext("{n} message exported", "{n} messages exported", 1),
            "other": ngettext("{n} message exported", "{n} messages exported", 2),
        },
        "matched": gettext("Matched by the pattern {pattern}"),
        "empty_message": gettext("empty message"),
        "binary": gettext("binary, {size}"),
        "truncated": gettext("first {shown} of {size}"),
        "copied": gettext("Copied"),
    }


def _reading_words() -> dict[str, str | dict[str, str]]:
    return {
        "show_all": gettext("Show all ({size})"),
        "show_more": gettext("Show more (of {size})"),
        "show_rest": gettext("Show {n} more"),
        "decoded": gettext("decoded from {format}"),
        "decoded_part": gettext("decoded from {format}, only the beginning"),
        "pins_full": gettext("At most {n} messages can be pinned: unpin one first."),
        "severity_critical": gettext("Critical"),
        "severity_error": gettext("Error"),
        "severity_warning": gettext("Warning"),
        "severity_info": gettext("Info"),
        "severity_debug": gettext("Debug"),
    }


def _selection_words() -> dict[str, str | dict[str, str]]:
    return {
        "remove_channel": gettext("Remove channel {name}"),
        "remove_pattern": gettext("Remove pattern {name}"),
        "chip_refused": gettext("Refused by Redis: {error}"),
        "name_empty": gettext("Type the name of a channel or a pattern."),
        "name_long": gettext("A name has at most {max} bytes; this one has {bytes}."),
        "name_control": gettext("A name cannot contain control characters."),
        "selection_full": gettext("At most {max} channels and patterns at once: remove one first."),
    }


def _publish_words() -> dict[str, str | dict[str, str]]:
    return {
        "receivers": {
            "one": ngettext("{n} subscriber received it", "{n} subscribers received it", 1),
            "other": ngettext("{n} subscriber received it", "{n} subscribers received it", 2),
        },
        "receivers_note": gettext("open pages included"),
        "receivers_none": gettext("Nobody was listening: this message is gone."),
        "channel_empty": gettext("Type the channel to publish to."),
        "message_long": gettext("The message has {size}; at most {max} can be published."),
        "no_answer": gettext("The server did not answer. Your text is kept."),
        "strange_answer": gettext("The server answered with status {status}. Your text is kept."),
    }
