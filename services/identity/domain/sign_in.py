"""The rules for logins and passwords."""

import re

from shared.wording import Message

MIN_PASSWORD = 10
MAX_PASSWORD = 200
_LOGIN = re.compile(r"[a-z0-9][a-z0-9._@+-]{2,79}")


def login_of(typed: str) -> str:
    """A login as it is kept: in small letters, without spaces around it."""
    return typed.strip().lower()


def wrong_login(login: str) -> Message | None:
    """The rule for logins if this one breaks it."""
    if _LOGIN.fullmatch(login):
        return None
    return Message(
        "A login has 3 to 80 letters, digits, '.', '_', '@', '+' and '-', and begins with a letter or digit, e.g. "
        "rina.k."
    )


def wrong_password(login: str, password: str) -> Message | None:
    """What is wrong with a new password; None if it is good. No rule asks for kinds of characters."""
    if len(password) < MIN_PASSWORD:
        return Message(
            "A password has at least {least} characters. A few words that only you put together are good.",
            least=MIN_PASSWORD,
        )
    if len(password) > MAX_PASSWORD:
        return Message("A password has at most {most} characters.", most=MAX_PASSWORD)
    if login_of(password) == login:
        return Message("The password is the login. Please choose another one.")
    return None
