"""The checks of accounts and devices: identity keeps of each what its facts say."""

from collections.abc import Iterator

from ops.verify.evidence import Evidence
from ops.verify.report import Check
from ops.verify.topic_evidence.accounts import AccountFacts, EnrolmentFacts
from services.identity.domain.account import Account
from services.identity.domain.device import EnrolledDevice


def checks(evidence: Evidence) -> Iterator[Check]:
    """Every check about accounts and devices."""
    yield roles(evidence)
    yield enrolments(evidence)


def roles(evidence: Evidence) -> Check:
    """Credential, roles and end of each account follow from its facts, and no fact contradicts another."""
    check = Check("roles", "per account: credential, roles and closing are those of its published facts")
    published = dict(evidence.published.accounts.accounts)
    for account in evidence.of(Account).values():
        facts = published.pop(account.id, AccountFacts())
        check.expect_equal(
            (
                account.credential,
                {(held.role.value, held.scope) for held in account.roles},
                account.closed_at is not None,
            ),
            (facts.credential, facts.roles, facts.closed),
            "account {account}: {first} as its facts say, not {second}",
            account=account.id,
        )
        for contradiction in facts.contradictions:
            check.fail("account {account}: {contradiction}", account=account.id, contradiction=contradiction)
    for subject in sorted(published):
        check.fail("account {account} was published, but identity does not know it", account=subject)
    return check


def enrolments(evidence: Evidence) -> Check:
    """Key, place and end of each device follow from its facts, and no fact contradicts another."""
    check = Check("enrolments", "per device: key, place and revocation are those of its published facts")
    published = dict(evidence.published.accounts.enrolments)
    for device in evidence.of(EnrolledDevice).values():
        facts = published.pop(device.id, EnrolmentFacts())
        check.expect_equal(
            (
                device.public_key.fields,
                (device.role.value, device.scope, device.name),
                device.revoked_at is not None,
            ),
            (facts.key, facts.place, facts.revoked),
            "device {device}: {first} as its facts say, not {second}",
            device=device.id,
        )
        for contradiction in facts.contradictions:
            check.fail("device {device}: {contradiction}", device=device.id, contradiction=contradiction)
    for subject in sorted(published):
        check.fail("device {device} was published, but identity does not know it", device=subject)
    return check
