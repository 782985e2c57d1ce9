"""What identity believes of another provider: its metadata, its keys and its ID tokens."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from services.identity.api import provider_client
from services.identity.api.provider_client import Provider, ProviderAway, ProviderRefused, provider_of
from services.identity.store.provider_sign_ins import SignInSecrets
from shared.errors import BadSettings
from shared.settings import Settings
from tests.support.provider import CALLBACK, CLIENT_ID, ForgingProvider, forging_provider, with_provider

pytestmark = pytest.mark.unit

BOUND = SignInSecrets("n" * 43, "v" * 64)
AWAY = {"nonce": BOUND.nonce, "code_challenge": BOUND.challenge, "code_challenge_method": "S256"}
with forging_provider() as _named:
    FORGERIES = sorted(_named.forgeries())


@pytest.fixture
def forging() -> Iterator[ForgingProvider]:
    with forging_provider() as provider:
        yield provider


@pytest.fixture
def client(forging: ForgingProvider) -> Provider:
    return Provider(with_provider(Settings(), forging.issuer))


async def test_an_honest_token_tells_who_it_is(forging: ForgingProvider, client: Provider) -> None:
    claims = await client.claims(forging.code(AWAY), None, BOUND)
    assert (claims["sub"], claims["groups"]) == ("rina-42", ["odop"])
    [(form, authorization)] = forging.asked
    assert form == {
        "grant_type": "authorization_code",
        "code": form["code"],
        "redirect_uri": CALLBACK,
        "code_verifier": BOUND.verifier,
    }
    basic = base64.b64encode(f"{CLIENT_ID}:a+secret+of+this+test".encode()).decode()
    assert authorization == f"Basic {basic}"
    several = forging.changed(aud=[CLIENT_ID, "another client"], azp=CLIENT_ID)
    forging.forge = several
    assert (await client.claims(forging.code(AWAY), forging.issuer, BOUND))["sub"] == "rina-42"
    forging.forge = lambda claims: forging.signed(claims, {"alg": "RS256", "kid": "k2", "typ": "JWT"}, forging.rsa)
    assert (await client.claims(forging.code(AWAY), None, BOUND))["sub"] == "rina-42"
    assert forging.keys_asked == 1


@pytest.mark.parametrize("forgery", FORGERIES)
async def test_a_forged_token_is_refused(forging: ForgingProvider, client: Provider, forgery: str) -> None:
    forging.forge = forging.forgeries()[forgery]
    with pytest.raises(ProviderRefused):
        await client.claims(forging.code(AWAY), None, BOUND)
    forging.forge = forging.signed
    assert (await client.claims(forging.code(AWAY), None, BOUND))["sub"] == "rina-42", "the honest one still counts"


async def test_a_code_counts_once_and_for_its_own_verifier(forging: ForgingProvider, client: Provider) -> None:
    code = forging.code(AWAY)
    await client.claims(code, None, BOUND)
    for wrong in (code, "made up", ""):
        with pytest.raises(ProviderRefused):
            await client.claims(wrong, None, BOUND)
    with pytest.raises(ProviderRefused):
        await client.claims(forging.code(AWAY), None, SignInSecrets(BOUND.nonce, "w" * 64))


async def test_a_callback_of_another_issuer_is_refused(forging: ForgingProvider, client: Provider) -> None:
    with pytest.raises(ProviderRefused):
        await client.claims(forging.code(AWAY), "https://other.test", BOUND)
    assert forging.asked == [], "the code was not sent on"
    forging.metadata["authorization_response_iss_parameter_supported"] = True
    naming = Provider(with_provider(Settings(), forging.issuer))
    with pytest.raises(ProviderRefused):
        await naming.claims(forging.code(AWAY), None, BOUND)
    assert (await naming.claims(forging.code(AWAY), forging.issuer, BOUND))["sub"] == "rina-42"


async def test_a_new_key_of_the_provider_is_fetched_but_not_for_every_token(
    forging: ForgingProvider, client: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    await client.claims(forging.code(AWAY), None, BOUND)
    forging.key = type(forging.key).generate_key("P-256", {"kid": "k3", "use": "sig"})
    forging.forge = lambda claims: forging.signed(claims, {"kid": "k3"})
    with pytest.raises(ProviderRefused):
        await client.claims(forging.code(AWAY), None, BOUND)
    assert forging.keys_asked == 1, "the keys were fetched a moment ago"
    monkeypatch.setattr(provider_client, "ASK_AGAIN_SECONDS", 0.0)
    assert (await client.claims(forging.code(AWAY), None, BOUND))["sub"] == "rina-42"
    assert forging.keys_asked == 2


async def test_roles_that_are_no_claim_of_the_token_come_from_the_user_info(
    forging: ForgingProvider, client: Provider
) -> None:
    forging.forge = forging.changed(groups=None)
    forging.user_info = {"sub": "rina-42", "groups": ["admins"], "iss": "ignored"}
    claims = await client.claims(forging.code(AWAY), None, BOUND)
    assert (claims["groups"], claims["iss"]) == (["admins"], forging.issuer)
    forging.user_info = {"sub": "somebody else", "groups": ["admins"]}
    with pytest.raises(ProviderRefused):
        await client.claims(forging.code(AWAY), None, BOUND)


@pytest.mark.parametrize(
    "metadata",
    [
        {"issuer": "https://other.test"},
        {"issuer": None},
        {"token_endpoint": "http://other.test/token"},
        {"jwks_uri": "ftp://127.0.0.1/jwks"},
        {"authorization_endpoint": None},
        {"userinfo_endpoint": "http://other.test/me"},
        {"id_token_signing_alg_values_supported": ["HS256", "none"]},
        {"id_token_signing_alg_values_supported": None},
    ],
    ids=str,
)
async def test_metadata_that_can_not_be_trusted_is_no_answer(
    forging: ForgingProvider, client: Provider, metadata: dict[str, Any]
) -> None:
    forging.metadata = metadata
    with pytest.raises(ProviderAway):
        await client.authorization_url("state", BOUND)
    forging.metadata = {}
    assert (await client.authorization_url("state", BOUND)).startswith(f"{forging.issuer}/authorize?tenant=1&")


async def test_a_client_without_a_secret_names_itself(forging: ForgingProvider) -> None:
    public = Provider(with_provider(Settings(), forging.issuer, oidc_client_secret=""))
    await public.claims(forging.code(AWAY), None, BOUND)
    forging.metadata["token_endpoint_auth_methods_supported"] = ["client_secret_post"]
    posting = Provider(with_provider(Settings(), forging.issuer))
    await posting.claims(forging.code(AWAY), None, BOUND)
    [(form, basic), (posted, other)] = forging.asked
    assert (form["client_id"], form.get("client_secret"), basic) == (CLIENT_ID, None, None)
    assert (posted["client_id"], posted["client_secret"], other) == (CLIENT_ID, "a secret of this test", None)


async def test_a_provider_without_an_answer_of_this_size_is_away(forging: ForgingProvider) -> None:
    away = Provider(with_provider(Settings(), "http://127.0.0.1:1"))
    with pytest.raises(ProviderAway):
        await away.authorization_url("state", BOUND)
    forging.metadata["padding"] = "x" * (provider_client.MOST_BYTES + 1)
    with pytest.raises(ProviderAway):
        await Provider(with_provider(Settings(), forging.issuer)).authorization_url("state", BOUND)


class SilentProvider:
    """Takes connections. It answers with its metadata while `answers` is set, else byte by byte or never."""

    def __init__(self) -> None:
        self.answers = False
        self.drips = False
        self.asked = 0
        self.issuer = ""

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.asked += 1
        await reader.readuntil(b"\r\n\r\n")
        if self.answers:
            ends = ("authorization_endpoint", "token_endpoint", "jwks_uri")
            named = {"issuer": self.issuer, "id_token_signing_alg_values_supported": ["ES256"]}
            body = json.dumps(named | {end: f"{self.issuer}/{end}" for end in ends}).encode()
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        elif self.drips:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
            while not writer.is_closing():
                writer.write(b" ")
                await asyncio.sleep(0.05)
        else:
            await reader.read()
        writer.close()


@pytest.fixture
async def silent(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SilentProvider]:
    monkeypatch.setattr(provider_client, "ANSWER_WITHIN", 0.2)
    monkeypatch.setattr(provider_client, "SILENT_SECONDS", 0.3)
    provider = SilentProvider()
    server = await asyncio.start_server(provider.take, "127.0.0.1", 0)
    provider.issuer = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield provider


async def all_urls(client: Provider, number: int = 20) -> list[str | BaseException]:
    """What so many people get who want to sign in at the same time, all of them within a second."""
    asking = (client.authorization_url("state", BOUND) for _ in range(number))
    return await asyncio.wait_for(asyncio.gather(*asking, return_exceptions=True), 1.0)


@pytest.mark.parametrize("drips", [False, True])
async def test_nobody_queues_for_a_provider_that_does_not_answer(silent: SilentProvider, drips: bool) -> None:
    silent.drips = drips
    client = Provider(with_provider(Settings(), silent.issuer))
    for _ in range(2):
        assert {type(answer) for answer in await all_urls(client)} == {ProviderAway}
    assert silent.asked == 1, "a provider that was silent a moment ago is not asked"
    silent.answers = True
    await asyncio.sleep(0.35)
    assert {type(answer) for answer in await all_urls(client)} == {str}


async def test_while_the_provider_does_not_answer_its_older_metadata_count(
    silent: SilentProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent.answers = True
    client = Provider(with_provider(Settings(), silent.issuer))
    known = await all_urls(client)
    monkeypatch.setattr(provider_client, "METADATA_SECONDS", -1.0)
    silent.answers = False
    for _ in range(2):
        assert await all_urls(client) == known
    assert silent.asked == 2


@pytest.mark.parametrize(
    "changes",
    [
        {"oidc_issuer": "http://provider.test"},
        {"oidc_issuer": "provider.test"},
        {"oidc_issuer": "https://provider.test/a b"},
        {"oidc_roles": "admins"},
        {"oidc_roles": "admins=boss"},
        {"oidc_roles": "admins=organiser"},
        {"oidc_roles": "admins=administrator:x"},
        {"oidc_roles": "tills=till:ODOP.B1"},
        {"oidc_roles": ""},
        {"oidc_roles_claim": ""},
    ],
    ids=str,
)
def test_settings_that_can_not_be_meant_are_refused(changes: dict[str, str]) -> None:
    assert provider_of(Settings()) is None
    assert provider_of(with_provider(Settings(), "https://provider.test")) is not None
    with pytest.raises(BadSettings):
        provider_of(with_provider(Settings(), "https://provider.test", **changes))


@pytest.mark.parametrize(
    "variables",
    [{"KARYA_OIDC_ISSUER": "https://provider.test"}, {"KARYA_PASSWORDS": "false"}],
    ids=str,
)
def test_settings_that_would_let_nobody_in_are_refused(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(BadSettings):
        Settings()
    monkeypatch.setenv("KARYA_OIDC_ISSUER", "https://provider.test")
    monkeypatch.setenv("KARYA_OIDC_CLIENT_ID", "karya")
    monkeypatch.setenv("KARYA_OIDC_CLIENT_SECRET", "hidden")
    assert "hidden" not in repr(Settings())
