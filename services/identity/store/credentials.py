"""Logins, names and password hashes, each under the random id by which an event names it.

A credential is written before the event that refers to it. A login belongs to one account. The login of a person of
another provider is the issuer and the subject there, which nobody can type as a login here.
"""

import secrets
from base64 import b32encode
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from services.identity.store.passwords import PasswordHash
from shared.documents import Database, Document, insert_once


@dataclass(frozen=True, slots=True)
class Credential:
    """`password` None: the person signs in at another provider. `given_roles`: those that the provider gave at the
    last sign-in. `referred`: an event refers to it, as far as is known."""

    id: str
    subject: str
    login: str
    name: str
    password: PasswordHash | None
    made_at: datetime
    referred: bool = False
    given_roles: tuple[str, ...] = ()


class Credentials:
    """The credentials of all accounts, the former ones for an hour. All methods raise PyMongoError."""

    def __init__(self, database: Database) -> None:
        self._credentials = database["credentials"]
        self._logins = database["logins"]

    async def add(self, credential: Credential) -> bool:
        """Keep the credential and its login for its account. False if the login is another account's."""
        document = {
            "_id": credential.id,
            "subject": credential.subject,
            "login": credential.login,
            "name": credential.name,
            "password": credential.password.as_document() if credential.password is not None else None,
            "made_at": credential.made_at,
            "referred": credential.referred,
            "given_roles": list(credential.given_roles),
        }
        await self._credentials.insert_one(document)
        if await self._reserve(credential.login, credential.subject, credential.made_at):
            return True
        await self._credentials.delete_one({"_id": credential.id})
        return False

    async def get(self, id: str) -> Credential | None:
        document = await self._credentials.find_one({"_id": id})
        return _credential(document) if document is not None else None

    async def many(self, ids: list[str]) -> dict[str, Credential]:
        """Those of the credentials that are there, by their ids."""
        documents = await self._credentials.find({"_id": {"$in": ids}}).to_list(None)
        return {document["_id"]: _credential(document) for document in documents}

    async def subject_of(self, login: str) -> str | None:
        """The account to which the login belongs."""
        document = await self._logins.find_one({"_id": login})
        subject: str | None = document["subject"] if document is not None else None
        return subject

    async def first_of(self, login: str) -> Credential | None:
        """The oldest credential of the account that has the login."""
        own = {"subject": await self.subject_of(login)}
        documents = await self._credentials.find(own).sort("made_at", 1).limit(1).to_list(None)
        return _credential(documents[0]) if documents else None

    async def refer(self, id: str) -> None:
        """Note that an event refers to the credential."""
        await self._credentials.update_one({"_id": id}, {"$set": {"referred": True}})

    async def note_provider(self, id: str, name: str, given_roles: Iterable[str]) -> None:
        """Note the name and the roles that the provider has told of a person."""
        await self._credentials.update_one({"_id": id}, {"$set": {"name": name, "given_roles": list(given_roles)}})

    async def made_before(self, moment: datetime) -> list[Credential]:
        """The credentials that are older."""
        documents = await self._credentials.find({"made_at": {"$lt": moment}}).to_list(None)
        return [_credential(document) for document in documents]

    async def remove(self, credential: Credential, before: datetime, *, keep_login: bool = False) -> None:
        """Forget the credential, and its login unless another credential of the account has it.

        A login that was claimed again since `before` stays. `keep_login`: nobody gets another account by it.
        """
        await self._credentials.delete_one({"_id": credential.id})
        if keep_login:
            return
        own = {"subject": credential.subject, "login": credential.login}
        if not await self._credentials.count_documents(own, limit=1):
            claim = {"_id": credential.login, "subject": credential.subject, "claimed_at": {"$lt": before}}
            await self._logins.delete_one(claim)

    async def _reserve(self, login: str, subject: str, at: datetime) -> bool:
        if await insert_once(self._logins, {"_id": login, "subject": subject, "claimed_at": at}):
            return True
        again = await self._logins.update_one({"_id": login, "subject": subject}, {"$set": {"claimed_at": at}})
        return again.matched_count == 1


def provider_login(issuer: str, subject: str) -> str:
    """The login of a person of another provider. An issuer has no space, so that no other pair gives the same."""
    return f"{issuer} {subject}"


def new_credential_id() -> str:
    """A random id for a credential."""
    return f"c-{_random_text()}"


def new_subject() -> str:
    """A random subject for an account."""
    return f"s-{_random_text()}"


def _random_text() -> str:
    return b32encode(secrets.token_bytes(16)).decode().rstrip("=").lower()


def _credential(document: Document) -> Credential:
    return Credential(
        document["_id"],
        document["subject"],
        document["login"],
        document["name"],
        PasswordHash.from_document(document["password"]) if document["password"] is not None else None,
        document["made_at"],
        document["referred"],
        tuple(document.get("given_roles", ())),
    )
