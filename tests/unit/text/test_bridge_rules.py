import pytest

from arauto.settings import SettingsError, read
from arauto.text.bridge_rules import Rule, read_rules

KAFKA = {"KAFKA_URL": "kafka://localhost"}


def test_rules_are_read() -> None:
    assert read_rules("alerts.* -> kafka:alerts,kafka:orders->orders , alerts.* -> kafka:alerts,") == (
        Rule(b"alerts.*", "alerts", True),
        Rule(b"orders", "orders", False),
    )
    assert read_rules("") == ()
    assert [rule.is_pattern for rule in read_rules("a.* -> kafka:a, b -> kafka:b")] == [True, False]
    # Messages of one topic may go to another one, but not back.
    assert len(read_rules("kafka:a -> x, x -> kafka:b, kafka:b -> y, z* -> kafka:a")) == 4


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("alerts", "give rules such as alerts.* -> kafka:alerts"),
        ("a -> b -> kafka:c", "give rules such as"),
        (" -> kafka:c", "give rules such as"),
        ("a -> b", "give kafka: before the topic, and not before the channel, of a -> b"),
        ("kafka:a -> kafka:b", "give kafka: before the topic, and not before the channel"),
        ("a.* -> kafka:a.*", "give the exact name of one topic, of letters .* in place of kafka:a"),
        ("kafka:a* -> b", "give the exact name of one topic"),
        ("a -> kafka:..", "give the exact name of one topic"),
        ("a -> kafka:", "give the exact name of one topic"),
        ("kafka:a -> b.*", "give the exact name of one channel in place of b.*, to which a is to go"),
        ("kafka:a -> arauto:tabs:b", "give another channel than arauto:tabs:b"),
        ("[a-é] -> kafka:a", "give each letter by itself"),
        ("é" * 129 + " -> kafka:a", "give the name of a channel of at most 256 bytes"),
        ("a.* -> kafka:a, kafka:a -> a.b", "give rules of which none gets back .* by kafka:a -> a.b and a"),
        ("kafka:a -> x, x -> kafka:b, kafka:b -> y, y -> kafka:a", "give rules of which none gets back"),
    ],
)
def test_what_cannot_be_done_is_said_with_a_remedy(text: str, remedy: str) -> None:
    with pytest.raises(SettingsError, match=rf"^ARAUTO_BRIDGE=.* does not work: {remedy}"):
        read(KAFKA | {"ARAUTO_BRIDGE": text})


def test_it_needs_a_kafka_and_a_name() -> None:
    with pytest.raises(SettingsError, match="ARAUTO_BRIDGE needs a Kafka: give KAFKA_URL"):
        read({"ARAUTO_BRIDGE": "a -> kafka:a"})
    audit = KAFKA | {"ARAUTO_BRIDGE": "b -> kafka:b, kafka:a -> a", "ARAUTO_AUDIT_CHANNEL": "a"}
    with pytest.raises(SettingsError, match="ARAUTO_BRIDGE publishes to ARAUTO_AUDIT_CHANNEL"):
        read(audit)
    assert read(audit | {"ARAUTO_AUDIT_CHANNEL": "b"}).bridge  # the audit may be stored in a topic
    cluster = KAFKA | {"ARAUTO_BRIDGE": "a -> kafka:a", "REDIS_URL": "redis+cluster://localhost"}
    with pytest.raises(SettingsError, match="ARAUTO_BRIDGE does not work with a Redis Cluster"):
        read(cluster)
    with pytest.raises(SettingsError, match="ARAUTO_BRIDGE_NAME=a b does not work: give a name of letters"):
        read({"ARAUTO_BRIDGE_NAME": "a b"})
