"""An Apache Kafka of three brokers, for tests of leaders and replicas."""

from pathlib import Path

from confluent_kafka import ElectionType, KafkaException
from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]

from tests.support.kafka_servers import KafkaServer, configure, write
from tests.support.redis_servers import free_port
from tests.support.waiting import PATIENCE, eventually


class KafkaCluster:
    """Three brokers with replicas of every topic; each can be stopped and started again."""

    def __init__(self, directory: Path) -> None:
        controllers = [free_port() for _ in range(3)]
        self.brokers: list[KafkaServer] = []
        for node in (1, 2, 3):
            (own := directory / str(node)).mkdir()
            self.brokers.append(KafkaServer(own, node, controllers))
        self.address = ",".join(one.address for one in self.brokers)
        self.url = f"kafka://{self.address}"
        self.admin = AdminClient(configure(self.address))
        try:
            self.start()
        except AssertionError:
            self.close()  # no caller has this object yet
            raise

    def start(self) -> None:
        """Start the brokers that do not run."""
        for one in self.brokers:
            if not one.is_running:
                one.launch()
        for one in self.brokers:
            one.wait()

    def close(self) -> None:
        for one in self.brokers:
            one.close()

    def create(self, topic: str, partitions: int) -> None:
        """Make a topic with three replicas, of which two must confirm each message."""
        wanted = NewTopic(topic, partitions, 3, config={"min.insync.replicas": "2"})
        self.admin.create_topics([wanted])[topic].result(PATIENCE)
        self.wait_for(topic)

    def create_unsafe(self, topic: str) -> None:
        """Make a topic on the first two brokers where a replica may lead that lacks confirmed messages."""
        config = {"unclean.leader.election.enable": "true", "min.insync.replicas": "1"}
        wanted = NewTopic(topic, 1, replica_assignment=[[1, 2]], config=config)
        self.admin.create_topics([wanted])[topic].result(PATIENCE)
        eventually(lambda: self.in_sync(topic) == [1, 2], why=f"both have {topic}")

    def in_sync(self, topic: str) -> list[int]:
        """The replicas in sync of the first partition, the leader first; none: Kafka does not answer."""
        try:
            found = self.admin.list_topics(topic, timeout=1).topics[topic].partitions.get(0)
        except KafkaException:
            return []
        return sorted(found.isrs, key=lambda one: one != found.leader) if found else []

    def produce(self, topic: str, *messages: bytes) -> None:
        """Write to the first partition, confirmed by the leader alone."""
        write(configure(self.address, acks="1"), topic, *messages)

    def wait_for(self, topic: str) -> None:
        """Wait until all replicas of a topic are in sync."""
        eventually(lambda: self._is_whole(topic), why=f"all brokers have {topic}")

    def leader(self, topic: str) -> KafkaServer:
        """The leader of the first partition."""
        found = self.admin.list_topics(topic, timeout=PATIENCE).topics[topic].partitions[0]
        return self.brokers[found.leader - 1]

    def move_leaders(self, topic: str) -> None:
        """Elect the first replica of each partition, as an administrator does after a repair."""
        self.admin.elect_leaders(ElectionType.PREFERRED).result(PATIENCE)

        def is_first() -> bool:
            parts = self.admin.list_topics(topic, timeout=1).topics[topic].partitions.values()
            return all(one.leader == one.replicas[0] for one in parts)

        eventually(is_first, why="the first replicas lead")

    def _is_whole(self, topic: str) -> bool:
        try:
            parts = self.admin.list_topics(topic, timeout=1).topics[topic].partitions.values()
        except KafkaException:
            return False
        return bool(parts) and all(len(one.isrs) == 3 and one.leader > 0 for one in parts)
