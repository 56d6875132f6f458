"""The strings of the page's scripts, in the language of the request."""

import re
from difflib import SequenceMatcher

from arauto.i18n.gettext import gettext, ngettext

Strings = dict[str, str]


def page_strings() -> Strings:
    """The strings by key for the scripts that the page loads at once.

    The script fills ``{placeholders}`` and chooses between ``{one|many}``.
    """
    return (
        _status_strings()
        | _feed_strings()
        | _reading_strings()
        | _past_strings()
        | _selection_strings()
        | _recording_strings()
        | _publish_strings()
        | _settings_strings()
    )


def topic_strings() -> Strings:
    """Further strings that a page has at once with Kafka."""
    return {
        "topic": gettext("topic"),
        "remove_topic": gettext("Remove topic {name}"),
        "topic_welcome": gettext(
            "What is published while this page is open appears here. Kafka keeps it: "
            "Replay shows what was before."
        ),
        "about_topic": gettext("About topic {name}"),
        "try_share": gettext("Share the work"),
        "try_share_why": gettext("With Kafka two workers share it; Redis gives all to each."),
        "topic_refused": gettext("Refused: {error}"),
        "topic_away": gettext("Nothing has come of this topic since {time}: {error}"),
        "away_since": gettext("away since {time}"),
        "glob_topics": plural("{n} topic", "{n} topics"),
        "glob_watch": gettext("Watch every topic that {glob} matches"),
        "status_live_refused": plural("Live; {n} name was refused", "Live; {n} names were refused"),
        "status_live_away": plural("Live; nothing comes of {n} topic", "Live; nothing comes of {n} topics"),
        "tombstone": gettext("No data: deletes what has this key"),
        "schema": plural("Schema {id}, then {n} byte", "Schema {id}, then {n} bytes"),
        "fact_topic": gettext("Topic"),
        "fact_partition": gettext("Partition"),
        "fact_offset": gettext("Offset"),
        "fact_headers": gettext("Headers"),
        "fact_schema": gettext("Schema"),
        "fact_clock_producer": gettext("Time of the producer"),
        "fact_clock_broker": gettext("Time of the broker"),
        "fact_clock_none": gettext("Time in Kafka"),
        "headers_unreadable": gettext("cannot be read: the name of one is not UTF-8"),
        "fact_none": gettext("none"),
        "search_stop": gettext("Stop: {n} of {of}"),
        "search_part": gettext(
            "{n} of {of} messages of {topic} were searched, up to {time}. Search again to go on from there."
        ),
        "link_at_bad": gettext(
            "The link names no message: it has one topic, and at is partition and offset, such as 3:4711."
        ),
        "link_at_none": gettext(
            "{topic} has no message at {at}: it may have been compacted, or has not come yet."
        ),
        "link_at_gone": plural(
            "Kafka no longer keeps {at} of {topic}. From there on {n} message is gone.",
            "Kafka no longer keeps {at} of {topic}. From there on at most {n} messages are gone.",
        ),
        **_topic_gap_strings(),
        **_topic_publish_strings(),
    }


def _topic_publish_strings() -> Strings:
    return {
        "topic_empty": gettext("Type the topic to publish to."),
        "headers_wrong": gettext('Write each header on a line of its own, as in "trace: a1".'),
        "redis_said": gettext("Redis: {said}"),
        "redis_unkept": gettext("Redis: {said} Nobody keeps it."),
        "redis_nobody": gettext("Nobody was listening."),
        "redis_recorded": gettext("Redis: {said} The recording of the channel keeps it."),
        "redis_failed": gettext("Channel {name}: {said}"),
        "kafka_failed": gettext("Topic {name}: {said}"),
        "kafka_until": gettext("Kafka: partition {partition}, offset {offset}, kept until {time}."),
        "kafka_forever": gettext(
            "Kafka: partition {partition}, offset {offset}, kept without limit of time."
        ),
        "kafka_compact": gettext(
            "Kafka: partition {partition}, offset {offset}, kept until a newer message has its key."
        ),
        "kafka_untold": gettext(
            "Kafka: partition {partition}, offset {offset}. Kafka does not tell how long it is kept."
        ),
        "kafka_bytes": gettext("When the partition has more than {size}, its oldest messages go."),
        "kafka_replaced": gettext("A newer message with its key replaces it."),
        "kafka_tombstone": gettext(
            "Kafka: partition {partition}, offset {offset}."
            " Compaction deletes what has its key, and later the tombstone."
        ),
        "no_value": gettext("no value"),
        "send_again": gettext("Send again"),
    }


