"""Parses and checks KAFKA_URL and its related settings, without importing Kafka's library."""

import re
import ssl
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any, Self
from urllib.parse import unquote

from arauto.settings import Settings, SettingsError
from arauto.text.cleanup import shown

PORT = 9092
_URL = re.compile(r"kafka(?P<tls>\+ssl)?://(?:(?P<login>.*)@)?(?P<hosts>[^@]*?)/?", re.DOTALL)
_HOST = re.compile(r"(\[[0-9A-Fa-f:.%]+\]|[^\s:;/?#\[\],]+)(?::(\d{1,5}))?")
_FORM = (
    "KAFKA_URL does not parse: give kafka://host:9092,host2:9092 or kafka+ssl://user:password@host:9093; "
    "in a user or password write # as %23, / as %2F, : as %3A, ? as %3F, @ as %40 and % as %25."
)


class NoKafka(SettingsError):
    """Kafka cannot be used; the text is a sentence that names the remedy."""


@dataclass(frozen=True)
class KafkaUrl:
    """``kafka://user:password@host:9092,host2``, or ``kafka+ssl://``.

    :param hosts: to be shown: without user and password.
    :param config: what librdkafka needs to connect.
    """

    hosts: str
    config: dict[str, Any] = field(repr=False)

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """:raise NoKafka: a setting is wrong, or the package for it is not installed."""
        if not (parts := _URL.fullmatch(settings.kafka_url)):
            raise NoKafka(_FORM)
        hosts = ",".join(map(_host, parts["hosts"].split(",")))
        config: dict[str, Any] = {"bootstrap.servers": hosts}
        if parts["login"] is not None:
            config |= _sasl(parts["login"], settings.kafka_sasl)
        if parts["tls"]:
            config |= _tls(settings)
        elif settings.kafka_ca or settings.kafka_cert:
            raise NoKafka("ARAUTO_KAFKA_CA and ARAUTO_KAFKA_CERT are for TLS: write KAFKA_URL=kafka+ssl://…")
        config["security.protocol"] = ("sasl_" if parts["login"] is not None else "") + (
            "ssl" if parts["tls"] else "plaintext"
        )
        if find_spec("confluent_kafka") is None:
            raise NoKafka("KAFKA_URL needs a package that is not installed: pip install 'arauto[kafka]'")
        return cls(hosts, config)


def _host(text: str) -> str:
    found = _HOST.fullmatch(text)
    if not found:
        raise NoKafka(_FORM)
    port = int(found[2] or PORT)
    if not 0 < port < 65536:
        raise NoKafka("KAFKA_URL names a port that is none: give a number from 1 to 65535.")
    try:
        found[1].encode("idna")  # as the system does before it resolves the name
    except UnicodeError:
        raise NoKafka(f"KAFKA_URL names a host that cannot be one: {shown(found[1])}.") from None
    return f"{found[1]}:{port}"


def _sasl(login: str, mechanism: str) -> dict[str, str]:
    user, _, password = login.partition(":")
    if not user or not password or any(char in login for char in "@/?#"):
        raise NoKafka(_FORM)
    return {"sasl.mechanism": mechanism, "sasl.username": unquote(user), "sasl.password": unquote(password)}


def _tls(settings: Settings) -> dict[str, str]:
    ca, cert, key = settings.kafka_ca, settings.kafka_cert, settings.kafka_key or settings.kafka_cert
    try:
        context = ssl.create_default_context()
        if ca:
            context.load_verify_locations(ca)
        if cert:
            context.load_cert_chain(cert, key)
    except OSError as error:
        raise NoKafka(
            f"A certificate or key for Kafka cannot be used ({error}): look at ARAUTO_KAFKA_CA, "
            "ARAUTO_KAFKA_CERT and ARAUTO_KAFKA_KEY."
        ) from None
    named = {"ssl.ca.location": ca, "ssl.certificate.location": cert, "ssl.key.location": cert and key}
    return {name: path for name, path in named.items() if path}
