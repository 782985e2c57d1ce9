"""Sign-in at another provider, as its clients know it: where the browser comes back to, and why one may fail."""

from collections.abc import Mapping
from enum import StrEnum

from shared.wording import Message

# The path of the portal to which the provider sends a browser back.
PORTAL_CALLBACK = "/sign-in/provider/callback"


class SignInError(StrEnum):
    """Why a sign-in at the provider gives no session. The client is told by `error`, as in OAuth."""

    ACCESS_DENIED = "access_denied"
    PROVIDER_AWAY = "provider_away"
    PROVIDER_REFUSED = "provider_refused"
    NO_ROLE = "no_role"
    ACCOUNT_CLOSED = "account_closed"
    TRY_AGAIN = "temporarily_unavailable"
    UNKNOWN = "unknown_sign_in"


SENTENCES: Mapping[SignInError, Message] = {
    SignInError.ACCESS_DENIED: Message("The sign-in was declined at the provider."),
    SignInError.PROVIDER_AWAY: Message("The provider does not answer. Please try again later."),
    SignInError.PROVIDER_REFUSED: Message("The provider's answer does not count here. The log of identity says why."),
    SignInError.NO_ROLE: Message(
        "Your account at the provider has no role here. Whoever keeps accounts there can add one."
    ),
    SignInError.ACCOUNT_CLOSED: Message("This account is closed."),
    SignInError.TRY_AGAIN: Message("The identity service could not finish the sign-in. Please try again."),
    SignInError.UNKNOWN: Message("This sign-in is not known, was used, or is too old. Please begin again."),
}


def sentence_of(error: str) -> Message:
    """What a person reads for this error. One that is not known here is no reason to give up."""
    known = SignInError(error) if error in set(SignInError) else SignInError.TRY_AGAIN
    return SENTENCES[known]
