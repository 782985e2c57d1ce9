"""Devices on real servers: codes, challenges, tokens, revocation, rebuild, and a lost database of secrets."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from joserfc.jwk import KeySet
from typer.testing import CliRunner

from cli import app
from deploy.local import process as local_process
from edge.spool.device_key import DeviceKeyFile
from lab.chaos.proxy import LinkState, Proxy
from ops.rebuild import compare
from services.identity.domain.account import HeldRole
from services.identity.seed import FirstAccount
from services.identity.store import SECRETS, Secrets
from shared.access.device_session import DeviceSession
from shared.access.rights import Grant
from shared.access.session import claims_of
from shared.access.signatures import PrivateKey, new_device_key, prove, public_key_of
from shared.access.tokens import check
from shared.errors import NotAnswered
from shared.events.identity import IDENTITY, Curve, DeviceEnrolled, DeviceRevoked, Role
from shared.mongo import Mongo
from shared.settings import AccessControl, Settings
from tests.support.callers import bearer
from tests.support.people import ADMIN, ISSUER, ORGANISER, Person, identity
from tests.support.place import RunProcess
from tests.support.probe import Probe

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

STAFF = FirstAccount("sari", "kayu jati tua", (HeldRole(Role.FACILITY_STAFF, "PR-KPG"),), "Sari")


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """With access control, as identity has it by default."""
    return settings.model_copy(update={"access": AccessControl.TOKENS, "identity_url": ISSUER})


class DeviceAtIdentity:
    """A device with its key, at identity's HTTP API."""

    def __init__(self, url: str, curve: Curve = Curve.ED25519) -> None:
        self.key = new_device_key(curve)
        self.public = public_key_of(self.key)
        self.person = Person(url)

    async def enrol(self, code: str, *, key: PrivateKey | None = None, **fields: Any) -> httpx.Response:
        """The answer to an enrolment, whose proof is made by `key`."""
        body = {
            "public_key": self.public.fields,
            "proof": prove(key or self.key, ISSUER, code),
            "name": "T1",
            **fields,
        }
        return await self.person.post(f"/device-codes/{code}/device", **body)

    async def challenge(self, device: str | None = None) -> str:
        answer = await self.person.post("/device-challenges", device=device or self.public.device)
        assert answer.status_code == 200, answer.text
        assert answer.json()["expires_in"] == 60
        return str(answer.json()["challenge"])

    async def token(
        self, challenge: str | None = None, *, key: PrivateKey | None = None, audience: str = ISSUER
    ) -> httpx.Response:
        """The answer to a proof by `key` for this challenge, or for a new one."""
        challenge = challenge or await self.challenge()
        fields = {"device": self.public.device, "challenge": challenge}
        return await self.person.post("/device-tokens", **fields, proof=prove(key or self.key, audience, challenge))


async def a_code(person: Person, role: str = "till", scope: str = "ODOP.B1") -> str:
    answer = await person.post("/device-codes", role=role, scope=scope)
    assert answer.status_code == 200, answer.text
    lasts = datetime.fromisoformat(answer.json()["expires_at"]) - datetime.now(UTC)
    assert timedelta(minutes=9) < lasts <= timedelta(minutes=10)
    return str(answer.json()["code"])