def _topic_gap_strings() -> Strings:
    """Strings by reason of a gap; `_most` if it is known how many can be missing."""
    return {
        "gap_topic_retention": gettext(
            "{topic}, at {to}: Kafka no longer keeps partition {partition} from offset {offset} on."
        ),
        "gap_topic_retention_most": plural(
            "{topic}, at {to}: Kafka no longer keeps partition {partition} from offset {offset} on."
            " At most {n} message is missing.",
            "{topic}, at {to}: Kafka no longer keeps partition {partition} from offset {offset} on."
            " At most {n} messages are missing.",
        ),
        "gap_topic_leaderless": gettext(
            "{topic}, at {to}: partition {partition} has no leader."
            " From offset {offset} on messages may be missing."
        ),
        "gap_topic_leaderless_most": plural(
            "{topic}, at {to}: partition {partition} has no leader."
            " From offset {offset} on at most {n} message is missing.",
            "{topic}, at {to}: partition {partition} has no leader."
            " From offset {offset} on at most {n} messages are missing.",
        ),
        "gap_topic_behind_most": plural(
            "{topic}, at {to}: too much was published meanwhile."
            " Of partition {partition} at most {n} message is left out, from offset {offset} on.",
            "{topic}, at {to}: too much was published meanwhile."
            " Of partition {partition} at most {n} messages are left out, from offset {offset} on.",
        ),
        "gap_topic_deleted": gettext("{topic}, at {to}: the topic was deleted. Messages may be missing."),
        "gap_topic_replaced": gettext("{topic}, at {to}: the topic was made anew. Messages may be missing."),
        "gap_topic_truncated": gettext(
            "{topic}, at {to}: Kafka lost messages of partition {partition} from offset {offset} on."
            " Others may have taken their places."
        ),
    }


def later_strings() -> Strings:
    """The strings by key for scripts that are loaded later."""
    return (
        _detail_strings()
        | _acknowledge_strings()
        | _group_strings()
        | _notification_strings()
        | _browser_strings()
        | _keyspace_strings()
        | _filter_strings()
        | _volume_strings()
        | _view_strings()
        | _recording_menu_strings()
        | _lesson_strings()
    )


def _status_strings() -> Strings:
    return {
        "status_idle": gettext("Choose a channel"),
        "welcome_off": gettext("Not listening now"),
        "status_connecting": gettext("Connecting"),
        "status_live": gettext("Live"),
        "status_live_but": plural("Live; Redis refused {n} name", "Live; Redis refused {n} names"),
        "lost_server": gettext("Reconnecting to the server, lost since {time}."),
        "lost_redis": gettext("The server is reconnecting to Redis, lost since {time}."),
        "lost_proxy": gettext(
            "Reconnecting since {time}. The server answers, but no WebSocket gets through:"
            " look at the proxy in between."
        ),
        "status_refused": gettext("Refused: {reason}"),
        "refused_long": gettext(
            "Refused: the request is too long for a proxy in between ({status})."
            " Listen to fewer names, or delete this site's cookies."
        ),
        "refused_mute": gettext(
            "Refused: what answers here ({status}) has no such feed."
            " Look at the proxy in between, or load the page again."
        ),
    }


