"""Access tokens: what is issued is accepted, and everything else is refused with a reason."""

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OctKey

from shared.access.rights import Grant
from shared.access.tokens import LIFETIME, TokenRefused, UnknownSigningKey, check, issue, new_key
from shared.events.identity import Role

ISSUER = "http://identity.test"
SUBJECT = "s-abcdefghijklmnop"
NOW = datetime(2026, 11, 30, 8, tzinfo=UTC)
KEY = new_key("k1")
KEYS = KeySet([ECKey.import_key(KEY.as_dict(private=False))])


def a_token(
    key: ECKey = KEY, issuer: str = ISSUER, roles: tuple[Grant, ...] = (Grant(Role.ORGANISER, "ODOP"),)
) -> str:
    return issue(key, issuer=issuer, subject=SUBJECT, grants=roles, client="test", now=NOW)


def at(moment: datetime) -> str | None:
    """Why the token is refused at this moment; None if it is accepted."""
    try:
        check(a_token(), KEYS, issuer=ISSUER, now=lambda: moment)
    except TokenRefused as refused:
        return refused.message.english
    return None


def changed(token: str, part: int, **values: object) -> str:
    """The token with other values in its header (0) or claims (1), under its old signature."""
    parts = token.split(".")
    content = json.loads(base64.urlsafe_b64decode(parts[part] + "=="))
    parts[part] = base64.urlsafe_b64encode(json.dumps({**content, **values}).encode()).rstrip(b"=").decode()
    return ".".join(parts)


def refusal(token: str, issuer: str = ISSUER) -> str:
    with pytest.raises(TokenRefused) as refused:
        check(token, KEYS, issuer=issuer, now=lambda: NOW)
    return refused.value.message.english


def test_an_issued_token_names_its_subject_and_roles() -> None:
    roles = (Grant(Role.ORGANISER, "ODOP"), Grant(Role.AUDITOR))
    caller = check(a_token(roles=roles), KEYS, issuer=ISSUER, now=lambda: NOW)
    assert (caller.subject, caller.grants) == (SUBJECT, roles)


def test_a_token_lasts_for_five_minutes_and_the_difference_of_two_clocks() -> None:
    assert timedelta(minutes=5) == LIFETIME
    assert at(NOW + LIFETIME) is None
    assert at(NOW + LIFETIME + timedelta(seconds=6)) == "The token has expired. Sign in again."
    assert at(NOW - timedelta(seconds=5)) is None
    assert at(NOW - timedelta(minutes=1)) == "The token is not valid here."


def test_a_changed_token_is_refused() -> None:
    assert refusal(changed(a_token(), 1, roles=["administrator"])) == "The token is not valid here."
    assert refusal(changed(a_token(), 1, sub="s-zzzzzzzzzzzzzzzz")) == "The token is not valid here."
    assert refusal("no.token.here") == "The token is not valid here."
    assert refusal(a_token(), issuer="http://other.test") == "The token is not valid here."


@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
def test_the_header_chooses_no_algorithm() -> None:
    assert refusal(changed(a_token(), 0, alg="none")) == "The token is not valid here."
    assert refusal(changed(a_token(), 0, alg="none").rpartition(".")[0] + ".") == "The token is not valid here."
    # The public key as the secret of a symmetric signature.
    secret = OctKey.import_key(json.dumps(KEY.as_dict(private=False)), {"kid": "k1"})
    claims = {"iss": ISSUER, "aud": "karya", "sub": SUBJECT, "exp": 2**40, "iat": 0, "roles": []}
    forged = jwt.encode({"alg": "HS256", "typ": "at+jwt", "kid": "k1"}, claims, secret, algorithms=["HS256"])
    assert refusal(forged) == "The token is not valid here."


def test_another_kind_of_token_is_refused() -> None:
    claims = {"iss": ISSUER, "aud": "karya", "sub": SUBJECT, "exp": 2**40, "iat": 0, "roles": []}
    other = jwt.encode({"alg": "ES256", "typ": "JWT", "kid": "k1"}, claims, KEY, algorithms=["ES256"])
    assert refusal(other) == "This is no access token."


@pytest.mark.parametrize("missing", ["iss", "aud", "sub", "exp", "iat", "roles"])
def test_every_claim_is_needed(missing: str) -> None:
    claims: dict[str, object] = {
        "iss": ISSUER,
        "aud": "karya",
        "sub": SUBJECT,
        "exp": int(NOW.timestamp()) + 60,
        "iat": int(NOW.timestamp()),
        "roles": [],
    }
    whole = jwt.encode({"alg": "ES256", "typ": "at+jwt", "kid": "k1"}, claims, KEY, algorithms=["ES256"])
    assert check(whole, KEYS, issuer=ISSUER, now=lambda: NOW).subject == SUBJECT
    del claims[missing]
    part = jwt.encode({"alg": "ES256", "typ": "at+jwt", "kid": "k1"}, claims, KEY, algorithms=["ES256"])
    assert refusal(part) == "The token is not valid here."


