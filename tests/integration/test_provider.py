"""People of another OpenID Connect provider, a real one, sign in through identity."""

from pathlib import Path

import httpx
import pytest

from ops.rebuild import compare
from shared.events.identity import IDENTITY, AccountOpened, RoleGranted, RoleWithdrawn
from shared.settings import Settings
from tests.support.people import ADMIN, Person, identity
from tests.support.place import RunProcess
from tests.support.probe import Probe
from tests.support.provider import SignIn, real_provider, with_provider

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
        opened = [body for body in await probe.bodies(IDENTITY, AccountOpened) if body.subject == first]
        assert [body.actor for body in opened] == ["karya/identity/provider"]
        assert "rina" not in str([body async for body in _all(probe)]).lower()
    rebuilt = await compare(settings, "identity")
    assert (rebuilt.lost, rebuilt.doubled, rebuilt.mismatched) == ([], [], [])


async def _all(probe: Probe):  # type: ignore[no-untyped-def]
    for kind in (AccountOpened, RoleGranted, RoleWithdrawn):
        for body in await probe.bodies(IDENTITY, kind):
            yield body
