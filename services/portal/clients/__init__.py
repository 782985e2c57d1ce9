"""Clients of the other services, which get the person's own access token."""

from services.portal.clients.identity import (
    Identity,
    IdentityAway,
    IdentitySession,
    ProviderSignInFailed,
    SignInMethods,
    SignInRefused,
)
from services.portal.clients.services import GivenCommand, OutcomeUnknown, Row, Services, SignedOut

__all__ = [
    "GivenCommand",
    "Identity",
    "IdentityAway",
    "IdentitySession",
    "OutcomeUnknown",
    "ProviderSignInFailed",
    "Row",
    "Services",
    "SignInMethods",
    "SignInRefused",
    "SignedOut",
]
