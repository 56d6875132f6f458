"""Real Apache Kafka for the tests: a broker that is its own controller (KRaft).

Maven downloads it at first use, from the repository in Maven's settings, into a directory outside the tree.
"""

import fcntl
import hashlib
import os
import re
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import lru_cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, Protocol

from confluent_kafka import KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import (  # type: ignore[attr-defined]  # it does not say what it exports
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    NewPartitions,
    NewTopic,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)
from cryptography.hazmat.primitives import serialization

from tests.support.certificates import make_certificates
from tests.support.redis_servers import free_port, release_port
from tests.support.servers import ROOT, ArautoServer
from tests.support.waiting import PATIENCE, eventually

POM = ROOT / "tests/data/kafka/pom.xml"
JAVA = 17  # the oldest version that Kafka runs on
REAL = "real_kafka"
"""The mark of tests that need Apache Kafka, with the reason; see small_kafka.py."""

PATIENT = """
from arauto.kafka_io import producer, retention, topic_identity, topic_list, topic_pages
producer.DEADLINE = retention.DEADLINE = topic_list.DEADLINE = topic_pages.DEADLINE = 30.0
topic_identity.DEADLINE = 30.0
"""
"""``ALTER`` for a program that waits longer for Kafka, since the machine is busy."""

_SMALL = [
    "-Xms64m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-Djava.net.preferIPv4Stack=true",
]
# A restarted broker may register once the session of its predecessor has expired.
_LIMITS = """
offsets.topic.num.partitions=1
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
broker.heartbeat.interval.ms=200
broker.session.timeout.ms=1000
num.network.threads=1
num.io.threads=2
log.cleaner.dedupe.buffer.size=4194304
log.cleaner.backoff.ms=200
"""
# Each topic maps two files of this size. The broker keeps its session while it creates them.
_MANY = """
log.index.size.max.bytes=4096
log.segment.bytes=1048576
broker.session.timeout.ms=20000
"""
# Committed offsets survive the loss of a broker.
_SHARED = """
offsets.topic.replication.factor=3
"""
# One user logs in by PLAIN; users of SCRAM are created by a command.
_LOGINS = """
sasl.enabled.mechanisms=SCRAM-SHA-512,PLAIN
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=\
 org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.sasl_ssl.plain.sasl.jaas.config=\
 org.apache.kafka.common.security.plain.PlainLoginModule required user_{user}="{password}";
ssl.keystore.type=PEM
ssl.keystore.location={store}
"""
# A topic with a rule is open only to the users that its rules name.
_RULES = """
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
allow.everyone.if.no.acl.found=true
"""
USER, PASSWORD = "ana", "a long password: with / and @"


def version() -> str:
    """The version of Apache Kafka."""
    found = re.search(r"<artifactId>kafka_\S+</artifactId>\s*<version>(.*)</version>", POM.read_text())
    assert found
    return found[1]


@lru_cache
def can_run() -> bool:
    """Whether this machine can run Apache Kafka: it has Java, and Maven if Kafka is not downloaded yet."""
    if not shutil.which("java") or not (_wanted().exists() or shutil.which("mvn")):
        return False
    output = subprocess.run(["java", "-version"], stderr=subprocess.PIPE, text=True, check=False).stderr
    found = re.search(r'version "(\d+)', output)
    return found is not None and int(found[1]) >= JAVA


def _wanted() -> Path:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "arauto-tests"
    return cache / f"kafka-{hashlib.sha256(POM.read_bytes()).hexdigest()[:12]}"


def libraries() -> Path:
    """The directory of Kafka's jars, which are downloaded if they are missing.

    :raise AssertionError: Maven could not download them.
    """
    wanted = _wanted()
    cache = wanted.parent
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as lock:  # several processes run tests
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not wanted.exists():
            _fetch(wanted)
    return wanted


