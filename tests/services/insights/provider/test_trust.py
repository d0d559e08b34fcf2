"""Whom the client believes to be the provider, and through whom it asks."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from services.insights.provider.client import ProviderClient, _certificates
from services.insights.provider.failures import ProviderUnavailable
from tests.services.insights.provider.asking import KEY, ask
from tests.services.insights.provider_server import provider_server


async def test_this_machine_is_asked_without_a_proxy_and_others_through_it(provider, monkeypatch):
    async with provider_server() as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        here, elsewhere = ProviderClient(provider.url, KEY), ProviderClient("http://ai.example.com/v1", KEY, attempts=1)
        await ask(here)
        assert proxy.requests == []
        with pytest.raises(ProviderUnavailable, match="404"):
            await ask(elsewhere)
        assert proxy.requests[0].path == "http://ai.example.com/v1/embeddings"
        await here.aclose()
        await elsewhere.aclose()


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A file with a key and a certificate for 127.0.0.1, of an authority that nobody knows."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "provider of a test")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "provider.pem"
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


@pytest.mark.parametrize("known", [False, True])
async def test_an_authority_has_to_be_known_to_the_system(certificate, waits, monkeypatch, known: bool):
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    if known:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    _certificates.cache_clear()
    async with provider_server(tls=tls, key=KEY) as provider:
        client = ProviderClient(provider.url, KEY, sleep=waits)
        if known:
            assert await ask(client)
        else:
            with pytest.raises(ProviderUnavailable, match=r"ConnectError$"):
                await ask(client)
        assert len(provider.requests) == known
        await client.aclose()
    _certificates.cache_clear()
