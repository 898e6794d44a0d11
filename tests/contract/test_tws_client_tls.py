"""Certificates: refused unless someone vouches for them, or a switch says otherwise."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from observability.metrics import Metrics
from tests.support.scripted_tws import running_script, says
from tws.client import TwsClient
from tws.errors import TwsUnreachableError
from tws.settings import TwsSettings
from tws.transport import open_session

INFO = says('{"displayVersion": "10.2.8", "timezone": "UTC"}')


@asynccontextmanager
async def connected(url: str, **values: Any) -> AsyncIterator[TwsClient]:
    settings = TwsSettings.model_validate(
        {"url": url, "username": "resync", "password": "hunter2", "read_retries": 0, **values}
    )
    async with open_session(settings) as session:
        yield TwsClient(settings, session, Metrics())


def certificate(folder: Path) -> tuple[Path, ssl.SSLContext]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    bundle = folder / "ca.pem"
    bundle.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret = folder / "key.pem"
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(bundle, secret)
    return bundle, context


async def test_a_certificate_nobody_vouches_for_is_refused_before_anything_is_sent(tmp_path: Path) -> None:
    bundle, context = certificate(tmp_path)
    async with running_script(INFO, tls=context) as script:
        async with connected(script.origin) as client:
            with pytest.raises(TwsUnreachableError, match="Certificate") as unreachable:
                await client.engine_info()
            assert not unreachable.value.was_sent
        assert script.requests == []
        async with connected(script.origin, ca_bundle=bundle) as client:
            assert (await client.engine_info()).version == "10.2.8"


async def test_unverified_tls_works_by_explicit_switch_and_is_logged(tmp_path: Path) -> None:
    _, context = certificate(tmp_path)
    with structlog.testing.capture_logs() as logs:
        async with (
            running_script(INFO, tls=context) as script,
            connected(script.origin, allow_unverified_tls=True) as client,
        ):
            assert (await client.engine_info()).version == "10.2.8"
    assert [entry["event"] for entry in logs] == ["tws_tls_not_verified"]