def _feed_strings() -> Strings:
    return {
        "gap_redis": gettext("No connection to Redis from {from} to {to}: messages may be missing."),
        "gap_server": gettext("No connection to the server from {from} to {to}: messages may be missing."),
        "gap_shard": gettext(
            "The sharded channel {channel} was not received from {from} to {to}: messages may be missing."
        ),
        "gap_since": gettext("Published since {since}."),
        "gap_lasts": gettext("No connection to the server since {from}: messages may be missing."),
        "gap_recorder": gettext("{channel} was not recorded from {from} to {to}: messages may be missing."),
        "gap_log": gettext("{channel}: the recording no longer has the messages from {from} to {to}."),
        "gap_replaced": gettext(
            "{channel}: its recording was replaced; messages from {from} to {to} may be missing."
        ),
        "gap_unreadable": gettext(
            "{channel}: its recording could not be read; messages from {from} to {to} may be missing."
        ),
        "gap_unrecorded": gettext(
            "{channel} is not recorded any more; messages from {from} to {to} may be missing."
        ),
        "skipped": plural(
            "{n} message arrived meanwhile and is not shown",
            "{n} messages arrived meanwhile and are not shown",
        ),
        "fell_out": plural(
            "{n} message arrived meanwhile and is gone: the newest 10,000 are kept",
            "{n} messages arrived meanwhile and are gone: the newest 10,000 are kept",
        ),
        "older": plural("{n} older message is not shown", "{n} older messages are not shown"),
        "new": plural("{n} new", "{n} new"),
        "cleared": plural("{n} message was cleared.", "{n} messages were cleared."),
        "undo": gettext("Undo"),
        "pause": gettext("Pause"),
        "resume": gettext("Resume"),
        "matching": gettext("{matching} of {n}"),
        "odd_count": plural("{n} message could not be read", "{n} messages could not be read"),
        "all_hidden": gettext("Hidden with their channels: {n}"),
        "nothing_matches": gettext("Nothing matches. Messages kept: {n}"),
        "regex_bad": gettext("{regex} is not a regular expression; nothing is filtered."),
        "regex_slow": gettext(
            "{regex} is too slow: it was stopped, and nothing is filtered. Make it simpler."
        ),
        "regex_unable": gettext(
            "Regular expressions cannot be searched for: a part of the page did not start."
            " Nothing is filtered; load the page again."
        ),
        "glob_long": gettext("Between two * there can be at most {n} characters; nothing is filtered."),
        "filter_deep": gettext("Too many brackets; nothing is filtered."),
        "severity_bad": gettext("{severity} is not a severity: choose from {ranks}. Nothing is filtered."),
        "severity_meant": gettext("Write severity{sign}{value} for a severity. Nothing is filtered."),
        "number_bad": gettext(
            "{value} is no number: write one, such as {field}{sign}3000. Nothing is filtered."
        ),
        "export_ready": plural("{n} message, as shown", "{n} messages, as shown"),
        "exporting": gettext("{n} of {all}"),
        "exported": plural("{n} message exported", "{n} messages exported"),
        "received": gettext("received by {n}"),
        "matched": gettext("Matched by the pattern {pattern}"),
        "odd": gettext("shown as received: it could not be read"),
        "empty_message": gettext("empty message"),
        "invisible": gettext("has invisible characters"),
        "binary": gettext("binary, {size}"),
        "truncated": gettext("first {shown} of {size}"),
        "copied": gettext("Copied"),
        "not_copied": gettext("Not copied: the browser does not allow it."),
        "not_loaded": gettext(
            "The server does not answer, and this needs it once: try again when it is back."
        ),
        "not_text": gettext("not UTF-8"),
        "not_text_why": gettext("The name is not UTF-8: another channel may look the same."),
        "channel_not_text": gettext(
            "The channel's name is not UTF-8, and a form carries only text: use Copy as redis-cli."
        ),
    }


def _reading_strings() -> Strings:
    return {
        "show_all": gettext("Show all ({size})"),
        "show_more": gettext("Show more (of {size})"),
        "decoded": gettext("decoded from {format}"),
        "decoded_part": gettext("decoded from {format}, only the beginning"),
        "quoted": gettext("decoded: JSON in a string"),
        "coded": gettext("without terminal codes"),
        "pins_full": gettext("At most {n} messages can be pinned: unpin one first."),
        "severity_critical": gettext("Critical"),
        "severity_error": gettext("Error"),
        "severity_warning": gettext("Warning"),
        "severity_info": gettext("Info"),
        "severity_debug": gettext("Debug"),
    }


def _lesson_strings() -> Strings:
    return {
        "listening": plural("{n} listening now", "{n} listening now"),
        "listening_none": gettext("Nobody is listening now"),
        "listening_patterns": plural("{n} more pattern may match", "{n} more patterns may match"),
        "lane_nothing": gettext("Nothing: I was not here."),
        "lane_unrecorded": gettext("Nothing either: none of these channels is recorded."),
        "try": gettext("Try it"),
        "try_close": gettext("Close what there is to try"),
        "try_done": gettext("done"),
        "try_open": gettext("not yet"),
        "try_tab": gettext("Open a second tab"),
        "try_tab_why": gettext("Each tab is a subscriber of its own."),
        "try_publish": gettext("Publish a message"),
        "try_publish_why": gettext("All who listen receive it, and Redis counts them."),
        "try_nobody": gettext("Publish where nobody listens"),
        "try_nobody_why": gettext("Redis keeps nothing: the message is gone."),
        "try_late": gettext("Arrive late"),
        "try_late_why": gettext("Who was not there gets nothing of what was before."),
        "try_sample": gettext("Is anybody there?"),
        "try_recording": gettext("Recording adds a memory: a page that comes back gets what it missed."),
        "try_kafka": gettext("Kafka adds partitions, consumer groups and weeks of disk."),
    }


