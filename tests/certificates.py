"""Certificates for tests: valid in themselves, and vouched for by nobody."""

import os
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

OUTSIDE: Final[Mapping[str, str]] = dict(os.environ)
"""The environment for programs that ask the public web, as it was before `trust_nobody`."""


def trust_nobody(folder: Path) -> None:
    """Have this process and its children trust no public certificate.

    Tests ask this machine alone, and each HTTP client would load some 150 certificates, which takes longer than most
    tests do. `folder` is an empty one.
    """
    os.environ.update(SSL_CERT_FILE="", SSL_CERT_DIR=str(folder))


def self_signed(folder: Path, host: str = "127.0.0.1") -> ssl.SSLContext:
    """Make a server's context with a new certificate, signed by its own key, and keep both in `server.pem`."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([_named(host)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = folder / "server.pem"
    pem.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    return context


def _named(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)
