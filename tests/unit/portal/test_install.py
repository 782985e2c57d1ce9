"""The page that helps to get Karya on a phone."""

import gzip
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509

from deploy.secure.files import PORTAL, SecretFiles
from deploy.secure.network_certificate import fingerprint, prepare
from tests.support.portal import OtherServices, a_portal

HOST = "192.168.7.20"


@pytest.fixture
def files(tmp_path: Path) -> SecretFiles:
    files = SecretFiles(tmp_path)
    prepare(files, HOST, datetime.now(UTC))
    return files


@pytest.mark.parametrize("base", ["http://127.0.0.1:8007", f"https://{HOST}:8443"])
async def test_it_shows_the_address_and_the_authority_to_trust(files: SecretFiles, base: str) -> None:
    settings = {"tls_host": HOST, "tls_certificate": files.server(PORTAL), "tls_authority": files.authorities}
    async with a_portal(OtherServices(), base=base, **settings) as browser:
        page = await browser.get("/install")
        assert f"<code>https://{HOST}:8443/install</code>" in page.text
        assert ("<summary>" in page.text) == (HOST in base), "the phone that reads this has scanned it already"
        assert fingerprint(files) in page.text
        assert 'class="qr"' in page.text
        assert "style=" not in page.text
        assert "PRIVATE" not in page.text
        answer = await browser.get("/install/karya.crt")
        assert answer.headers["content-type"] == "application/x-x509-ca-cert"
        certificate = x509.load_der_x509_certificate(answer.content)
        assert certificate == x509.load_pem_x509_certificate(files.authorities.read_bytes())
        assert len(gzip.compress(page.content)) < 12_000
        indonesian = await browser.get("/install", headers={"Accept-Language": "id"})
        assert "Karya di ponsel" in indonesian.text


async def test_behind_a_proxy_with_a_known_certificate_there_is_nothing_to_trust() -> None:
    async with a_portal(OtherServices(), base="https://karya.example", http_names="karya.example") as browser:
        page = (await browser.get("/install")).text
        assert "<code>https://karya.example/install</code>" in page
        assert "ertificate" not in page
        assert (await browser.get("/install/karya.crt")).status_code == 404


async def test_over_plain_http_it_says_what_a_phone_needs() -> None:
    async with a_portal(OtherServices()) as browser:
        page = (await browser.get("/install")).text
        assert "a phone needs HTTPS" in page
        assert "karya up --lan" in page
        assert "<svg" not in page