def _detail_strings() -> Strings:
    return {
        "show_rest": gettext("Show {n} more"),
        "fact_event": gettext("Event"),
        "fact_key": gettext("Key"),
        "fact_database": gettext("Database"),
        "fact_channel": gettext("Channel"),
        "fact_shard": gettext("Sharded channel"),
        "fact_receivers": gettext("Received by"),
        "fact_patterns": gettext("Matched by"),
        "fact_size": gettext("Size"),
        "fact_recorded": gettext("Recorded"),
        "not_recorded": gettext("no: there is no link to what is live only"),
        "field_for": gettext("Filter for {field}"),
        "field_out": gettext("Exclude {field}"),
        "field_path": gettext("Copy the path {field}"),
        "field_unable": gettext("This field cannot be filtered for."),
        "context_first": gettext("Nothing came before it here."),
        "context_last": gettext("Nothing has come after it."),
        "context_gone": gettext("The page no longer has what was around it."),
        "link_bad": gettext("The link names no message: the id is one such as 1763879938123-41."),
        "link_nowhere": gettext("The link names no channel."),
        "link_gone": gettext("The recording of {channel} no longer has this message."),
    }


def _filter_strings() -> Strings:
    return {
        "filter_list": gettext("Suggestions"),
        "filter_levels": gettext("Levels"),
        "filter_examples": gettext("Examples"),
        "filter_meant": gettext("Did you mean:"),
        "filter_count": "{n}",
        "filter_word": gettext("has the word"),
        "filter_level": gettext("at least as bad"),
        "filter_field": gettext("the field is this"),
        "filter_number": gettext("the number is greater"),
        "filter_channel": gettext("the channel has this in its name"),
        "filter_not": gettext("is not so"),
        "filter_or": gettext("one of them"),
        "filter_has": gettext("has the field"),
        "filter_regex": gettext("a regular expression"),
    }


def _acknowledge_strings() -> Strings:
    return {
        "take": gettext("Acknowledge"),
        "take_live": gettext("Live only: nothing keeps who has taken it."),
        "take_name": gettext("Your name"),
        "take_not": gettext("Not now"),
        "take_seen": gettext("Everybody who reads the channel sees it. This browser keeps it."),
        "take_who": gettext("Who takes it?"),
        "taken_by": gettext("taken by {name}, {time}"),
    }


def _notification_strings() -> Strings:
    return {
        "unread": plural("{n} unread", "{n} unread"),
        "unread_line": plural("{n} new since you looked away", "{n} new since you looked away"),
        "notified": gettext("{n} new, the last in {channel}"),
        "notify_denied": gettext("The browser does not allow notifications for this page."),
        "notify_unable": gettext("This browser does not show the notifications of a page."),
        "notify_sample": gettext("This is what a notification looks like."),
        "notify_never": gettext("Nothing notifies you: no channel may."),
        "notify_quiet": gettext("Nothing notifies you now: these are quiet hours."),
        "sound_unable": gettext("This browser does not play the sounds of a page."),
        "sound_waits": gettext("This browser keeps the page silent until you click in it."),
    }


def _group_strings() -> Strings:
    return {
        "group_n": gettext("×{n}, last {ago}"),
        "group_resolved": gettext("resolved, ×{n}"),
        "group_open": gettext("Show the equal messages"),
    }


def _volume_strings() -> Strings:
    return {
        "volume_now": gettext("now"),
        "volume_bar": plural("{from} to {to}: {n} message", "{from} to {to}: {n} messages"),
        "volume_kind": "{kind}: {n}",
        "volume_unread": plural("{n} severity not read", "{n} severities not read"),
        "volume_gap": gettext("messages may be missing"),
        "volume_n": plural("{n} message", "{n} messages"),
        "volume_point": gettext("Point in time"),
        "volume_past": gettext("recorded, of any severity"),
        "volume_critical": gettext("last critical {ago}"),
    }


