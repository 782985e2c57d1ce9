"""What a person typed, read as Indonesians write it: `1.250` and `Rp1.250` are thousands, `14.30` is a time of day.

What can be read in two ways, or is something else, is refused with what was understood and never taken for another
number. Each function raises WrongEntry, with a sentence for the person.
"""

import re
from collections.abc import Callable, Iterable
from datetime import date, time

from shared.errors import WrongEntry
from shared.events import lot_number, names
from shared.events.language import MAX_WHOLE
from shared.wording import Message

# Not \d: that takes the digits of every script.
_WHOLE = re.compile(r"0|[1-9][0-9]*|[1-9][0-9]{0,2}(?:\.[0-9]{3})+")
_SIGNED = re.compile(r"([+-]?)(.*)", re.DOTALL)
_MONEY = re.compile(r"(?:rp\.?\s?)?(.*?)(?:,-)?", re.IGNORECASE | re.DOTALL)
_FRACTION = re.compile(r"(0|[1-9][0-9]{0,8})[.,]([0-9]{1,2})")
_CLOCK = re.compile(r"([0-9]{1,2})[.:]([0-9]{2})")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")

_IN_WORDS = re.compile(r"(.*?)\s?(?:rb|ribu|k|jt|juta)", re.IGNORECASE)
_HOW = Message("Write 1250 or 1.250: a dot only before each group of three digits.")


def whole(text: str) -> int:
    """A whole number from 0 on: `1250`, `1.250`."""
    return _whole(text.strip(), text)


def change(text: str) -> int:
    """How many more or fewer: `3`, `+3`, `-1.000`."""
    sign, digits = _matched(_SIGNED, text.strip())
    number = _whole(digits, text)
    return -number if sign == "-" else number


def rupiah(text: str) -> int:
    """An amount from 0 on: `150000`, `150.000`, `Rp150.000`, `Rp 150.000,-`."""
    (digits,) = _matched(_MONEY, text.strip())
    return _whole(digits, text)


def number(text: str) -> float:
    """A number from 0 on that need not be whole, for what is measured: `3`, `0,5`, `0.5`; `1.500` are thousands."""
    stripped = text.strip()
    fraction = _FRACTION.fullmatch(stripped)
    if fraction is not None:
        return float(f"{fraction[1]}.{fraction[2]}")
    return float(_whole(stripped, text))


def clock(text: str) -> time:
    """A time of day: `14.30`, `14:30`, `8.05`."""
    parts = _CLOCK.fullmatch(text.strip())
    if parts is None or int(parts[1]) > 23 or int(parts[2]) > 59:
        raise WrongEntry(
            Message("{text!r} is no time of day. Write hours and minutes, e.g. 08.00 or 14:30.", text=text)
        )
    return time(int(parts[1]), int(parts[2]))


def day(text: str) -> date:
    """A day: `2026-04-18`."""
    if not _DAY.fullmatch(text.strip()):
        raise WrongEntry(
            Message(
                "{text!r} is no day as it is written here. Write year, month and day, e.g. 2026-04-18.", text=text
            )
        )
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise WrongEntry(
            Message("There is no day {text}; it was understood as year, month and day.", text=text.strip())
        ) from None


def lot(text: str) -> str:
    """A lot's number, with small letters and without dashes too; as it stands on the label."""
    number = lot_number.parse(text)
    if number is None:
        raise WrongEntry(
            Message(
                "{text!r} is no lot number: a character is missing or wrong. Compare it with the label.", text=text
            )
        )
    return str(number)


def product(text: str) -> str:
    """A product's code, in small letters too: `kti` is `KTI`."""
    return _code(names.PRODUCT, text)


def facility(text: str) -> str:
    """A facility's code, in small letters too: `pr-kpg` is `PR-KPG`."""
    return _code(names.FACILITY, text)


def pairs(
    entries: Iterable[str], example: str, name: Callable[[str], str], amount: Callable[[str], int] = whole
) -> dict[str, int]:
    """`NAME=NUMBER` entries, each read by these; a name that comes twice is refused."""
    amounts: dict[str, int] = {}
    for entry in entries:
        label, sign, number = entry.rpartition("=")
        if not label or not sign:
            raise WrongEntry(
                Message("{entry!r} says no name and number; write e.g. {example}.", entry=entry, example=example)
            )
        key = name(label)
        if key in amounts:
            raise WrongEntry(Message("{name} is named twice; name it once, with one number.", name=key))
        amounts[key] = amount(number)
    return amounts


def _whole(digits: str, text: str) -> int:
    """The number, `text` being all that was typed."""
    if not _WHOLE.fullmatch(digits):
        raise WrongEntry(_not_whole(digits, text))
    bare = digits.replace(".", "")
    # Longer ones are no numbers to int().
    if len(bare) > len(str(MAX_WHOLE)) or int(bare) > MAX_WHOLE:
        raise WrongEntry(Message("{text!r} is larger than anything that is counted here.", text=text))
    return int(bare)


def _not_whole(digits: str, text: str) -> Message:
    """What was understood, and how to write what may have been meant."""
    if not digits.strip():
        return Message("{text!r} has no number in it. {how}", text=text, how=_HOW)
    if digits[0] in "+-":
        return Message(
            "{text!r} was understood as a number with a sign, which can't stand here. Write the digits alone.",
            text=text,
        )
    if re.fullmatch(r"[1-9][0-9]{0,2}(?:,[0-9]{3})+", digits):
        dots = digits.replace(",", ".")
        return Message(
            "{text!r} can mean {dots} or, with a comma, a fraction. Write {dots} if it is thousands.",
            text=text,
            dots=dots,
        )
    if fraction := re.fullmatch(r"([0-9]+)[.,]([0-9]+)", digits):
        return Message(
            "{text!r} was understood as {whole} and a fraction, but only whole numbers can be taken. {how}",
            text=text,
            whole=fraction[1],
            how=_HOW,
        )
    if re.fullmatch(r"0[0-9]+", digits):
        return Message(
            "{text!r} was understood as a number that begins with 0: a digit may be missing. Write it without.",
            text=text,
        )
    if (words := _IN_WORDS.fullmatch(digits)) and _WHOLE.fullmatch(words[1]):
        return Message(
            "{text!r} was understood as {number} and a word for the zeros. Write all digits, e.g. 150.000.",
            text=text,
            number=words[1],
        )
    return Message("{text!r} was not understood as a whole number. {how}", text=text, how=_HOW)


def _code(rule: names.NameRule, text: str) -> str:
    code = text.strip().upper()
    if (words := rule.wrong(code)) is not None:
        raise WrongEntry(Message("{text!r} was not understood. {rule}", text=text, rule=words))
    return code


def _matched(pattern: re.Pattern[str], text: str) -> tuple[str, ...]:
    match = pattern.fullmatch(text)
    assert match is not None, "these patterns match every text"
    return tuple(str(group) for group in match.groups())
