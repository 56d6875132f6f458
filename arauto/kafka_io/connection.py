"""Clients of one Kafka, for queries and for reading: they join no group and commit nothing."""

import logging
import re
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, Literal, NamedTuple, TypeVar

from confluent_kafka import Consumer, KafkaError, KafkaException
from confluent_kafka.admin import AdminClient

from arauto.i18n.gettext import gettext
from arauto.kafka_io.kafka_url import KafkaUrl
from arauto.refusal import Refusal
from arauto.system.native_calls import Busy, NativeCalls
from arauto.system.native_thread import check_room
from arauto.system.resource_errors import NoThread

DEADLINE = 2.0  # seconds for each query to Kafka
CALLS = 8  # at a time in one process; each has a consumer, which has a few threads of its own
KEPT = 2  # idle consumers, for the next call
GROUP = "arauto"  # a consumer must name one, also if it does not join it

THREADS = 16  # more than a client of a few brokers starts with

Kind = Literal[
    "away", "beyond", "crowded", "leaderless", "login", "partition", "refused", "ssl", "threads", "unknown",
    "unreached",
]  # fmt: skip

COMMON: dict[str, Any] = {
    "client.id": "arauto",
    # Documented for consumers, but producers and AdminClients too would recreate a topic that was deleted:
    # they refresh by themselves what they know of it.
    "allow.auto.create.topics": False,
    "log_level": 0,  # our log has the errors
    "reconnect.backoff.max.ms": 1000,
    "socket.nagle.disable": True,  # else an answer may wait 40 ms for an acknowledgement
    "socket.connection.setup.timeout.ms": 2000,
}
CONSUMER: dict[str, Any] = {
    "group.id": GROUP,
    "enable.auto.commit": False,
    "enable.auto.offset.store": False,
    "enable.partition.eof": True,
    "auto.offset.reset": "error",  # messages that were deleted are reported, not skipped
    "fetch.wait.max.ms": 10,  # a fetch that the broker holds delays the next assignment
    "fetch.error.backoff.ms": 50,
    "queued.max.messages.kbytes": 4096,
    "queued.min.messages": 10_000,  # as many as a page takes: more would be fetched in vain
    "fetch.queue.backoff.ms": 10,  # else a partition whose queue was full waits a second
}
PRODUCER: dict[str, Any] = {
    "enable.idempotence": True,
    "acks": "all",
    "topic.metadata.propagation.max.ms": 2000,  # until a missing topic is reported
}
_AWAY = {
    KafkaError._TRANSPORT, KafkaError._ALL_BROKERS_DOWN, KafkaError._TIMED_OUT, KafkaError._RESOLVE,
    KafkaError._DESTROY_BROKER, KafkaError._WAIT_COORD, KafkaError._TIMED_OUT_QUEUE,
    KafkaError.LEADER_NOT_AVAILABLE, KafkaError.NOT_LEADER_FOR_PARTITION, KafkaError.BROKER_NOT_AVAILABLE,
    KafkaError.REQUEST_TIMED_OUT, KafkaError.NETWORK_EXCEPTION, KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
    # While a partition gets another leader. All partitions that we ask for existed a moment before.
    KafkaError.FENCED_LEADER_EPOCH, KafkaError.UNKNOWN_LEADER_EPOCH, KafkaError.OFFSET_NOT_AVAILABLE,
    KafkaError._UNKNOWN_PARTITION,
}  # fmt: skip
_NO_LOGIN = {KafkaError._AUTHENTICATION, KafkaError.SASL_AUTHENTICATION_FAILED}
_REASONS = {*_NO_LOGIN, KafkaError._SSL}
# A broker with a number: its address comes from another broker, not from KAFKA_URL.
_UNREACHED = re.compile(r"(\S+)/\d+: (?:Connect to|Failed to resolve) ")
_UNKNOWN = {KafkaError.UNKNOWN_TOPIC_OR_PART, KafkaError._UNKNOWN_TOPIC, KafkaError.UNKNOWN_TOPIC_ID}
_KINDS: dict[Kind, set[int]] = {
    "login": _NO_LOGIN,
    "unknown": _UNKNOWN,
    "away": _AWAY,
    "ssl": {KafkaError._SSL},
    "threads": {KafkaError._CRIT_SYS_RESOURCE},
}

log = logging.getLogger("arauto")
T = TypeVar("T")


class KafkaFailed(Refusal):
    """Kafka does not answer, or refuses; the text is a sentence to be shown."""

    status = 502
    trouble: "Trouble | None" = None  # if the error is Kafka's own


