"""Accounts on real servers: sign-in, refresh, invitations, resets, rebuild, and a lost database of secrets."""

import asyncio
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from joserfc.jwk import KeySet
from typer.testing import CliRunner, Result

import deploy.accounts
from cli import app
from deploy.accounts import make_first, reset_code, seed_accounts, wait_until_worked
from deploy.local.services import environment
from ops.rebuild import compare, rebuild
from services.identity.domain.account import HeldRole
from services.identity.seed import FirstAccount
from services.identity.store import SECRETS, Secrets
from services.identity.store.credentials import Credential, new_credential_id, new_subject
from services.identity.store.signing_keys import Keyring
from services.identity.store.upkeep import ORPHAN_AFTER, collect
from shared.access.rights import Grant
from shared.access.tokens import check
from shared.errors import WrongEntry
from shared.events.festival import FESTIVAL, FestivalAnnounced
from shared.events.identity import (
    IDENTITY,
    IDENTITY_COMMANDS,
    AccountClosed,
    GrantRole,
    OpenAccount,
    Role,
    RoleGranted,
)
from shared.mongo import Mongo
from shared.settings import AccessControl, Settings
from tests.support.people import ADMIN, ISSUER, ORGANISER, Person, identity
from tests.support.place import RunProcess
from tests.support.probe import Probe
from tests.support.waiting import eventually

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """With access control, as identity has it by default."""
    return settings.model_copy(update={"access": AccessControl.TOKENS, "identity_url": ISSUER})


async def test_a_session_is_refreshed_until_a_used_token_or_the_closing_ends_it(
    settings: Settings, service_process: RunProcess, probe: Probe
) -> None:
    async with (
        identity(settings, service_process, ADMIN, ORGANISER) as process,
        Person(process.url) as rina,
        Person(process.url) as thief,
        Person(process.url) as admin,
    ):
        await rina.signed_in(ORGANISER)
        keys = KeySet.import_key_set((await rina.get("/jwks")).json())
        assert not any("d" in key for key in keys.as_dict(private=None)["keys"]), "only public parts"
        caller = check(rina.tokens["access_token"], keys, issuer=ISSUER)
        assert (caller.subject, caller.grants) == (rina.subject, (Grant(Role.ORGANISER, "ODOP"),))
        assert (await rina.get("/me")).json() == {
            "subject": rina.subject,
            "name": "Rina",
            "roles": [{"role": "organiser", "scope": "ODOP"}],
        }
        metadata = (await rina.get("/.well-known/oauth-authorization-server")).json()
        assert (metadata["issuer"], metadata["jwks_uri"]) == (ISSUER, f"{ISSUER}/jwks")

        first = rina.tokens["refresh_token"]
        second = (await rina.refresh()).json()["refresh_token"]
        assert check((await rina.refresh(second)).json()["access_token"], keys, issuer=ISSUER).subject == rina.subject
        await rina.sign_in(ORGANISER.login, ORGANISER.password)
        stolen = rina.tokens["refresh_token"]
        third = (await rina.refresh()).json()["refresh_token"]
        fourth = (await rina.refresh(third)).json()["refresh_token"]
        assert (await thief.refresh(stolen)).status_code == 401
        assert (await rina.refresh(fourth)).status_code == 401, "the whole family has ended"
        assert (await rina.refresh(first)).status_code == 401

        # An answer may be lost, so that the token used last counts again for seconds. One of two who use it ends it.
        await rina.sign_in(ORGANISER.login, ORGANISER.password)
        stolen = rina.tokens["refresh_token"]
        replaced = (await rina.refresh()).json()["refresh_token"]
        of_thief = (await thief.refresh(stolen)).json()["refresh_token"]
        assert (await rina.refresh(replaced)).status_code == 401
        assert (await thief.refresh(of_thief)).status_code == 401, "the whole family has ended"

        await rina.sign_in(ORGANISER.login, ORGANISER.password)
        last = rina.tokens["refresh_token"]
        assert (await rina.post(f"/accounts/{rina.subject}/close")).status_code == 403
        await admin.signed_in(ADMIN)
        closing = await admin.post(f"/accounts/{rina.subject}/close", reason="moved")
        assert closing.status_code == 200, closing.text
        assert (await rina.refresh(last)).status_code == 401
        again = await rina.sign_in(ORGANISER.login, ORGANISER.password)
        wrong = await rina.sign_in(ORGANISER.login, "something else")
        unknown = await rina.sign_in("nobody", "something else")
        assert [(answer.status_code, answer.json()) for answer in (again, wrong)] == [(401, unknown.json())] * 2
        [closed] = await probe.bodies(IDENTITY, AccountClosed)
        assert (closed.actor, closed.reason) == (admin.subject, "moved")
        page = (await admin.get(f"/commands/{closing.json()['command']}")).json()
        assert (page["name"], page["actor"], page["status"]) == ("CloseAccount", admin.subject, "done")
    rebuilt = await compare(settings, "identity")
    assert (rebuilt.lost, rebuilt.doubled, rebuilt.mismatched) == ([], [], [])