@pytest.mark.parametrize("curve", Curve)
async def test_a_code_enrols_one_device_which_proves_itself_for_five_minutes(
    settings: Settings, service_process: RunProcess, probe: Probe, mongo: Mongo, curve: Curve
) -> None:
    async with (
        identity(settings, service_process, ORGANISER) as process,
        Person(process.url) as rina,
    ):
        await rina.signed_in(ORGANISER)
        device, thief = DeviceAtIdentity(process.url, curve), DeviceAtIdentity(process.url)
        async with device.person, thief.person:
            code = await a_code(rina)
            assert (await device.token()).status_code == 401, "nobody has enrolled it"
            other_key = await device.enrol(code, key=thief.key)
            assert (other_key.status_code, other_key.json()["errors"][0]["field"]) == (422, "proof")
            beside = await device.enrol(code, public_key={"kty": "EC", "crv": "P-256", "x": "A" * 43, "y": "A" * 43})
            assert (beside.status_code, beside.json()["errors"][0]["field"]) == (422, "public_key")
            elsewhere = await device.enrol(code, scope="ODOP.B2")
            assert elsewhere.status_code == 409
            enrolled = await device.enrol(code.upper().replace("-", " "), scope="ODOP.B1")
            assert enrolled.status_code == 200, enrolled.text
            page = enrolled.json()
            assert (page["device"], page["role"], page["scope"], page["name"], page["status"]) == (
                device.public.device,
                "till",
                "ODOP.B1",
                "T1",
                "done",
            )
            assert (await device.enrol(code)).status_code == 200, "an answer may have been lost"
            assert (await thief.enrol(code)).status_code == 404, "used"

            challenge = await device.challenge()
            answer = await device.token(challenge)
            assert answer.status_code == 200, answer.text
            assert answer.headers["Cache-Control"] == "no-store"
            assert answer.json()["expires_in"] == 300
            keys = KeySet.import_key_set((await rina.get("/jwks")).json())
            caller = check(answer.json()["access_token"], keys, issuer=ISSUER)
            assert (caller.subject, caller.grants) == (device.public.device, (Grant(Role.TILL, "ODOP.B1"),))
            assert (await device.token(challenge)).status_code == 401, "a challenge is good once"
            both = await asyncio.gather(*(device.token(c) for c in [await device.challenge()] * 4))
            assert sorted(answer.status_code for answer in both) == [200, 401, 401, 401]
            assert (await device.token(key=thief.key)).status_code == 401, "another key"
            assert (await device.token(await device.challenge(thief.public.device))).status_code == 401
            assert (await device.token(audience="http://other.test")).status_code == 401
            assert (await device.token(rina.tokens["access_token"])).status_code == 401, "a token is no challenge"
            secrets = Secrets(mongo.database(SECRETS))
            late = await secrets.challenges.new(device.public.device, datetime.now(UTC) - timedelta(seconds=61))
            assert (await device.token(late)).status_code == 401, "a minute is over"

            device.person.tokens = answer.json()
            for path in ("/me", "/devices", "/accounts"):
                assert (await device.person.get(path)).status_code == 403, path
            [fact] = await probe.bodies(IDENTITY, DeviceEnrolled)
            assert (fact.subject, fact.public_key, fact.actor) == (device.public.device, device.public, rina.subject)
    rebuilt = await compare(settings, "identity")
    assert (rebuilt.lost, rebuilt.doubled, rebuilt.mismatched) == ([], [], [])


async def test_devices_and_services_may_know_identity_by_different_addresses(
    settings: Settings, service_process: RunProcess, tmp_path: Path
) -> None:
    port = local_process.free_port(18400)
    async with Proxy(port) as proxy:
        inner, outer = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{proxy.port}"
        apart = settings.model_copy(update={"identity_url": inner, "identity_issuer": f"{outer}/"})
        at_identity = apart.model_copy(update={"http_port": port})
        async with (
            identity(at_identity, service_process, ORGANISER),
            service_process("gateway", apart) as gateway,
            Person(outer) as rina,
            httpx.AsyncClient(base_url=gateway.url) as services,
        ):
            await rina.signed_in(ORGANISER)
            metadata = (await rina.get("/.well-known/oauth-authorization-server")).json()
            assert (metadata["issuer"], metadata["jwks_uri"]) == (outer, f"{outer}/jwks")
            words = ["till", "--booth", "ODOP.B1", "enrol", await a_code(rina)]
            environment = {"KARYA_IDENTITY_URL": outer, "KARYA_SPOOL_DIR": str(tmp_path)}
            enrolled = await asyncio.to_thread(CliRunner().invoke, app, words, env=environment)
            assert enrolled.exit_code == 0, enrolled.output
            [file] = await asyncio.to_thread(lambda: list(tmp_path.rglob("*.key")))
            key = DeviceKeyFile(file)
            device = DeviceSession(outer, key.key)
            token = await asyncio.to_thread(device.token)
            assert token is not None
            assert claims_of(token)["iss"] == outer

            # A relay that the device takes for identity gets no proof that counts.
            relayed = DeviceSession(inner, key.key)
            with pytest.raises(NotAnswered, match="not enrolled, or its proof does not count"):
                await asyncio.to_thread(relayed.token)

            # The gateway has asked for no key yet, and can do so past the outer address alone.
            proxy.set_state(LinkState.STALLED)
            for access_token in (token, rina.tokens["access_token"]):
                answer = await services.get("/booths/ODOP.B1/news", headers=bearer(access_token))
                assert answer.status_code == 200, answer.text