def test_a_key_that_is_not_known_yet_is_told_apart() -> None:
    with pytest.raises(UnknownSigningKey):
        check(a_token(new_key("k2")), KEYS, issuer=ISSUER, now=lambda: NOW)
    assert refusal(a_token(new_key("k1"))) == "The token is not valid here.", "another key of the same name"


def test_an_unknown_role_gives_no_right() -> None:
    token = issue(KEY, issuer=ISSUER, subject=SUBJECT, grants=(), client="test", now=NOW)
    assert check(token, KEYS, issuer=ISSUER, now=lambda: NOW).grants == ()
    assert Grant.parse("emperor:ODOP") is None


def encoded(text: str | bytes) -> str:
    return base64.urlsafe_b64encode(text.encode() if isinstance(text, str) else text).rstrip(b"=").decode()


# Whatever a stranger writes there is read before any signature is checked.
HEADERS = [
    "[" * 40_000,
    '{"alg":' * 8_000,
    "null",
    "7",
    "[]",
    "{}",
    '"ES256"',
    "NaN",
    b"\xff\xfe",
    '{"alg":"ES256"}',
    '{"alg":["ES256"],"kid":"k1"}',
    '{"alg":{"a":1},"kid":"k1"}',
    '{"alg":null,"kid":"k1"}',
    '{"alg":"ES256","kid":["k1"]}',
    '{"alg":"ES256","kid":{"k1":1}}',
    '{"alg":"ES256","kid":""}',
    '{"alg":"ES256","kid":"../../etc/passwd"}',
    '{"alg":"ES256","kid":"k1","typ":7}',
    '{"alg":"ES256","kid":"k1","typ":"at+jwt","crit":["b64"],"b64":false}',
    '{"alg":"ES256","kid":"k1","typ":"at+jwt","crit":"x"}',
    '{"alg":"ES256","kid":"k1","typ":"at+jwt","zip":"DEF"}',
    '{"alg":"ECDH-ES","enc":"A128GCM","kid":"k1"}',
    '{"alg":"dir","kid":"k1"}',
]


@pytest.mark.parametrize("header", HEADERS, ids=range(len(HEADERS)))
@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
def test_no_header_gets_beyond_its_refusal(header: str | bytes) -> None:
    _, claims, signature = a_token().split(".")
    for token in (f"{encoded(header)}.{claims}.{signature}", f"{encoded(header)}.{claims}.", encoded(header)):
        assert refusal(token)
    assert refusal(".".join([encoded(header)] * 5))


@pytest.mark.parametrize("token", ["", ".", "..", "....", "a", "é.é.é", "{}", a_token() + ".", a_token() + "=", " "])
def test_no_text_gets_beyond_its_refusal(token: str) -> None:
    assert refusal(token)


def test_a_key_that_the_token_brings_itself_is_not_used() -> None:
    own = new_key("k1")
    claims = {"iss": ISSUER, "aud": "karya", "sub": SUBJECT, "exp": 2**40, "iat": 0, "roles": ["administrator"]}
    for brought in (
        {"jwk": own.as_dict(private=False)},
        {"jku": "http://other.test/jwks"},
        {"x5u": "http://other.test"},
    ):
        header = {"alg": "ES256", "typ": "at+jwt", "kid": "k1", **brought}
        assert refusal(jwt.encode(header, claims, own, algorithms=["ES256"])) == "The token is not valid here."


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": "9999999999"},
        {"exp": True},
        {"exp": [2**40]},
        {"iat": "0"},
        {"nbf": 2**40},
        {"sub": ["s-abcdefghijklmnop"]},
        {"sub": "s-abcdefghijklmnop\n"},
        {"sub": "kepala"},
        {"aud": "other"},
        {"aud": {"karya": 1}},
        {"iss": [ISSUER]},
        {"iss": f"{ISSUER}/"},
        {"roles": "administrator"},
        {"roles": {"administrator": 1}},
    ],
)
def test_a_claim_of_another_shape_is_refused(claims: dict[str, object]) -> None:
    whole = {"iss": ISSUER, "aud": "karya", "sub": SUBJECT, "exp": 2**40, "iat": 0, "roles": [], **claims}
    header = {"alg": "ES256", "typ": "at+jwt", "kid": "k1"}
    assert refusal(jwt.encode(header, whole, KEY, algorithms=["ES256"]))
