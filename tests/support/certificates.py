"""A certificate authority for the tests, a certificate of it, and the options of a Redis with TLS."""

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import trustme


@dataclass
class Certificates:
    """Files in PEM."""

    authority: Path
    certificate: Path
    key: Path

    def redis_options(self, port: int, clients: str = "no") -> list[str]:
        """The options of a Redis that also listens with TLS, on ``port``.

        :param clients: ``yes``: clients must present a certificate of the same authority.
        """
        return [
            "--tls-port", str(port), "--tls-auth-clients", clients, "--tls-ca-cert-file", str(self.authority),
            "--tls-cert-file", str(self.certificate), "--tls-key-file", str(self.key),
        ]  # fmt: skip


def make_certificates(directory: Path, expires: datetime | None = None, *others: str) -> Certificates:
    """A certificate for localhost and ``others``, valid until ``expires``, and its authority."""
    authority = trustme.CA()
    signed = authority.issue_cert("localhost", *others, not_after=expires or datetime(2100, 1, 1, tzinfo=UTC))
    made = Certificates(directory / "authority.pem", directory / "certificate.pem", directory / "key.pem")
    authority.cert_pem.write_to_path(str(made.authority))
    signed.cert_chain_pems[0].write_to_path(str(made.certificate))
    signed.private_key_pem.write_to_path(str(made.key))
    return made