async def test_invitations_open_accounts_and_grant_roles_once(
    settings: Settings, service_process: RunProcess, probe: Probe
) -> None:
    async with (
        identity(settings, service_process, ADMIN, ORGANISER) as process,
        Person(process.url) as rina,
        Person(process.url) as cashier,
        Person(process.url) as other,
    ):
        await rina.signed_in(ORGANISER)
        for role, scope in (("cashier", "PASAR.B1"), ("organiser", "PASAR"), ("auditor", None), ("organiser", "*")):
            refused = await rina.post("/invitations", role=role, scope=scope)
            assert refused.status_code == 403, (role, scope)
        for role, scope in (("cashier", "ODOP"), ("auditor", "ODOP")):
            refused = await rina.post("/invitations", role=role, scope=scope)
            assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "scope")
        invited = await rina.post("/invitations", role="cashier", scope="ODOP.B1", hours=1)
        assert invited.status_code == 200, invited.text
        code = invited.json()["code"]
        new = {"login": "Budi", "password": "buah merah muda", "name": "Budi"}
        for wrong in ({"password": "short"}, {"password": "Budi" * 60}, {"login": "b"}):
            answer = await cashier.post(f"/invitations/{code}/account", **{**new, **wrong})
            assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, next(iter(wrong)))
        taken = await cashier.post(f"/invitations/{code}/account", **{**new, "login": "rina"})
        assert taken.status_code == 409
        opened, repeated = await asyncio.gather(
            *(cashier.post(f"/invitations/{code.upper()}/account", **new) for _ in range(2))
        )
        assert 200 in {opened.status_code, repeated.status_code}, (opened.text, repeated.text)
        again = await cashier.post(f"/invitations/{code}/account", **new)
        assert again.status_code == 200, "an answer may have been lost: the same request gives the same account"
        for thief in ({"login": "thief"}, {"password": "another password"}):
            answer = await cashier.post(f"/invitations/{code}/account", **{**new, **thief})
            assert answer.status_code == 404 if "password" in thief else 200
        assert (await cashier.sign_in("budi", "buah merah muda")).status_code == 200
        me = (await cashier.get("/me")).json()
        assert (me["name"], me["roles"]) == ("Budi", [{"role": "cashier", "scope": "ODOP.B1"}])
        assert (await cashier.post("/invitations", role="cashier", scope="ODOP.B1")).status_code == 403

        second = (await rina.post("/invitations", role="organiser", scope="ODOP")).json()["code"]
        assert (await cashier.post(f"/invitations/{second}/accept")).status_code == 200
        assert (await cashier.post(f"/invitations/{second}/accept")).status_code == 200
        assert (await rina.post(f"/invitations/{second}/accept")).status_code == 404, "used"
        await cashier.sign_in("budi", "buah merah muda")
        granted = [body for body in await probe.bodies(IDENTITY, RoleGranted) if body.subject == cashier.subject]
        assert [(body.role, body.scope, body.actor) for body in granted] == [
            (Role.CASHIER, "ODOP.B1", rina.subject),
            (Role.ORGANISER, "ODOP", rina.subject),
        ]

        late = (await rina.post("/invitations", role="cashier", scope="ODOP.B2")).json()["code"]
        token = dict(rina.tokens)
        withdrawn = await cashier.post(f"/accounts/{rina.subject}/roles/withdraw", role="organiser", scope="ODOP")
        assert withdrawn.status_code == 200, withdrawn.text
        rina.tokens = token
        back = await rina.post(f"/accounts/{rina.subject}/roles/grant", role="organiser", scope="ODOP")
        assert back.status_code == 403, "the token still names the role, and the account has lost it"
        answer = await other.post(f"/invitations/{late}/account", **{**new, "login": "late"})
        assert answer.status_code == 409, "an invitation ends with the right of whoever gave it"
    rebuilt = await compare(settings, "identity")
    assert (rebuilt.lost, rebuilt.doubled, rebuilt.mismatched) == ([], [], [])


