"""Sign-ins at another provider on their way: each goes out with a state, and comes back as a code for the client."""

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.documents import Database

# A person types a password there, and perhaps a second factor.
AWAY_LIFETIME = timedelta(minutes=10)
# The client asks at once.
CODE_LIFETIME = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class SignInSecrets:
    """What binds the provider's answer to the question: the nonce of its ID token, and the verifier of PKCE.

    `callback`: the portal's page to which the browser comes back; empty for identity's own page."""

    nonce: str
    verifier: str
    callback: str = ""

    @property
    def challenge(self) -> str:
        """The challenge of PKCE (S256) that belongs to the verifier."""
        return challenge_of(self.verifier)


@dataclass(frozen=True, slots=True)
class ClientRequest:
    """The client that waits for the sign-in: its loopback address, its own state, and its challenge of PKCE.

    The portal has no address and no state here: it brings the provider's answer itself."""

    redirect_uri: str
    state: str
    code_challenge: str


@dataclass(frozen=True, slots=True)
class SignedIn:
    """An account that has signed in at the provider, and its credential."""

    subject: str
    credential: str


def challenge_of(verifier: str) -> str:
    """The challenge of PKCE (RFC 7636, S256) of a verifier."""
    return urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


class ProviderSignIns:
    """States and codes, each good once and kept as a hash. All methods raise PyMongoError."""

    def __init__(self, database: Database) -> None:
        self._away = database["provider_sign_ins"]
        self._codes = database["provider_codes"]

    async def prepare(self) -> None:
        """Make the indexes by which the server removes old states and codes."""
        await self._away.create_index("expires_at", expireAfterSeconds=0)
        await self._codes.create_index("expires_at", expireAfterSeconds=0)

    async def begin(self, client: ClientRequest, now: datetime, callback: str = "") -> tuple[str, SignInSecrets]:
        """A new state for the client, and what binds the answer to it. `callback`: as in SignInSecrets."""
        state = secrets.token_urlsafe(32)
        bound = SignInSecrets(secrets.token_urlsafe(32), secrets.token_urlsafe(48), callback)
        await self._away.insert_one(
            {
                "_id": _hash(state),
                "nonce": bound.nonce,
                "verifier": bound.verifier,
                "callback": bound.callback,
                "redirect_uri": client.redirect_uri,
                "state": client.state,
                "code_challenge": client.code_challenge,
                "expires_at": now + AWAY_LIFETIME,
            }
        )
        return state, bound

    async def take(self, state: str, now: datetime) -> tuple[ClientRequest, SignInSecrets] | None:
        """The sign-in that went out with this state. It can't be taken twice."""
        document = await self._away.find_one_and_delete({"_id": _hash(state), "expires_at": {"$gt": now}})
        if document is None:
            return None
        client = ClientRequest(document["redirect_uri"], document["state"], document["code_challenge"])
        # A former version had no other page than identity's.
        return client, SignInSecrets(document["nonce"], document["verifier"], document.get("callback", ""))

    async def give(self, account: SignedIn, code_challenge: str, now: datetime) -> str:
        """A code by which the client with this challenge gets a session of the account."""
        code = secrets.token_urlsafe(32)
        await self._codes.insert_one(
            {
                "_id": _hash(code),
                "subject": account.subject,
                "credential": account.credential,
                "code_challenge": code_challenge,
                "expires_at": now + CODE_LIFETIME,
            }
        )
        return code

    async def redeem(self, code: str, verifier: str, now: datetime) -> SignedIn | None:
        """The account of the code, if the verifier is the client's. The code is used, whatever the verifier."""
        document = await self._codes.find_one_and_delete({"_id": _hash(code), "expires_at": {"$gt": now}})
        if document is None or not hmac.compare_digest(document["code_challenge"], challenge_of(verifier)):
            return None
        return SignedIn(document["subject"], document["credential"])


def _hash(text: str) -> bytes:
    # The text is random, so that no salt and no slow hash is needed.
    return hashlib.sha256(text.encode()).digest()
