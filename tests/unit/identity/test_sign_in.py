"""Logins, passwords and their hashes, failed attempts, and the right that a grant needs."""

import asyncio
import time
from dataclasses import replace

import pytest

from services.identity.api.callers import right_to_grant
from services.identity.api.failures import MOST_FAILURES, MOST_LOGINS, WITHIN_SECONDS, Failures
from services.identity.api.requests import NewAccount, SignIn
from services.identity.domain.account import HeldRole
from services.identity.domain.sign_in import login_of, wrong_login, wrong_password
from services.identity.seed import FirstAccount
from services.identity.store import passwords
from services.identity.store.passwords import PasswordHash, Passwords, ScryptCost, password_bytes
from shared.access.rights import Grant, may
from shared.events.identity import ANY, Role
from shared.http.problems import PageRefused

pytestmark = pytest.mark.unit

QUICK = ScryptCost(n=2**4)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize("login", ["rina", "rina.k", "rina@lapas.example", "r2-d2", "a" * 80])
def test_a_good_login(login: str) -> None:
    assert wrong_login(login) is None


@pytest.mark.parametrize("login", ["", "ri", ".rina", "rina k", "Rina", "rinä", "a" * 81, "rina\n"])
def test_a_bad_login(login: str) -> None:
    assert wrong_login(login) is not None


def test_a_login_is_kept_in_small_letters() -> None:
    assert login_of(" Rina.K ") == "rina.k"


@pytest.mark.parametrize(
    ("password", "begin"),
    [
        ("", "A password has at least 10"),
        ("123456789", "A password has at least 10"),
        ("x" * 201, "A password has at most 200"),
        ("Rina.Kurnia", "The password is the login"),
    ],
)
def test_a_bad_password_is_told_kindly(password: str, begin: str) -> None:
    message = wrong_password("rina.kurnia", password)
    assert message is not None
    assert message.english.startswith(begin)


@pytest.mark.parametrize("password", ["0123456789", "x" * 200, "kata sandi baru", "\U0001f33a" * 10])
def test_a_good_password(password: str) -> None:
    assert wrong_password("rina.kurnia", password) is None


def test_both_ways_to_write_an_accented_letter_are_one_password() -> None:
    assert password_bytes("caf\u00e9") == password_bytes("cafe\u0301") == "caf\u00e9".encode()


async def test_a_hash_knows_its_password_only() -> None:
    hashed = await Passwords(QUICK).hash("tenun ikat biru")
    same = PasswordHash.from_document(hashed.as_document())
    assert same == hashed
    # Whoever has raised the cost still reads hashes of the former one.
    dearer = Passwords(ScryptCost(n=2**5))
    assert await dearer.is_right("tenun ikat biru", same)
    assert not await dearer.is_right("tenun ikat biri", same)
    assert not await dearer.is_right("tenun ikat biru", replace(same, cost=ScryptCost(n=2**5)))
    assert not await dearer.is_right("tenun ikat biru", None)
    assert (await Passwords(QUICK).hash("tenun ikat biru")).salt != hashed.salt


async def test_an_unknown_login_takes_as_long_as_a_known_one() -> None:
    checked = Passwords()
    known = await checked.hash("tenun ikat biru")

    async def seconds(hashed: PasswordHash | None) -> float:
        began = time.process_time()
        await checked.is_right("something else", hashed)
        return time.process_time() - began

    with_hash, without = [min([await seconds(hashed) for _ in range(3)]) for hashed in (known, None)]
    assert 0.3 < without / with_hash < 3


