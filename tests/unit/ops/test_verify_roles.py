"""What `verify` makes of accounts and their facts, without any server."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from ops.verify.evidence import Evidence
from ops.verify.roles import roles
from ops.verify.topic_evidence import PublishedEvent
from services.identity.domain.account import Account, HeldRole
from shared.events.identity import Role

pytestmark = pytest.mark.unit

NOW = datetime(2026, 11, 30, 8, tzinfo=UTC)
SUBJECT = "s-aaaaaaaaaaaaaaaa"
OPENED = ("AccountOpened", {"credential": "c-1"})
GRANTED = ("RoleGranted", {"role": "cashier", "scope": "ODOP.B1"})
WITHDRAWN = ("RoleWithdrawn", {"role": "cashier", "scope": "ODOP.B1"})
CLOSED = ("AccountClosed", {"reason": ""})
ACCOUNT = Account(SUBJECT, "c-1", NOW)
CASHIER = replace(ACCOUNT, roles=(HeldRole(Role.CASHIER, "ODOP.B1"),))


def broken(account: Account | None, *facts: tuple[str, dict[str, Any]]) -> list[str]:
    evidence = Evidence(entities={Account: {account.id: account} if account is not None else {}})
    for number, (type, fields) in enumerate(facts):
        value = json.dumps({"subject": SUBJECT, **fields}).encode()
        evidence.published.add(PublishedEvent(type, "karya/identity", f"f{number}", "", value))
    return roles(evidence).broken


def test_an_account_that_follows_from_its_facts_is_right() -> None:
    assert broken(CASHIER, OPENED, GRANTED) == []
    assert broken(ACCOUNT, OPENED, GRANTED, WITHDRAWN) == []
    assert broken(replace(ACCOUNT, credential="c-2"), OPENED, ("CredentialReplaced", {"credential": "c-2"})) == []
    assert broken(replace(CASHIER, closed_at=NOW), OPENED, GRANTED, CLOSED) == []


@pytest.mark.parametrize(
    ("account", "facts"),
    [
        (CASHIER, [OPENED]),
        (ACCOUNT, [OPENED, GRANTED]),
        (ACCOUNT, [OPENED, CLOSED]),
        (replace(ACCOUNT, credential="c-2"), [OPENED]),
        (ACCOUNT, []),
        (None, [OPENED]),
        (ACCOUNT, [OPENED, OPENED]),
        (CASHIER, [OPENED, GRANTED, GRANTED]),
        (ACCOUNT, [OPENED, WITHDRAWN]),
        (replace(CASHIER, closed_at=NOW), [OPENED, CLOSED, GRANTED]),
    ],
)
def test_an_account_that_does_not_is_found(account: Account | None, facts: list[tuple[str, dict[str, Any]]]) -> None:
    assert broken(account, *facts) != []