def _view_strings() -> Strings:
    return {
        "views_all": gettext("Everything"),
        "views_problems": gettext("Problems"),
        "view_actions": gettext("Actions of the view {name}"),
        "view_save": gettext("Save this view"),
        "view_name": gettext("Name of the view"),
        "view_range": gettext("Time range"),
        "range_live": gettext("Live"),
        "range_15m": gettext("Last 15 minutes, where recorded"),
        "range_1h": gettext("Last hour, where recorded"),
        "range_from": gettext("From {since}"),
        "view_keep": gettext("Save"),
        "view_exists": gettext("There is a view named {name}. Its content would be lost."),
        "view_replace": gettext("Replace it"),
        "view_saved": gettext("Saved"),
        "view_link": gettext("Copy link"),
        "view_rename": gettext("Rename the view"),
        "view_drop": gettext("Delete the view"),
        "view_dropped": gettext("Deleted: {name}"),
        "views_more": gettext("Actions of the views"),
        "views_full": gettext("At most {max} views are kept: delete one first."),
        "views_export": gettext("Export the views"),
        "views_export_none": gettext("No view is saved yet."),
        "views_import": gettext("Import views"),
        "views_imported": plural(
            "{n} view was imported; already here: {same}.", "{n} views were imported; already here: {same}."
        ),
        "views_none": gettext("The file has no views that were exported here. Nothing was imported."),
        "views_bad": gettext("View number {n} of the file cannot be used. Nothing was imported."),
        "view_cancel": gettext("Cancel"),
        "view_close": gettext("Close"),
        "view_beside": gettext("Open beside"),
        "panes": gettext("Panes"),
        "panes_full": gettext("At most {max} panes are shown: close one first. Each counts as a page."),
        "pane_own": gettext("This page"),
        "pane_unnamed": gettext("Pane {n}"),
        "pane_alone": gettext("Open alone"),
        "pane_close": gettext("Close the pane {name}"),
        "views_wall": gettext("Show on a wall"),
        "wall_leave": gettext("Leave the wall"),
        "wall_rate": gettext("Rate"),
        "wall_critical": gettext("Last critical"),
        "wall_last": gettext("Last message"),
        "wall_none": gettext("none yet"),
        "wall_network": gettext("This computer has had no network since {time}"),
        "wall_server": gettext("The server has been unreachable since {time}"),
        "wall_redis": gettext("Redis has been unreachable since {time}"),
        "wall_proxy": gettext("The server answers, but no WebSocket has got through since {time}"),
        "wall_refused": gettext("Refused: {reason}"),
    }


def _past_strings() -> Strings:
    return {
        "no_channels": gettext("The server did not answer."),
        "past": gettext("This is the past, not live."),
        "past_end": gettext("The past ends here."),
        "since_bad": gettext("{text} is not a point in time: write 10m, 14:30, 100 or first."),
        "past_none": gettext("There is nothing from then on."),
        "searched": gettext("{n} searched, {found} found"),
    }


def _selection_strings() -> Strings:
    return {
        "solo": gettext("Show only {name}"),
        "hide": gettext("Hide {name}"),
        "chip_seen": gettext("Click to show only this. Last message at {time}"),
        "chip_unseen": gettext("Click to show only this. No message yet"),
        "per_second": gettext("{n}/s"),
        "all_channels": gettext("All channels"),
        "volume": plural(
            "{name}, last 5 minutes: {n} message, {now} a second now, {max} at most",
            "{name}, last 5 minutes: {n} messages, {now} a second now, {max} at most",
        ),
        "remove_channel": gettext("Remove channel {name}"),
        "remove_pattern": gettext("Remove pattern {name}"),
        "remove_shard": gettext("Remove sharded channel {name}"),
        "shard": gettext("shard"),
        "chip_refused": gettext("Refused by Redis: {error}"),
        "name_empty": gettext("Type the name of a channel or a pattern."),
        "name_long": gettext("A name has at most {max} bytes; this one has {bytes}."),
        "name_control": gettext("A name cannot contain control characters."),
        "left_out": plural(
            "{n} name of the link is left out: {names}.", "{n} names of the link are left out: {names}."
        ),
        "selection_full": gettext("At most {max} channels and patterns at once: remove one first."),
    }


def _recording_strings() -> Strings:
    return {
        "recorded": gettext("recorded"),
        "keyspace_event": gettext("by event"),
        "keyspace_space": gettext("by key"),
        "recorded_until": gettext("not recorded since {time}"),
        "recording_on": gettext("{name} is recorded: a page that was away gets what it missed."),
        "recording_off": gettext(
            "{name} is live only: a page that was away misses what was published meanwhile."
        ),
        "recording_stopped": gettext("{name} has not been recorded since {time} and is live only: {error}"),
    }