class KafkaLink:
    """The connection to Kafka; one for each application."""

    def __init__(self, url: KafkaUrl) -> None:
        self.config = url.config | COMMON
        self._calls = NativeCalls(CALLS)
        self._idle: deque[_QueryConsumer] = deque()
        self._admins: dict[str, AdminClient] = {}

    @property
    def admin(self) -> AdminClient:
        """One client for all: its pending requests fail when it is deleted."""
        if not self._admins:
            check_threads()
        return self._admins.get("") or self._admins.setdefault("", AdminClient(self.config))

    def ask(self, question: Callable[[Consumer], T]) -> T:
        """Return what ``question`` returns, called with a consumer of its own. It must return by itself.

        :raise KafkaFailed: Kafka does not answer, or refuses.
        """
        return self.call(lambda: self._ask(question))

    def call(self, function: Callable[[], T]) -> T:
        """Return what ``function`` returns; see :class:`NativeCalls`.

        :raise KafkaFailed: Kafka does not answer, or refuses.
        """
        try:
            return self._calls.run(function, wait=DEADLINE)
        except Busy:
            sentence = gettext("Too many are asking Kafka: try again in a moment.")
            raise KafkaFailed(sentence, 503, retry_after=1) from None
        except KafkaException as error:
            raise refusal(error.args[0]) from None

    def _ask(self, question: Callable[[Consumer], T]) -> T:
        try:
            client = self._idle.pop()
        except IndexError:
            check_threads()
            client = _QueryConsumer(self.config)
        try:
            answer = client.ask(question)
        except BaseException:
            client.consumer.close()
            raise
        if len(self._idle) < KEPT:
            self._idle.append(client)
        else:
            client.consumer.close()
        return answer


class _QueryConsumer:
    """A consumer, and the errors of its connections."""

    def __init__(self, config: dict[str, Any]) -> None:
        self._errors: deque[KafkaError] = deque(maxlen=10)
        self._config = config
        self.consumer = Consumer(config | CONSUMER | {"error_cb": self._errors.append})

    def ask(self, question: Callable[[Consumer], T]) -> T:
        self._errors.clear()
        try:
            return question(self.consumer)
        except KafkaException as error:
            # The error is often a mere timeout: the connections' errors say why.
            self.consumer.poll(0)
            raise KafkaException(reason(error.args[0], self._errors, self._config)) from None


def check_threads() -> None:
    """Call before making a client: the library ends the process if it cannot start its first threads.

    :raise KafkaException: too few threads can be started.
    """
    try:
        check_room(THREADS)
    except NoThread:
        raise KafkaException(KafkaError(KafkaError._CRIT_SYS_RESOURCE)) from None


def reason(error: KafkaError, reported: Iterable[KafkaError], config: dict[str, Any]) -> KafkaError:
    """The cause of ``error``, if it is among the connection errors that a client with ``config`` reported."""
    ours = config["bootstrap.servers"].split(",")
    is_away = trouble(error).kind == "away"
    for one in reported:
        unreached = _UNREACHED.match(one.str())
        if one.code() in _REASONS or (is_away and unreached and unreached[1] not in ours):
            return one
    return error


class Trouble(NamedTuple):
    """What is wrong with Kafka or with a request to it; ``words`` are Kafka's, or values for the sentence."""

    kind: Kind
    words: str


def trouble(error: KafkaError) -> Trouble:
    """Classify an error."""
    if unreached := _UNREACHED.match(error.str()):
        return Trouble("unreached", unreached[1])
    code = error.code()
    for kind, codes in _KINDS.items():
        if code in codes:
            return Trouble(kind, error.str())
    return Trouble("refused", error.str())


def say(found: Trouble) -> str:
    """A sentence for it, in the language of this request."""
    match found.kind:
        case "login":
            return gettext("Kafka does not accept the user and password of KAFKA_URL.")
        case "unknown":
            return gettext("Kafka has no such topic, or no such partition of it.")
        case "away":
            return gettext("Kafka does not answer.")
        case "crowded":
            return gettext(
                "This server process reads %(n)s topics already: it begins when one of them is closed.",
                n=found.words,
            )
        case "leaderless":
            return gettext("No broker leads partition %(words)s of it now.", words=found.words)
        case "partition":
            return gettext(
                "There is no such partition: since can name 0 to %(last)s."
                " What it does not name is shown from now on.",
                last=found.words,
            )
        case "beyond":
            return gettext(
                "It ends before that offset: it is shown from %(place)s on, which is its end.",
                place=found.words,
            )
        case "unreached":
            return gettext(
                "Kafka says that a broker is at %(words)s, and nobody answers there: "
                "look at its advertised.listeners.",
                words=found.words,
            )
        case "ssl":
            return gettext(
                "The TLS connection to Kafka fails. The server log says why; look at ARAUTO_KAFKA_CA."
            )
        case "threads":
            return gettext("The server can start too few threads for Kafka now.")
        case _:
            return gettext("Kafka refuses: %(words)s", words=found.words)


def refusal(error: KafkaError) -> KafkaFailed:
    """Log an error, and make an exception with a sentence of it."""
    log.warning("kafka failed why=%r", error.str())
    found = trouble(error)
    status = {"unknown": 404, "away": 503, "unreached": 503, "threads": 503}.get(found.kind)
    failed = KafkaFailed(say(found), status, retry_after=1 if status == 503 else None)
    failed.trouble = found
    return failed