async def test_two_are_hashed_at_once_and_a_crowd_is_sent_away(monkeypatch: pytest.MonkeyPatch) -> None:
    running, most, release = 0, 0, asyncio.Event()

    async def slow(*_: object) -> bytes:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await release.wait()
        running -= 1
        return b""

    monkeypatch.setattr(passwords.asyncio, "to_thread", slow)
    crowded = Passwords(QUICK)
    crowd = [asyncio.create_task(crowded.hash("x")) for _ in range(passwords.MOST_WAITING)]
    await asyncio.sleep(0)
    with pytest.raises(PageRefused) as refused:
        await crowded.hash("x")
    assert refused.value.status_code == 503
    release.set()
    await asyncio.gather(*crowd)
    assert most == passwords.AT_ONCE


def test_five_failures_lock_a_login_until_the_first_is_old() -> None:
    clock = Clock()
    failures = Failures(clock)
    for _ in range(MOST_FAILURES):
        assert failures.wait_seconds("rina") == 0
        failures.add("rina")
        clock.now += 10
    assert failures.wait_seconds("rina") == WITHIN_SECONDS - MOST_FAILURES * 10
    assert failures.wait_seconds("other") == 0
    clock.now += WITHIN_SECONDS - MOST_FAILURES * 10
    assert failures.wait_seconds("rina") == 0
    failures.add("rina")
    assert failures.wait_seconds("rina") > 0
    failures.clear("rina")
    assert failures.wait_seconds("rina") == 0


def test_made_up_logins_do_not_fill_the_memory() -> None:
    failures = Failures(Clock())
    for _ in range(MOST_FAILURES):
        failures.add("first")
    for number in range(MOST_LOGINS):
        failures.add(f"made-up-{number}")
    assert failures.wait_seconds("first") == 0
    assert len(failures._at) == MOST_LOGINS


def test_no_repr_shows_a_password() -> None:
    secret = "tenun ikat biru"
    shown = [
        repr(SignIn.model_validate_json(f'{{"login": "rina", "password": "{secret}"}}')),
        repr(NewAccount.model_validate_json(f'{{"login": "rina", "name": "R", "password": "{secret}"}}')),
        repr(FirstAccount("rina", secret, ())),
    ]
    assert all("rina" in text and secret not in text for text in shown)


ADMIN, AUDITOR = Grant(Role.ADMINISTRATOR), Grant(Role.AUDITOR)
OF_ODOP, OF_ANY = Grant(Role.ORGANISER, "ODOP"), Grant(Role.ORGANISER, ANY)
STAFF, CASHIER = Grant(Role.FACILITY_STAFF, "PR-KPG"), Grant(Role.CASHIER, "ODOP.B1")
EVERYBODY = (ADMIN, AUDITOR, OF_ODOP, OF_ANY, STAFF, CASHIER)


@pytest.mark.parametrize(
    ("role", "granters"),
    [
        (HeldRole(Role.ORGANISER, "ODOP"), [ADMIN, OF_ODOP]),
        (HeldRole(Role.ORGANISER, "OTHER"), [ADMIN]),
        (HeldRole(Role.ORGANISER, ANY), [ADMIN]),
        (HeldRole(Role.CASHIER, "ODOP.B1"), [ADMIN, OF_ODOP]),
        (HeldRole(Role.CASHIER, "ODOP.B2"), [ADMIN, OF_ODOP]),
        (HeldRole(Role.CASHIER, "ODOPX.B1"), [ADMIN]),
        (HeldRole(Role.FACILITY_STAFF, "PR-KPG"), [ADMIN, STAFF]),
        (HeldRole(Role.FACILITY_STAFF, "LP-KPG"), [ADMIN]),
        (HeldRole(Role.AUDITOR), [ADMIN]),
        (HeldRole(Role.OPERATOR), [ADMIN]),
        (HeldRole(Role.SUBSCRIBER, "karya.public.sales.v1"), [ADMIN]),
        (HeldRole(Role.ADMINISTRATOR), [ADMIN]),
    ],
    ids=str,
)
def test_who_may_grant_a_role(role: HeldRole, granters: list[Grant]) -> None:
    action, place = right_to_grant(role)
    assert {grant for grant in EVERYBODY if may([grant], action, place)} == set(granters)
