"""A certificate authority of the tests' own, and a Redis that speaks TLS with its certificate."""

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
        """What makes a Redis speak TLS on ``port``, beside its plain one.

        :param clients: ``yes``: they must show a certificate of the same authority.
        """
        return [
            "--tls-port", str(port), "--tls-auth-clients", clients, "--tls-ca-cert-file", str(self.authority),
            "--tls-cert-file", str(self.certificate), "--tls-key-file", str(self.key),
        ]  # fmt: skip


def make_certificates(directory: Path, expires: datetime | None = None, *others: str) -> Certificates:
    """A certificate for localhost and others, valid until ``expires``, and the authority that signed it."""
    authority = trustme.CA()
    signed = authority.issue_cert("localhost", *others, not_after=expires or datetime(2100, 1, 1, tzinfo=UTC))
    made = Certificates(directory / "authority.pem", directory / "certificate.pem", directory / "key.pem")
    authority.cert_pem.write_to_path(str(made.authority))
    signed.cert_chain_pems[0].write_to_path(str(made.certificate))
    signed.private_key_pem.write_to_path(str(made.key))
    return made