async def test_a_scopes_owner_enrols_sees_and_revokes_its_devices_alone(
    settings: Settings, service_process: RunProcess, probe: Probe, mongo: Mongo
) -> None:
    async with (
        identity(settings, service_process, ADMIN, ORGANISER, STAFF) as process,
        Person(process.url) as rina,
        Person(process.url) as sari,
        Person(process.url) as admin,
    ):
        await rina.signed_in(ORGANISER)
        await sari.signed_in(STAFF)
        await admin.signed_in(ADMIN)
        for person, role, scope, status in (
            (rina, "till", "PASAR.B1", 403),
            (rina, "terminal", "PR-KPG", 403),
            (sari, "till", "ODOP.B1", 403),
            (sari, "terminal", "LP-WKB", 403),
            (rina, "cashier", "ODOP.B1", 422),
            (admin, "administrator", "ODOP", 422),
            (rina, "till", "ODOP", 422),
        ):
            answer = await person.post("/device-codes", role=role, scope=scope)
            assert answer.status_code == status, (role, scope, answer.text)
        till, terminal = DeviceAtIdentity(process.url), DeviceAtIdentity(process.url)
        async with till.person, terminal.person:
            secrets = Secrets(mongo.database(SECRETS))
            old = await secrets.device_codes.add_device(Role.TILL, "ODOP.B1", None, datetime.now(UTC))
            assert (await till.enrol(old)).status_code == 404, "too old"
            assert (await till.enrol("abcd-efgh-ijkl")).status_code == 404
            assert (await till.enrol(await a_code(rina))).status_code == 200
            assert (await terminal.enrol(await a_code(sari, "terminal", "PR-KPG"))).status_code == 200
            wrong_name = await terminal.enrol(await a_code(sari, "terminal", "PR-KPG"), name="a/b")
            assert (wrong_name.status_code, wrong_name.json()["errors"][0]["field"]) == (422, "name")
            second = await till.enrol(await a_code(rina, scope="ODOP.B2"))
            assert (second.status_code, second.json()["reason"]) == (409, "device_enrolled")

            async def seen(person: Person, query: str) -> list[str] | int:
                answer = await person.get(f"/devices{query}")
                return [page["device"] for page in answer.json()] if answer.status_code == 200 else answer.status_code

            ids = [till.public.device, terminal.public.device]
            assert await seen(rina, "?festival=ODOP") == ids[:1]
            assert await seen(rina, "?booth=ODOP.B1") == ids[:1]
            assert await seen(rina, "?festival=ODOP&facility=PR-KPG") == []
            assert await seen(rina, "?facility=PR-KPG") == 403
            assert await seen(rina, "") == 403
            assert await seen(sari, "?facility=PR-KPG") == ids[1:]
            assert await seen(sari, "?facility=PR-KPG&festival=ODOP") == []
            assert sorted(await seen(admin, "")) == sorted(ids)
            for person, expected in ((rina, (200, 403)), (sari, (403, 200)), (admin, (200, 200))):
                pages = [await person.get(f"/devices/{device}") for device in ids]
                assert tuple(page.status_code for page in pages) == expected

            assert (await sari.post(f"/devices/{ids[0]}/revoke", reason="lost")).status_code == 403
            assert (await rina.post(f"/devices/{ids[1]}/revoke", reason="lost")).status_code == 403
            assert (await rina.post(f"/devices/d-{'a' * 52}/revoke")).status_code == 404
            assert (await till.token()).status_code == 200
            before = await till.challenge()
            assert (await rina.post(f"/devices/{ids[0]}/revoke", reason="lost")).status_code == 200
            assert (await till.token(before)).status_code == 401
            refused = await till.token()
            assert (refused.status_code, "revoked" in refused.json()["detail"]) == (401, True)
            assert (await terminal.token()).status_code == 200
            again = await till.enrol(await a_code(rina))
            assert (again.status_code, again.json()["reason"]) == (409, "device_revoked")
            [revoked] = await probe.bodies(IDENTITY, DeviceRevoked)
            assert (revoked.subject, revoked.reason, revoked.actor) == (ids[0], "lost", rina.subject)
            page = (await rina.get(f"/devices/{ids[0]}")).json()
            assert page["revoked_at"] is not None

            late = await a_code(rina)
            withdrawn = await admin.post(f"/accounts/{rina.subject}/roles/withdraw", role="organiser", scope="ODOP")
            assert withdrawn.status_code == 200, withdrawn.text
            ended = await DeviceAtIdentity(process.url).enrol(late)
            assert ended.status_code == 409, "a code ends with the right of whoever gave it"


async def test_a_device_outlives_the_database_of_secrets(
    settings: Settings, service_process: RunProcess, mongo: Mongo
) -> None:
    async with identity(settings, service_process, STAFF) as process, Person(process.url) as sari:
        await sari.signed_in(STAFF)
        device = DeviceAtIdentity(process.url)
        async with device.person:
            assert (await device.enrol(await a_code(sari, "terminal", "PR-KPG"))).status_code == 200
            challenge = await device.challenge()
        assert await process.stop() == 0
        await mongo.database(SECRETS).client.drop_database(mongo.database(SECRETS).name)
    async with service_process("identity", settings) as process:
        again = DeviceAtIdentity(process.url)
        again.key, again.public = device.key, device.public
        async with again.person:
            assert (await again.token(challenge)).status_code == 401, "signed by a key that is lost"
            assert (await again.token()).status_code == 200