async def test_a_reset_and_a_changed_password_end_all_sessions(
    settings: Settings, service_process: RunProcess
) -> None:
    async with (
        identity(settings, service_process, ADMIN, ORGANISER) as process,
        Person(process.url) as rina,
        Person(process.url) as admin,
    ):
        await rina.signed_in(ORGANISER)
        await admin.signed_in(ADMIN)
        wrong = await rina.post("/password", old="not the old one", new="kain tenun merah")
        assert wrong.status_code == 409
        assert (await rina.post("/password", old=ORGANISER.password, new="rina")).status_code == 422
        changed = await rina.post("/password", old=ORGANISER.password, new="kain tenun merah")
        assert changed.status_code == 200, changed.text
        assert (await rina.refresh()).status_code == 401
        assert (await rina.sign_in("rina", ORGANISER.password)).status_code == 401
        assert (await rina.sign_in("rina", "kain tenun merah")).status_code == 200

        assert (await rina.post(f"/accounts/{admin.subject}/reset")).status_code == 403
        former = (await admin.post(f"/accounts/{rina.subject}/reset")).json()["code"]
        code = (await admin.post(f"/accounts/{rina.subject}/reset")).json()["code"]
        assert (await rina.post(f"/resets/{former}/password", password="kain tenun hijau")).status_code == 404
        reset = await rina.post(f"/resets/{code}/password", password="kain tenun hijau")
        assert reset.status_code == 200, reset.text
        assert (await rina.refresh()).status_code == 401
        assert (await rina.post(f"/resets/{code}/password", password="kain tenun ungu")).status_code == 404
        assert (await rina.sign_in("rina", "kain tenun merah")).status_code == 401
        assert (await rina.sign_in("rina", "kain tenun hijau")).status_code == 200

        page = (await admin.get(f"/accounts/{rina.subject}")).json()
        assert (page["login"], page["name"], page["waits_for_reset"]) == ("rina", "Rina", False)
        assert (await rina.get("/accounts")).status_code == 403
        for _ in range(5):
            await admin.sign_in("rina", "kain tenun merah")
        locked = await admin.sign_in("rina", "kain tenun hijau")
        assert locked.status_code == 429
        assert 0 < int(locked.headers["Retry-After"]) <= 300


