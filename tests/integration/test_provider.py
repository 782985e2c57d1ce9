"""People of another OpenID Connect provider, a real one, sign in through identity."""

from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest

from ops.rebuild import compare
from services.identity.domain.account import Account
from services.identity.store import ACCOUNTS, SECRETS, Secrets
from services.identity.store.credentials import Credential, provider_login
from services.identity.store.upkeep import ORPHAN_AFTER, collect
from shared.events.identity import IDENTITY, AccountOpened, RoleGranted, RoleWithdrawn
from shared.events.language import Body
from shared.mongo import Mongo
from shared.settings import Settings
from tests.support.people import ADMIN, Person, identity
from tests.support.place import RunProcess
from tests.support.probe import Probe
from tests.support.provider import (
    CALLBACK,
    SignIn,
    forging_provider,
    node_provider,
    query_of,
    real_provider,
    told,
    with_provider,
)

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180)]

RINA = {"sub": "rina-42", "name": "Rina of the provider", "groups": ["odop", "choir"]}
NOBODY = {"sub": "nobody-7", "groups": ["choir"]}


async def test_a_person_of_the_provider_has_the_roles_of_the_claims(
    settings: Settings, service_process: RunProcess, probe: Probe, tmp_path: Path
) -> None:
    async with real_provider(tmp_path / "provider.log", RINA, NOBODY) as issuer:
        known = with_provider(settings, issuer)
        async with (
            identity(known, service_process, ADMIN) as process,
            Person(process.url) as rina,
            Person(process.url) as admin,
        ):

            async def sign_in() -> None:
                async with SignIn(process.url) as client:
                    answer = await client.whole("rina-42")
                    assert answer["state"] == client.state
                    session = await client.redeem(answer["code"])
                    assert session.status_code == 200, session.text
                    rina.tokens = session.json()

            await admin.signed_in(ADMIN)
            metadata = (await admin.get("/.well-known/oauth-authorization-server")).json()
            assert metadata["sign_in_methods_supported"] == ["password", "provider"]
            await sign_in()
            me = (await rina.get("/me")).json()
            assert (me["name"], me["roles"]) == ("Rina of the provider", [{"role": "organiser", "scope": "ODOP"}])
            page = (await admin.get(f"/accounts/{rina.subject}")).json()
            assert page["login"] == f"{issuer} rina-42"
            rina.tokens = (await rina.refresh()).json()

            async with SignIn(process.url) as client:
                assert (await client.whole("nobody-7")) == {"state": client.state, "error": "no_role"}

            # A role that was granted here stays; those of the provider follow its claims.
            local = {"role": "cashier", "scope": "ODOP.B1"}
            granted = await admin.post(f"/accounts/{rina.subject}/roles/grant", **local)
            assert granted.status_code == 200, granted.text
            first = rina.subject
            async with httpx.AsyncClient() as provider:
                moved = await provider.put(f"{issuer}/users/rina-42", json={"name": "R.", "groups": ["kupang"]})
                assert moved.status_code == 204, moved.text
            await sign_in()
            assert rina.subject == first
            me = (await rina.get("/me")).json()
            assert (me["name"], me["roles"]) == ("R.", [local, {"role": "facility-staff", "scope": "LP-KPG"}])

            # Nobody has asked her whether she wants it, so she may lay it down.
            laid_down = await rina.post(f"/accounts/{rina.subject}/roles/withdraw", **local)
            assert laid_down.status_code == 200, laid_down.text
            back = await rina.post(f"/accounts/{rina.subject}/roles/grant", **local)
            assert back.status_code == 403
            of_another = await rina.post(f"/accounts/{admin.subject}/roles/withdraw", role="administrator")
            assert of_another.status_code == 403
            assert (await rina.get("/me")).json()["roles"] == [{"role": "facility-staff", "scope": "LP-KPG"}]

            for path, fields in (
                ("/password", {"old": "x" * 12, "new": "y" * 12}),
                (f"/accounts/{rina.subject}/reset", {}),
            ):
                person = rina if path == "/password" else admin
                refused = await person.post(path, **fields)
                assert (refused.status_code, "signs in at the provider" in refused.text) == (409, True), refused.text
            assert (await admin.sign_in(f"{issuer} rina-42", "x" * 12)).status_code == 401

            await admin.sign_in(ADMIN.login, ADMIN.password)
            closed = await admin.post(f"/accounts/{rina.subject}/close", reason="moved")
            assert closed.status_code == 200, closed.text
            assert (await rina.refresh()).status_code == 401
            async with SignIn(process.url) as client:
                assert (await client.whole("rina-42"))["error"] == "account_closed"

        async def told_of(kind: type[Body]) -> list[Body]:
            return list(await probe.bodies(IDENTITY, kind))

        opened = [body for body in await probe.bodies(IDENTITY, AccountOpened) if body.subject == first]
        assert [body.actor for body in opened] == ["karya/identity/provider"]
        bodies = [body for kind in (AccountOpened, RoleGranted, RoleWithdrawn) for body in await told_of(kind)]
        assert "rina" not in str(bodies).lower(), "nobody's name is in an event"
    rebuilt = await compare(settings, "identity")
    assert (rebuilt.lost, rebuilt.doubled, rebuilt.mismatched) == ([], [], [])