def _recording_menu_strings() -> Strings:
    return {
        "record": gettext("Record from now on"),
        "record_no": gettext("Stop recording"),
        "forget_sure": gettext("The recording of {name} is deleted for everyone."),
    }


def _browser_strings() -> Strings:
    return {
        "alive": plural("{n} channel", "{n} channels"),
        "alive_patterns": plural("{n} pattern", "{n} patterns"),
        "alive_cut": gettext("The first {n} are shown: search for the rest."),
        "unknown": gettext("unknown"),
        "watch": gettext("Watch"),
        "watch_name": gettext("Watch {name}"),
        "unwatch": gettext("Stop watching"),
        "unwatch_name": gettext("Stop watching {name}"),
    }


def _keyspace_strings() -> Strings:
    return {
        "keyspace": gettext("Keyspace events"),
        "keyspace_open": gettext("Keyspace events…"),
        "keyspace_all": gettext("all"),
        "keyspace_kind": gettext("Kind"),
        "keyspace_keys": gettext("Keys, such as user:*"),
        "keyspace_events": gettext("Events"),
        "keyspace_any": gettext("all of these"),
        "keyspace_on": gettext("Redis publishes them."),
        "keyspace_part": gettext("Redis does not publish all of them. Missing: {letters}. This adds it:"),
        "keyspace_off": gettext("Redis does not publish them. This switches them on:"),
        "keyspace_set": gettext("This switches them on, and replaces what is set:"),
        "copy_command": gettext("Copy"),
    }


def _settings_strings() -> Strings:
    return {
        "zone_local": gettext("All times are those of this computer: {zone}"),
        "zone_utc": gettext("All times are UTC; quiet hours are those of this computer: {zone}"),
        "keeps_nothing": gettext(
            "This browser cannot save more for this page: changes last until the page is closed."
        ),
        "kept_spoilt": gettext("What this browser has saved cannot be read: the next choice replaces it."),
    }


def _publish_strings() -> Strings:
    return {
        "receivers": plural("{n} subscriber received it", "{n} subscribers received it"),
        "tabs": plural("{n} tab", "{n} tabs"),
        "others": plural("{n} other", "{n} others"),
        "receivers_at_least": plural(
            "At least {n} subscriber received it", "At least {n} subscribers received it"
        ),
        "receivers_uncounted": gettext("Nobody was counted, but not all of the cluster could be."),
        "receivers_twice": gettext("a tab counts once for each of its names that match"),
        "receivers_note": gettext("open pages included"),
        "receivers_none": gettext("Nobody was listening: this message is gone."),
        "channel_empty": gettext("Type the channel to publish to."),
        "message_long": gettext("The message has {size}; at most {max} can be published."),
        "times_wrong": gettext("Publish it from 1 to {max} times."),
        "burst_stop": gettext("Stop ({at} of {times})"),
        "burst_done": gettext("the last of {n} messages"),
        "burst_broken": gettext("{n} were published before."),
        "confirm": gettext("{channel} is protected."),
        "confirm_empty": gettext("The message is empty."),
        "not_confirmed": gettext("Nothing was published."),
        "replaced": gettext("This replaced what was in the form."),
        "size": gettext("{size} of {max}"),
        "json_valid": gettext("valid JSON"),
        "returns_kept": gettext("its carriage returns are sent too, unless you edit it"),
        "returns_lost": gettext("edited: its carriage returns are gone"),
        "json_broken": gettext("Invalid JSON at line {line}, column {column}"),
        "forget": gettext("Delete {name}"),
        "draft_long": gettext("A message of more than {max} characters is not kept here."),
        "templates_full": gettext("At most {max} templates are kept: delete one first."),
        "no_answer": gettext("The server did not answer. Your text is kept."),
        "strange_answer": gettext("The server answered with status {status}. Your text is kept."),
    }


def plural(one: str, many: str) -> str:
    """Both forms in the language of the request, merged: ``{n} {channel|channels}``."""
    return merge(ngettext(one, many, 1), ngettext(one, many, 2))


def merge(one: str, many: str) -> str:
    """Write once what two forms have in common."""
    ones, others = re.findall(r"\s+|\S+", one), re.findall(r"\s+|\S+", many)
    merged = ""
    for tag, start, end, other_start, other_end in SequenceMatcher(a=ones, b=others).get_opcodes():
        text, other = "".join(ones[start:end]), "".join(others[other_start:other_end])
        merged += text if tag == "equal" else f"{{{text}|{other}}}"
    return merged