async def test_after_lost_secrets_accounts_wait_for_a_reset(
    settings: Settings, service_process: RunProcess, mongo: Mongo
) -> None:
    async with (
        identity(settings, service_process, ADMIN, ORGANISER) as process,
        Person(process.url) as rina,
        Person(process.url) as admin,
    ):
        await rina.signed_in(ORGANISER)
        await admin.signed_in(ADMIN)
        lost, (key,) = rina.tokens, (await rina.get("/jwks")).json()["keys"]
        assert await process.stop() == 0
        await mongo.database(SECRETS).client.drop_database(mongo.database(SECRETS).name)
    async with (
        service_process("identity", settings) as process,
        Person(process.url) as rina,
        Person(process.url) as admin,
    ):
        (new_key,) = (await rina.get("/jwks")).json()["keys"]
        assert new_key["kid"] != key["kid"]
        rina.tokens = lost
        assert (await rina.get("/me")).status_code == 401
        assert (await rina.refresh()).status_code == 401
        assert (await rina.sign_in("rina", ORGANISER.password)).status_code == 401
        # Nobody can sign in, so whoever runs the stack resets the first administrator, whose login is lost.
        with pytest.raises(WrongEntry, match="an administrator already: s-") as taken:
            await make_first(settings, "kepala")
        [subject] = set(re.findall(r"s-\w+", str(taken.value)))
        with pytest.raises(WrongEntry, match="no account kepala"):
            await reset_code(settings, "kepala")
        code = (await reset_code(settings, subject)).code
        asked = await admin.post(f"/resets/{code}/password", password="sembilan kata acak")
        assert (asked.status_code, asked.json()["errors"][0]["field"]) == (422, "login")
        reset = await admin.post(f"/resets/{code}/password", password="sembilan kata acak", login="kepala")
        assert reset.status_code == 200, reset.text
        assert (await admin.sign_in("kepala", "sembilan kata acak")).status_code == 200
        waiting = {page["subject"]: page["waits_for_reset"] for page in (await admin.get("/accounts")).json()}
        assert waiting == {subject: False, lost["subject"]: True}
        code = (await admin.post(f"/accounts/{lost['subject']}/reset")).json()["code"]
        fields = {"password": "tenun ikat ungu", "login": "rina", "name": "Rina"}
        assert (await rina.post(f"/resets/{code}/password", **fields)).status_code == 200
        assert (await rina.sign_in("rina", "tenun ikat ungu")).status_code == 200
        assert (await rina.get("/me")).json()["roles"] == [{"role": "organiser", "scope": "ODOP"}]