async def test_an_answer_that_does_not_belong_to_the_question_is_refused(
    settings: Settings, service_process: RunProcess, probe: Probe
) -> None:
    with forging_provider() as forging:
        known = with_provider(settings, forging.issuer)
        async with identity(known, service_process) as process, Person(process.url) as somebody:

            async def comes_back(client: SignIn, **changes: str) -> dict[str, str]:
                away = query_of(await client.begin())
                query = {"state": away["state"], "code": forging.code(away), **changes}
                return told(await client.back(f"{CALLBACK}?{urlencode(query)}"))

            for name, forge in forging.forgeries().items():
                forging.forge = forge
                async with SignIn(process.url) as client:
                    assert await comes_back(client) == {"state": client.state, "error": "provider_refused"}, name
            forging.forge = forging.signed
            for changes, error in (
                ({"iss": "https://other.test"}, "provider_refused"),
                ({"code": "made up"}, "provider_refused"),
                ({"code": ""}, "provider_refused"),
                ({"error": "access_denied"}, "access_denied"),
                ({"error": "server_error"}, "provider_refused"),
            ):
                async with SignIn(process.url) as client:
                    assert (await comes_back(client, **changes))["error"] == error
            assert await probe.bodies(IDENTITY, AccountOpened) == []

            async with SignIn(process.url) as client, SignIn(process.url) as other:
                mine, others = query_of(await client.begin()), query_of(await other.begin())
                code = forging.code(mine)
                for state in ("", "made up", client.state):
                    unknown = await client.back(f"{CALLBACK}?{urlencode({'state': state, 'code': code})}")
                    assert unknown.status_code == 400, state
                    assert unknown.headers["content-type"] == "application/problem+json"
                swapped = f"{CALLBACK}?{urlencode({'state': others['state'], 'code': code})}"
                answer = told(await client.back(swapped))
                assert answer == {"state": other.state, "error": "provider_refused"}, "a code of another sign-in"

                again = {"state": mine["state"], "code": forging.code(mine), "session_state": "ignored"}
                right = f"{CALLBACK}?{urlencode(again)}"
                answer = told(await client.back(right))
                assert (await client.back(right)).status_code == 400, "each state counts once"
                stolen = await other.redeem(answer["code"])
                assert stolen.status_code == 401, "the code is for the client with the verifier"
                assert (await client.redeem(answer["code"])).status_code == 401, "it was used"

            async with SignIn(process.url) as client:
                answer = await comes_back(client)
                session = await client.redeem(answer["code"])
                assert session.status_code == 200, session.text
                assert session.headers["cache-control"] == "no-store"
                assert (await client.redeem(answer["code"])).status_code == 401
                somebody.tokens = session.json()
                assert (await somebody.get("/me")).json()["roles"] == [{"role": "organiser", "scope": "ODOP"}]
                for redirect_uri in (
                    "http://127.0.0.1.other.test:80/x",
                    "http://127.0.0.1:80@other.test:80/x",
                    "https://other.test:443/x",
                    "http://localhost:80/x",
                    "http://127.0.0.1:80/x?y=1",
                    "http://127.0.0.1:80/x#y",
                ):
                    refused = await client.begin(redirect_uri=redirect_uri)
                    assert refused.status_code == 422, redirect_uri
            assert len(await probe.bodies(IDENTITY, AccountOpened)) == 1


