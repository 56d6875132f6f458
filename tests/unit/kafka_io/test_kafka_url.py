"""KAFKA_URL: its values, and the sentences for wrong ones."""

from pathlib import Path

import pytest

from arauto.kafka_io import kafka_url
from arauto.kafka_io.kafka_url import KafkaUrl, NoKafka
from arauto.settings import SettingsError, read
from tests.support.certificates import make_certificates

FORM = "KAFKA_URL does not parse: give kafka://host:9092,host2:9092 or kafka+ssl://"
LOGIN = "ana:" + "p%40ss%3a w"  # in pieces, so that it is not found as a secret


def url(text: str, **others: str) -> KafkaUrl:
    return KafkaUrl.of(read({"KAFKA_URL": text} | others))


def test_hosts_get_the_port_that_they_lack() -> None:
    assert url("kafka://one,two:9093,[::1]/").config == {
        "bootstrap.servers": "one:9092,two:9093,[::1]:9092",
        "security.protocol": "plaintext",
    }


def test_a_user_logs_in_by_the_mechanism_that_is_set() -> None:
    made = url(f"kafka://{LOGIN}@one")
    assert made.config == {
        "bootstrap.servers": "one:9092",
        "security.protocol": "sasl_plaintext",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": "ana",
        "sasl.password": "p@ss: w",
    }
    assert "p@ss" not in repr(made)
    assert "p%40" not in repr(read({"KAFKA_URL": f"kafka://{LOGIN}@one"}))
    plain = url(f"kafka+ssl://{LOGIN}@one", ARAUTO_KAFKA_SASL="PLAIN").config
    assert (plain["security.protocol"], plain["sasl.mechanism"]) == ("sasl_ssl", "PLAIN")


def test_files_for_tls_are_looked_at(tmp_path: Path) -> None:
    made = make_certificates(tmp_path)
    files = {
        "ARAUTO_KAFKA_CA": str(made.authority),
        "ARAUTO_KAFKA_CERT": str(made.certificate),
        "ARAUTO_KAFKA_KEY": str(made.key),
    }
    config = url("kafka+ssl://one", **files).config
    assert [config[f"ssl.{name}.location"] for name in ("ca", "certificate", "key")] == list(files.values())
    for wrong in (files | {"ARAUTO_KAFKA_CA": "/nowhere"}, files | {"ARAUTO_KAFKA_KEY": ""}):
        with pytest.raises(NoKafka, match=r"^A certificate or key for Kafka cannot be used"):
            url("kafka+ssl://one", **wrong)
    with pytest.raises(NoKafka, match=r"are for TLS: write KAFKA_URL=kafka\+ssl://"):
        url("kafka://one", **files)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("one:9092", FORM),
        ("kafka://", FORM),
        ("kafka://one,,two", FORM),
        ("kafka://one:port", FORM),
        ("kafka://one/topic", FORM),
        ("kafka://one?acks=1", FORM),
        ("kafka://ana@one", FORM),
        ("kafka://ana:a/b@one", FORM),
        ("kafka://ana:a@b@one", FORM),
        ("kafka://one:65536", "KAFKA_URL names a port that is none"),
        ("kafka://no..where", "KAFKA_URL names a host that cannot be one: no..where."),
    ],
)
def test_what_is_none_is_refused_without_showing_it(text: str, sentence: str) -> None:
    with pytest.raises(SettingsError) as refused:
        url(text)
    assert str(refused.value).startswith(sentence)
    assert "ana" not in str(refused.value)


def test_a_package_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka_url, "find_spec", lambda name: None)
    with pytest.raises(NoKafka, match=r"pip install 'arauto\[kafka\]'"):
        url("kafka://one")