async def test_the_first_administrator_is_made_without_a_caller_and_invites_the_next(
    settings: Settings, service_process: RunProcess, mongo: Mongo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def karya(*words: str, given: str = "", **variables: str) -> Result:
        given_to = {**environment(settings), "KARYA_SESSION_FILE": str(tmp_path / "session.json"), **variables}
        return await asyncio.to_thread(CliRunner().invoke, app, [*words, "--json"], env=given_to, input=given)

    async def answer(*words: str, given: str = "", **variables: str) -> Any:
        result = await karya(*words, given=given, **variables)
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    monkeypatch.setattr(deploy.accounts, "WORKED_WITHIN", 0.1)
    early = await karya("accounts", "first", "kepala")
    assert (early.exit_code, "Start it, and try again" in early.output) == (1, True), early.output
    monkeypatch.undo()
    async with service_process("identity", settings) as process:
        here = {"KARYA_IDENTITY_URL": process.url}
        former = await answer("accounts", "first", "Kepala", "--name", "Kepala")
        made = await answer("accounts", "first", "kepala")
        assert (made["subject"], made["code"] != former["code"]) == (former["subject"], True)
        assert (await karya("accounts", "first", "rina")).exit_code == 1, "the first one has only to use the code"
        restore = ("accounts", "restore", "--password-stdin")
        assert (await karya(*restore, former["code"], given="sepuluh kata\n", **here)).exit_code == 1
        await answer(*restore, made["code"], given="sepuluh kata\n", **here)
        await answer("login", "kepala", "--password-stdin", given="sepuluh kata\n", **here)
        invited = await answer("accounts", "invite", "administrator", **here)
        words = ("accounts", "register", invited["code"], "--login", "rina", "--name", "Rina", "--password-stdin")
        await answer(*words, given="tenun ikat biru\n", **here)

        for login in ("kepala", "rina", "sari"):
            refused = await karya("accounts", "first", login)
            assert (refused.exit_code, "--reset" in refused.output) == (1, True), refused.output
        audited = {
            entry["actor"] async for entry in mongo.database("identity")["ledger"].find({"actor": {"$ne": None}})
        }
        assert "operator" in audited, "an auditor sees who made the first one"
        reset = await answer("accounts", "first", "kepala", "--reset")
        assert reset["subject"] == made["subject"]
        await answer(*restore, reset["code"], given="sembilan kata\n", **here)
        await answer("login", "kepala", "--password-stdin", given="sembilan kata\n", **here)
        rows = await answer("accounts", "list", "--role", "administrator", **here)
        assert {row["login"] for row in rows} == {"kepala", "rina"}


async def test_an_account_that_is_there_never_becomes_the_first_administrator(
    settings: Settings, service_process: RunProcess, mongo: Mongo
) -> None:
    async with identity(settings, service_process, ORGANISER):
        await eventually(lambda: mongo.database("identity")["accounts"].count_documents({}), equals=1)
        with pytest.raises(WrongEntry, match="has an account already"):
            await make_first(settings, ORGANISER.login, actor="operator")


async def test_a_rebuild_leaves_secrets_alone_and_gives_the_same_accounts(
    settings: Settings, service_process: RunProcess, mongo: Mongo
) -> None:
    async def kept(name: str) -> dict[str, list[dict[str, Any]]]:
        database = mongo.database(name)
        names = sorted(await database.list_collection_names())
        return {name: await database[name].find({}).sort("_id", 1).to_list(None) for name in names}

    async with identity(settings, service_process, ADMIN, ORGANISER) as process, Person(process.url) as rina:
        await rina.signed_in(ORGANISER)
    secrets, accounts = await kept(SECRETS), (await kept("identity"))["accounts"]
    indexes = await mongo.database(SECRETS)["sessions"].index_information()
    assert any("expireAfterSeconds" in index for index in indexes.values()), "the service keeps it up as it runs"
    assert {"credentials", "logins", "sessions", "signing_keys"} <= secrets.keys()
    await mongo.database("identity")["accounts"].update_many({}, {"$set": {"roles": []}})
    report = await rebuild(settings, "identity", switching=True)
    assert report.switched
    assert len(report.mismatched) == 2
    assert (await kept("identity"))["accounts"] == accounts
    assert await kept(SECRETS) == secrets
    async with service_process("identity", settings) as process, Person(process.url) as again:
        await again.signed_in(ORGANISER)
        again.tokens = rina.tokens
        assert (await again.refresh()).status_code == 200


async def test_superfluous_secrets_are_collected_and_no_others(
    settings: Settings, service_process: RunProcess, mongo: Mongo, probe: Probe
) -> None:
    secrets, database = Secrets(mongo.database(SECRETS)), mongo.database("identity")
    now = datetime.now(UTC)

    async def credential(
        login: str, subject: str | None = None, *, referred: bool = False, age: int = 2
    ) -> Credential:
        made_at = now - age * ORPHAN_AFTER
        made = Credential(
            new_credential_id(),
            subject or new_subject(),
            login,
            login,
            await secrets.passwords.hash("x"),
            made_at,
            referred,
        )
        assert await secrets.credentials.add(made)
        return made

    async with identity(settings, service_process, ADMIN, ORGANISER) as process, Person(process.url) as admin:
        await admin.signed_in(ADMIN)
        orphan, fresh = await credential("orphan"), await credential("fresh", age=0)
        # Its event is in Kafka, and identity's documents don't have it yet.
        behind = await credential("behind", referred=True)
        used = await credential("used")
        await probe.send(IDENTITY_COMMANDS, OpenAccount(subject=used.subject, credential=used.id))
        await eventually(lambda: database["accounts"].count_documents({"_id": used.subject}), equals=1)
        former = await credential("used", used.subject, age=3)
        assert await collect(database, secrets, now) == 2
        assert await secrets.credentials.get(orphan.id) is None
        assert await secrets.credentials.get(former.id) is None
        assert await secrets.credentials.subject_of("orphan") is None
        assert await secrets.credentials.subject_of("used") == used.subject
        for kept in (fresh, behind, used):
            assert await secrets.credentials.get(kept.id) is not None, kept.login
        again = await secrets.credentials.get(used.id)
        assert again is not None
        assert again.referred, "an event refers to it, as the account shows"
        # Made anew from Kafka, the accounts are away for a while: nothing may go for that.
        await database["accounts"].delete_one({"_id": used.subject})
        assert await collect(database, secrets, now) == 0
        assert await collect(database, secrets, now + 2 * ORPHAN_AFTER) == 1, "the fresh one, and no account's"
        closed = await admin.post(f"/accounts/{admin.subject}/close")
        assert closed.status_code == 200
        assert await collect(database, secrets, now + 2 * ORPHAN_AFTER) == 1
        assert await secrets.credentials.subject_of(ADMIN.login) is None, "nobody's name is kept for a closed account"


async def test_no_password_and_no_code_is_in_a_log_or_an_event(
    settings: Settings, service_process: RunProcess, probe: Probe
) -> None:
    verbose = settings.model_copy(update={"log_level": "DEBUG"})
    passwords = [ORGANISER.password, "kain tenun merah", "kain tenun hijau", "buah merah muda"]
    async with (
        identity(verbose, service_process, ADMIN, ORGANISER) as process,
        Person(process.url) as rina,
        Person(process.url) as admin,
    ):
        await rina.signed_in(ORGANISER)
        await admin.signed_in(ADMIN)
        await rina.sign_in("rina", "kain tenun merah")
        await rina.post("/password", old=ORGANISER.password, new="kain tenun merah")
        reset = (await admin.post(f"/accounts/{rina.subject}/reset")).json()["code"]
        await rina.post(f"/resets/{reset}/password", password="kain tenun hijau", extra="unknown field")
        await rina.post(f"/resets/{reset}/password", password="kain tenun hijau")
        invitation = (await admin.post("/invitations", role="auditor")).json()["code"]
        fields = {"login": "budiarto", "password": "buah merah muda", "name": "Budiarto Sample"}
        assert (
            await rina.post(f"/invitations/{invitation}/account", **{**fields, "login": "rina"})
        ).status_code == 409
        assert (await rina.post(f"/invitations/{invitation}/account", **fields)).status_code == 200
        tokens = [value for person in (rina, admin) for value in person.tokens.values() if len(str(value)) > 40]
        output = process.log.read_text()
    assert "service_started" in output
    named = ["budiarto", "Budiarto Sample"]
    for secret in (*passwords, reset, invitation, *map(str, tokens), *named):
        assert secret not in output, secret
    for topic in (IDENTITY_COMMANDS, IDENTITY):
        records = await probe.records(topic)
        assert records
        text = " ".join(f"{record.key} {record.value} {record.headers}" for record in records)
        for secret in (*passwords, reset, invitation, *named, "rina", "kepala"):
            assert secret not in text, secret


async def test_whoever_announces_a_festival_becomes_its_organiser(
    settings: Settings, service_process: RunProcess, probe: Probe
) -> None:
    announcer = FirstAccount("ani", "kain tenun kuning", (HeldRole(Role.ORGANISER, "*"),))
    day = str(datetime.now(UTC).date() + timedelta(days=30))
    announcement = {
        "festival": "PASAR",
        "name": "Pasar",
        "place": "Kupang",
        "zone": "Asia/Makassar",
        "first_day": day,
        "last_day": day,
    }
    async with identity(settings, service_process, announcer, ORGANISER) as process:
        # The keys come from this address, which is known only now. The issuer stays the one of the setting.
        at = settings.model_copy(update={"identity_url": process.url})
        assert await process.stop() == 0
        port = process.url.rpartition(":")[2]
        async with (
            service_process("identity", at, {"KARYA_HTTP_PORT": port}) as here,
            service_process("festival", at) as festival,
            Person(here.url) as ani,
            Person(here.url) as rina,
            httpx.AsyncClient(base_url=festival.url, headers={"Prefer": "wait=20"}, timeout=40) as organiser,
        ):
            await ani.signed_in(announcer)
            await rina.signed_in(ORGANISER)
            assert (await organiser.post("/festivals", json=announcement)).status_code == 401
            bearer = {"Authorization": f"Bearer {rina.tokens['access_token']}"}
            refused = await organiser.post("/festivals", json=announcement, headers=bearer)
            assert refused.status_code == 403, refused.text
            bearer = {"Authorization": f"Bearer {ani.tokens['access_token']}"}
            announced = await organiser.post("/festivals", json=announcement, headers=bearer)
            assert announced.status_code == 200, announced.text
            [fact] = await probe.bodies(FESTIVAL, FestivalAnnounced)
            assert fact.announced_by == ani.subject

            async def roles() -> list[dict[str, str]]:
                return (await ani.get("/me")).json()["roles"]  # type: ignore[no-any-return]

            wanted = [{"role": "organiser", "scope": "*"}, {"role": "organiser", "scope": "PASAR"}]
            await eventually(roles, equals=wanted)
            refreshed = (await ani.refresh()).json()["access_token"]
            booths = await organiser.get("/festivals/PASAR/booths", headers={"Authorization": f"Bearer {refreshed}"})
            assert booths.status_code == 200
    for service in ("identity", "festival"):
        rebuilt = await compare(settings, service)
        assert (rebuilt.lost, rebuilt.doubled, rebuilt.mismatched) == ([], [], [])


async def test_signing_keys_change_every_month_and_all_instances_agree(mongo: Mongo) -> None:
    moments = [datetime(2026, 1, 1, tzinfo=UTC)]
    rings = [Keyring(mongo.database(SECRETS), lambda: moments[-1]) for _ in range(3)]

    async def kids() -> tuple[str, list[str]]:
        """The current key of all instances, and those that they publish."""
        moments.append(moments[-1] + timedelta(minutes=2))
        [current] = {str(key.kid) for key in await asyncio.gather(*(ring.current() for ring in rings))}
        published = [[str(key.kid) for key in (await ring.known()).keys] for ring in rings]
        assert published[0] == published[1] == published[2]
        assert current in published[0]
        return current, published[0]

    first, published = await kids()
    assert published == [first]
    # An instance that saw no key either, and was slower.
    await rings[1]._make(1, moments[0])
    assert await kids() == (first, [first])
    moments.append(moments[0] + timedelta(days=28))
    assert await kids() == (first, [first])
    moments.append(moments[0] + timedelta(days=29, hours=1))
    current, (_, second) = await kids()
    assert current == first, "the next one is published ahead"
    moments.append(moments[0] + timedelta(days=30))
    assert await kids() == (second, [first, second])
    # Nobody has asked for long: the next one waits nevertheless until services know it.
    moments.append(moments[0] + timedelta(days=90))
    current, published = await kids()
    assert (current, len(published)) == (second, 3)
    third = published[-1]
    moments.append(moments[-1] + timedelta(minutes=11))
    assert await kids() == (third, [second, third])
    assert not any("d" in key.as_dict(private=False) for key in (await rings[0].known()).keys)
    restarted = Keyring(mongo.database(SECRETS), lambda: moments[-1])
    assert (await restarted.current()).kid == third


async def test_first_accounts_are_made_once_and_what_became_of_them_stays(
    settings: Settings, service_process: RunProcess, probe: Probe
) -> None:
    async with identity(settings, service_process, ADMIN, ORGANISER) as process, Person(process.url) as admin:
        await admin.signed_in(ADMIN)
        opened = await probe.bodies(IDENTITY_COMMANDS, OpenAccount)
        granted = await probe.bodies(IDENTITY_COMMANDS, GrantRole)
        assert (len(opened), len(granted)) == (2, 2)
        [organiser] = [body.subject for body in granted if body.scope == "ODOP"]
        withdrawn = await admin.post(f"/accounts/{organiser}/roles/withdraw", role="organiser", scope="ODOP")
        assert withdrawn.status_code == 200, withdrawn.text
        keys = await seed_accounts(settings, [ADMIN, ORGANISER])
        assert len(keys) == 4
        assert await probe.bodies(IDENTITY_COMMANDS, OpenAccount) == opened
        assert await probe.bodies(IDENTITY_COMMANDS, GrantRole) == granted
        assert (await admin.get(f"/accounts/{organiser}")).json()["roles"] == []
        # The account's outcome is known already, and its roles of today are nobody's business at a start.
        await asyncio.wait_for(wait_until_worked(settings, keys), 5)
