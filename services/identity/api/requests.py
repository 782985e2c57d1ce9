"""Bodies of requests with secrets, and how they are read. Passwords and codes show in no repr and no error."""

from typing import Annotated, Any

from fastapi.exceptions import RequestValidationError
from pydantic import Field, SecretStr, StringConstraints, field_validator

from services.identity.domain.sign_in import login_of, wrong_login, wrong_password
from shared.access.signatures import MAX_PROOF
from shared.events.identity import DeviceSubject, PublicKey, Role, Scope
from shared.events.language import Body, Id, Typed
from shared.faults import value_error
from shared.http.endpoints import body_openapi
from shared.wording import Message, WrongValue

CODE_CHALLENGE = r"^[A-Za-z0-9_-]{43}$"
# Codes of some providers are tokens.
MOST_CODE = 4000
# Longer than any password may be, so that its rule can say how long one may be.
Password = Annotated[SecretStr, Field(min_length=1, max_length=1000)]
Token = Annotated[SecretStr, Field(min_length=1, max_length=200)]
Verifier = Annotated[SecretStr, Field(min_length=43, max_length=128)]
Challenge = Annotated[str, StringConstraints(pattern=CODE_CHALLENGE)]
Proof = Annotated[str, StringConstraints(min_length=1, max_length=MAX_PROOF)]
MOST_HOURS = 24 * 30
# Of a JSON Web Key (RFC 7518): what an asymmetric key keeps to itself, and a symmetric key.
PRIVATE_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})


class SignIn(Body):
    """The login of an account and its password."""

    login: Typed
    password: Password


class Refresh(Body):
    """The newest refresh token of a session."""

    refresh_token: Token


class RedeemCode(Body):
    """The code that came to the client's loopback address, and the verifier of its challenge (PKCE)."""

    code: Token
    code_verifier: Verifier


class BeginSignIn(Body):
    """The page of the portal to which the browser comes back, and the challenge (PKCE, S256) of a verifier that only
    this browser has."""

    redirect_uri: Annotated[str, StringConstraints(min_length=1, max_length=300)]
    code_challenge: Challenge


class FinishSignIn(Body):
    """What the provider has sent with the browser, and the verifier of the challenge.

    `iss`: the provider, if it names itself (RFC 9207); `error`: why it gives no code."""

    state: Token
    code: Annotated[SecretStr, Field(max_length=MOST_CODE)] = SecretStr("")
    iss: Annotated[str, StringConstraints(max_length=500)] | None = None
    error: Annotated[str, StringConstraints(max_length=100)] = ""
    code_verifier: Verifier


class ChangePassword(Body):
    """The old password and a new one."""

    old: Password
    new: Password


class Invite(Body):
    """A role to pass on, with its scope if it has one. The code is good for `hours`."""

    role: Role
    scope: Scope | None = None
    hours: Annotated[int, Field(ge=1, le=MOST_HOURS)] = 72


class NewAccount(Body):
    """A login and a password that the invited person chooses, and a name for others to see."""

    login: Typed
    password: Password
    name: Typed


class ResetPassword(Body):
    """A new password. A login and a name are needed only if those of the account were lost."""

    password: Password
    login: Typed | None = None
    name: Typed | None = None


class DeviceCode(Body):
    """The role of a device, `terminal` or `till`, and its facility or booth."""

    role: Role
    scope: Scope


class EnrolKey(Body):
    """A device's public key, and a JWS of the code and the audience by its private key. `name`: that of the terminal
    or till. `scope`: the place that the device is set up for, if it knows one; the code must be for it."""

    public_key: PublicKey
    proof: Proof
    name: Id
    scope: Scope | None = None

    @field_validator("public_key", mode="before")
    @classmethod
    def _is_public(cls, key: Any) -> Any:
        # Other members are left out. This one says that the device has sent its secret.
        if isinstance(key, dict) and not PRIVATE_MEMBERS.isdisjoint(key):
            raise WrongValue(
                Message(
                    "This is the private half of a key, which must not leave the device. Let the device make another "
                    "key, and send its public half alone."
                )
            )
        return key


class AskChallenge(Body):
    """The device that wants a token."""

    device: DeviceSubject


class ProveDevice(Body):
    """A challenge, and a JWS of the challenge and the audience by the device's private key."""

    device: DeviceSubject
    challenge: Proof
    proof: Proof


class NoFields(Body):
    """Nothing: the path says it all."""


def described(path: str, body: type[Body], answers: dict[int | str, dict[str, Any]]) -> dict[str, Any]:
    """What FastAPI needs to describe a route whose body is read by `parse_command`."""
    return {"openapi_extra": body_openapi(path, body), "responses": answers}


def new_login(typed: str) -> str:
    """The login as it is kept. Raises RequestValidationError for one that can't be."""
    login = login_of(typed)
    _refuse("login", wrong_login(login))
    return login


def new_password(login: str, password: SecretStr, field: str = "password") -> str:
    """The text of a new password. Raises RequestValidationError for one that is not good."""
    text = password.get_secret_value()
    _refuse(field, wrong_password(login, text))
    return text


def invalid(field: str, message: Message) -> RequestValidationError:
    """The refusal of a request because of one field."""
    return RequestValidationError([value_error(("body", field), message)])


def _refuse(field: str, message: Message | None) -> None:
    if message is not None:
        raise invalid(field, message)