async def test_a_provider_that_demands_pkce_and_names_itself_is_understood(
    settings: Settings, service_process: RunProcess, tmp_path: Path
) -> None:
    people = {"rina-42": {"name": "Rina", "groups": ["kupang"]}}
    async with node_provider(tmp_path / "provider.log", people) as issuer:
        known = with_provider(settings, issuer, oidc_scopes="profile groups")
        async with identity(known, service_process) as process, Person(process.url) as rina:
            async with SignIn(process.url) as client:
                returned = await client.consent_in_forms(await client.begin(), "rina-42")
                assert query_of(returned)["iss"] == issuer
                answer = told(await client.back(returned.headers["location"]))
                session = await client.redeem(answer["code"])
                assert session.status_code == 200, session.text
                rina.tokens = session.json()
            me = (await rina.get("/me")).json()
            assert (me["name"], me["roles"]) == ("Rina", [{"role": "facility-staff", "scope": "LP-KPG"}])
            async with SignIn(process.url) as client:
                returned = await client.consent_in_forms(await client.begin(), "rina-42", declines=True)
                answer = told(await client.back(returned.headers["location"]))
                assert answer == {"state": client.state, "error": "access_denied"}
            async with SignIn(process.url) as client, SignIn(process.url) as other:
                mine, others = await client.begin(), await other.begin()
                location = (await client.consent_in_forms(mine, "rina-42")).headers["location"]
                swapped = location.replace(query_of(mine)["state"], query_of(others)["state"])
                assert told(await other.back(swapped))["error"] == "provider_refused"


async def test_a_closed_account_of_the_provider_stays_taken(mongo: Mongo) -> None:
    database, secrets = mongo.database("identity"), Secrets(mongo.database(SECRETS))
    now = datetime(2026, 4, 18, 8, tzinfo=UTC)
    login = provider_login("https://provider.test", "rina-42")
    of_provider = Credential("c-1", "s-aaaaaaaaaaaaaaaa", login, "Rina", None, now, referred=True)
    password = await secrets.passwords.hash("tenun ikat biru")
    of_password = Credential("c-2", "s-bbbbbbbbbbbbbbbb", "budi", "Budi", password, now, referred=True)
    orphan = Credential("c-3", "s-cccccccccccccccc", f"{login}-other", "Ani", None, now)
    for credential in (of_provider, of_password, orphan):
        assert await secrets.credentials.add(credential)
        assert await secrets.credentials.get(credential.id) == credential
    for credential in (of_provider, of_password):
        account = Account(credential.subject, credential.id, now, (), now)
        await database[ACCOUNTS.name].insert_one({"_id": account.id, **ACCOUNTS.to_document(account)})
    assert await collect(database, secrets, now + 2 * ORPHAN_AFTER) == 3
    assert [await secrets.credentials.get(id) for id in ("c-1", "c-2", "c-3")] == [None] * 3
    taken = [await secrets.credentials.subject_of(name) for name in (login, "budi", f"{login}-other")]
    assert taken == ["s-aaaaaaaaaaaaaaaa", None, None], "only this person would get another account by it"
