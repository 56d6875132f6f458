"""Strings about topics, for parts of the page that are opened on demand."""

from arauto.i18n.client_strings import Strings, plural
from arauto.i18n.gettext import gettext


def topic_later_strings() -> Strings:
    """The strings by key; loaded on demand, and only with Kafka."""
    return _about_strings() | _partition_strings() | _group_strings() | _share_strings()


def _about_strings() -> Strings:
    return {
        "about_title": gettext("Topic {name}"),
        "about_close": gettext("Close"),
        "about_asking": gettext("Asking Kafka …"),
        "about_old": gettext("What is shown is of {time}."),
        "about_has_partitions": plural("{n} partition.", "{n} partitions."),
        "about_kept_unknown": gettext("Kafka does not tell how long it keeps a message."),
        "about_kept_forever": gettext("It keeps a message without a limit of time."),
        "about_kept_for": gettext("It keeps a message at least {time}, then deletes it."),
        "about_kept_bytes": gettext("Of a partition it keeps about {size}, then deletes what is oldest."),
        "about_compact": gettext("Of each key it keeps the newest message."),
        "about_unknown": gettext("unknown"),
    }


def _partition_strings() -> Strings:
    return {
        "about_partitions": gettext("Partitions"),
        "about_partition": gettext("Partition"),
        "about_first": gettext("First offset"),
        "about_next": gettext("Next offset"),
        "about_messages": gettext("Messages at most"),
        "about_leader": gettext("Leader"),
        "about_leaderless": gettext("none"),
        "about_in_sync": gettext("In-sync replicas"),
        "about_in_sync_of": gettext("{n} of {all}"),
        "about_too_few": gettext("under-replicated"),
    }


def _group_strings() -> Strings:
    return {
        "about_groups": gettext("Consumer groups"),
        "about_no_groups": gettext("No consumer group reads this topic."),
        "about_refused": plural(
            "{n} group is not shown: Kafka does not let the user of KAFKA_URL look at it, "
            "or its answer cannot be read.",
            "{n} groups are not shown: Kafka does not let the user of KAFKA_URL look at them, "
            "or its answers cannot be read.",
        ),
        "about_cut": gettext("Kafka has more than 200 groups: only the first 200 by name were asked."),
        "about_stable": gettext("stable"),
        "about_empty": gettext("empty"),
        "about_preparing_rebalancing": gettext("preparing a rebalance"),
        "about_completing_rebalancing": gettext("completing a rebalance"),
        "about_dead": gettext("dead"),
        "about_members": plural("{n} member", "{n} members"),
        "about_member": gettext("Member"),
        "about_has": plural("partition {which}", "partitions {which}"),
        "about_waits": gettext("no partition of this topic"),
        "about_committed": gettext("Committed offset"),
        "about_nothing": gettext("nothing yet"),
        "about_lag": gettext("Lag"),
        "about_lag_of": gettext("Lag of {name}"),
        "about_lag_sum": gettext("lag {n}"),
        "about_lag_unknown": gettext("lag unknown"),
        "about_unknown_of": plural("unknown of {n} partition", "unknown of {n} partitions"),
        "about_each": gettext("By partition"),
        "about_chart": gettext("Lag of {name} since {time}: {n} now, {most} at most"),
        "about_chart_unknown": gettext("Lag of {name} since {time}: unknown now, {most} at most"),
    }


def _share_strings() -> Strings:
    return {
        "share_intro": gettext(
            "Redis gives each message to every subscriber."
            " Kafka gives it to one member of each consumer group."
        ),
        "share_no_topic": gettext("Kafka has no topic {name} yet. Make it with two partitions:"),
        "share_one_partition": gettext(
            "The topic {name} has one partition, which only one worker can have. Give it a second:"
        ),
        "share_start": gettext("Start this in two terminals, with the address of your Kafka:"),
        "share_nobody": gettext("No worker is there yet."),
        "share_one": gettext("One worker is there, and has all: start it once more."),
        "share_publish": gettext("Publish 10 tasks"),
        "share_task": gettext("Task {n} of 10, {run}"),
        "share_who": gettext("Who"),
        "share_got": gettext("Got"),
        "share_tasks": gettext("Tasks"),
        "share_table": gettext("Who got which task"),
        "share_subscriber": gettext("Redis: subscriber {n}, a WebSocket of this page"),
        "share_worker": gettext("Kafka: {name}"),
        "share_waiting": gettext("The workers say to Kafka every few seconds what they have done."),
        "share_shared": gettext("Each subscriber of Redis got all 10; the workers shared them."),
        "share_alone": gettext("All is done, but by one worker alone: publish again when there are two."),
    }