def _fetch(wanted: Path) -> None:
    made = mkdtemp(dir=wanted.parent)
    command = ["mvn", "--batch-mode", "--quiet", "--file", str(POM), "dependency:copy-dependencies"]
    fetched = subprocess.run(
        [*command, f"-DoutputDirectory={made}", "-DincludeScope=runtime"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    assert fetched.returncode == 0, f"Maven does not get Kafka for the tests:\n{fetched.stdout[-3000:]}"
    Path(made).rename(wanted)


def console_command(kafka: "KafkaServer", tool: str, *arguments: str) -> list[str]:
    """The command of one of Kafka's own console programs, such as ``ConsoleProducer``."""
    command = ["java", *_SMALL, "-cp", f"{libraries()}/*", f"org.apache.kafka.tools.{tool}"]
    return [*command, "--bootstrap-server", kafka.address, *arguments]


def console(kafka: "KafkaServer", tool: str, *arguments: str, given: str = "") -> str:
    """Run one of Kafka's own console programs, and return what it prints."""
    done = subprocess.run(
        console_command(kafka, tool, *arguments),
        input=given, capture_output=True, text=True, timeout=3 * PATIENCE, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


class KafkaServer:
    """One broker on ports of its own; it can be stopped and started again.

    ``port`` needs no login. ``safe_port`` speaks TLS and needs one: ``USER`` by PLAIN, or a user of
    :meth:`create_user`. At ``astray`` the broker advertises the address ``nowhere``, where nothing listens.

    :param many: it has the memory and the small files that thousands of topics need.
    :param node: its place in ``controllers``, from 1 on: the controller ports of all brokers of the cluster.
    """

    def __init__(
        self, directory: Path, node: int = 1, controllers: list[int] | None = None, many: bool = False
    ) -> None:
        controllers = controllers or [free_port()]
        self.port, self.safe_port, self._controller = free_port(), free_port(), controllers[node - 1]
        self.address = f"127.0.0.1:{self.port}"
        self.url = f"kafka://{self.address}"
        self.astray, self.nowhere = (f"127.0.0.1:{free_port()}" for _ in range(2))
        self.log_path = directory / "log"
        self.certificates = make_certificates(directory)
        store = directory / "store.pem"
        key = serialization.load_pem_private_key(self.certificates.key.read_bytes(), None)
        as_kafka = (
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )  # fmt: skip
        store.write_bytes(key.private_bytes(*as_kafka) + self.certificates.certificate.read_bytes())
        shown = f"PLAINTEXT://127.0.0.1:{self.port},SASL_SSL://localhost:{self.safe_port}"
        data = directory / "data"
        data.mkdir()
        # As Kafka's storage tool writes it; the tool would take as long to start as the broker.
        (data / "meta.properties").write_text(
            f"version=1\nnode.id={node}\ncluster.id=MkU3OEVBNTcwNTJENDM2Qk\n"
            f"directory.id=q7kTQ2vGSUKdhm6LhUFSx{'gwQ'[node - 1]}\n"
        )
        voters = ",".join(f"{n}@127.0.0.1:{port}" for n, port in enumerate(controllers, 1))
        self._properties = directory / "server.properties"
        own = f"""
process.roles=broker,controller
node.id={node}
controller.quorum.voters={voters}
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL,ASTRAY:PLAINTEXT
listeners={shown},CONTROLLER://127.0.0.1:{self._controller},ASTRAY://{self.astray}
advertised.listeners={shown},ASTRAY://{self.nowhere}
log.dirs={data}
"""
        logins = _LOGINS.format(user=USER, password=PASSWORD, store=store)
        self._properties.write_text(
            own
            + _LIMITS
            + _RULES
            + logins
            + (_MANY if many else "")
            + (_SHARED if len(controllers) > 1 else "")
        )
        self._heap = "-Xmx2g" if many else "-Xmx256m"
        # One client for all requests: a request fails once its client is garbage collected.
        self.admin = AdminClient(self.client())
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.launch()
        self.wait()

    def launch(self) -> None:
        logging = "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn"
        classes = f"{libraries()}/*"
        with self.log_path.open("w") as log:
            self._process = subprocess.Popen(
                ["java", *_SMALL, self._heap, logging, "-cp", classes, "kafka.Kafka", str(self._properties)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
            )  # fmt: skip

    def wait(self) -> None:
        """Wait until the broker answers."""
        try:
            eventually(self._listens, why="Kafka listens")
            eventually(self._answers, why="Kafka answers")
        except AssertionError:
            self.stop()
            raise

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Within the block the broker accepts connections and answers nothing."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)
        eventually(self._answers, why="Kafka answers again")

    def close(self) -> None:
        self.stop()
        for port in (self.port, self.safe_port, self._controller):
            release_port(port)
        for address in (self.astray, self.nowhere):
            release_port(int(address.partition(":")[2]))

    def client(self, **options: Any) -> dict[str, Any]:
        """The configuration of a client of the tests."""
        return configure(self.address, **options)

    def create(self, topic: str, partitions: int = 1, **config: str) -> None:
        """Make a topic; ``_`` in the name of its setting stands for a dot."""
        named = {name.replace("_", "."): value for name, value in config.items()}

        def is_made() -> bool:
            try:
                self.admin.create_topics([NewTopic(topic, partitions, config=named)])[topic].result(PATIENCE)
            except KafkaException as error:
                if error.args[0].code() != KafkaError.INVALID_REPLICATION_FACTOR:
                    raise
                return False  # on a busy machine the controller may have missed the broker's heartbeats
            return True

        eventually(is_made, why=f"{topic} is made")
        self._wait_for(topic, partitions)

    def _wait_for(self, topic: str, partitions: int) -> None:
        """The broker learns of a new topic a little after the controller."""
        eventually(lambda: self.partitions(topic) == partitions, why=f"the broker knows {topic}")

    def partitions(self, topic: str) -> int:
        """How many the broker knows; 0 if it knows no such topic."""
        return len(self.admin.list_topics(topic, timeout=PATIENCE).topics[topic].partitions)

    def produce(self, topic: str, *messages: bytes | None, partition: int = 0, **more: Any) -> None:
        """Write messages as another program does; all replicas have confirmed them when this returns."""
        write(self.client(acks="all"), topic, *messages, partition=partition, **more)

    def trim(self, topic: str, partition: int, offset: int) -> None:
        """Delete the messages before ``offset``, as retention does."""
        end = TopicPartition(topic, partition, offset)
        self.admin.delete_records([end])[end].result(PATIENCE)

    def delete(self, topic: str) -> None:
        self.admin.delete_topics([topic])[topic].result(PATIENCE)
        eventually(lambda: topic not in self.topics(), why="the topic is gone")

    def add_partitions(self, topic: str, total: int) -> None:
        self.admin.create_partitions([NewPartitions(topic, total)])[topic].result(PATIENCE)
        self._wait_for(topic, total)

    def create_user(self, user: str, password: str) -> None:
        """Create a user that logs in by SCRAM-SHA-512."""
        info = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
        wanted = UserScramCredentialUpsertion(user, info, password.encode())
        self.admin.alter_user_scram_credentials([wanted])[user].result(PATIENCE)

    def allow(self, user: str, topic: str) -> None:
        """Let a user read a topic, which closes it to users without a rule."""
        rule = _rule(user, topic)
        self.admin.create_acls([rule])[rule].result(PATIENCE)

    def forbid(self, user: str, topic: str) -> None:
        """Remove the rule of :meth:`allow`."""
        found = _rule(user, topic)
        found = AclBindingFilter(*(getattr(found, name) for name in _PARTS))
        self.admin.delete_acls([found])[found].result(PATIENCE)

    def topics(self) -> set[str]:
        return set(self.admin.list_topics(timeout=PATIENCE).topics)

    def groups(self) -> list[str]:
        """The consumer groups it knows."""
        found = self.admin.list_consumer_groups().result(PATIENCE)
        return [group.group_id for group in found.valid]

    def _listens(self) -> bool:
        assert self.is_running, f"Kafka ended:\n{self.log_path.read_text()[-3000:]}"
        try:
            with socket.create_connection(("127.0.0.1", self.port)):
                return True
        except OSError:
            return False

    def _answers(self) -> bool:
        try:
            return bool(self.admin.list_topics(timeout=1).brokers)
        except KafkaException:
            return False


def configure(address: str, **options: Any) -> dict[str, Any]:
    """The configuration of a client of the tests: it creates no topic by asking for one."""
    return {"bootstrap.servers": address, "log_level": 0, "allow.auto.create.topics": False, **options}


def write(
    config: dict[str, Any], topic: str, *messages: bytes | None, partition: int = 0, **more: Any
) -> None:
    """Write messages as a client with ``config``; Kafka has confirmed each when this returns."""
    failed: list[Any] = []  # flush() counts a message that was given up as done

    def delivered(error: Any, message: Any) -> None:
        if error is not None:
            failed.append(error)

    producer = Producer(config)
    for message in messages:
        producer.produce(topic, message, partition=partition, on_delivery=delivered, **more)
    assert producer.flush(PATIENCE) == 0
    assert not failed, failed


_PARTS = (
    "restype", "name", "resource_pattern_type", "principal", "host", "operation", "permission_type"
)  # fmt: skip


def _rule(user: str, topic: str) -> AclBinding:
    return AclBinding(
        ResourceType.TOPIC, topic, ResourcePatternType.LITERAL, f"User:{user}", "*",
        AclOperation.READ, AclPermissionType.ALLOW,
    )  # fmt: skip


class HasUrl(Protocol):
    """A Kafka that a program can use."""

    url: str


@contextmanager
def arauto_beside(kafka: HasUrl, directory: Path, **environ: str) -> Iterator[ArautoServer]:
    """The program with one worker and long deadlines for Kafka; a traceback in its log fails the test."""
    given: Any = {"KAFKA_URL": kafka.url, "ARAUTO_WORKERS": "1", "ALTER": PATIENT, **environ}
    server = ArautoServer(directory / "log", **given)
    with closing(server):
        yield server
    assert "Traceback" not in server.log
