"""The language of what people read: Indonesian or English.

English texts are the ids of the gettext catalogue. The catalogue is read as it is: a compiled one would have to be
made anew after each change, and reading this one takes milliseconds.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

from shared.errors import UnknownLanguage
from shared.wording import WORD, Message, Value, message_of, render, wordless

CATALOGUE = Path(__file__).parent / "locale" / "id" / "LC_MESSAGES" / "karya.po"
HEADING = "heading"
IN_INDONESIAN = "_id"  # ends the name of a field with the Indonesian text of another one
VARIABLE = "KARYA_LANG"


class Language(StrEnum):
    INDONESIAN = "id"
    ENGLISH = "en"


Catalogue = Mapping[tuple[str | None, str], str]

_chosen: list[Language] = []
# A process that answers several readers at once has one for each.
_of_reader: ContextVar[Language | None] = ContextVar("language", default=None)


def language() -> Language:
    """The language in use: the reader's, else the one chosen by `use_language`, else that of the environment."""
    if (choice := _of_reader.get()) is not None:
        return choice
    if not _chosen:
        _chosen.append(language_of(os.environ))
    return _chosen[0]


def use_language(choice: Language | None) -> None:
    """Use this language from now on. None: that of the environment, as it is at the next text."""
    _chosen[:] = [choice] if choice else []


@contextmanager
def reading_in(choice: Language) -> Iterator[None]:
    """Use this language for one reader: in this context alone, as long as the block lasts."""
    token = _of_reader.set(choice)
    try:
        yield
    finally:
        _of_reader.reset(token)


def language_of(environment: Mapping[str, str]) -> Language:
    """The language by `KARYA_LANG`, else by the locale, else Indonesian. Raises UnknownLanguage."""
    if choice := environment.get(VARIABLE, "").strip():
        return language_named(choice)
    locale = next((value for name in ("LC_ALL", "LC_MESSAGES", "LANG") if (value := environment.get(name))), "")
    return Language.ENGLISH if locale.lower().startswith("en") else Language.INDONESIAN


def language_named(name: str) -> Language:
    """The language of this code. Raises UnknownLanguage, in both languages since neither is known to be read."""
    try:
        return Language(name.strip().lower())
    except ValueError:
        raise UnknownLanguage(
            f"{name!r}: bahasa ini tidak dikenal; pilih id atau en. This language is not known; choose id or en."
        ) from None


def tr(template: str, /, **values: Value) -> str:
    """The text in the reader's language. `template` is the English text, with named fields for the values."""
    return translated(Message(template, **values))


def translated(message: Message | str) -> str:
    """The message in the reader's language. A string stays as it is, and so does what has no translation."""
    if isinstance(message, str):
        return message
    if language() is Language.ENGLISH:
        return render(message.template, dict(message.values), word, translated)
    values = dict(message.values)
    own = {name: text for name in values if (text := values.get(f"{name}{IN_INDONESIAN}"))}
    return render(template_of(message.template), values | own, word, translated)


def received(message: str, template: str, values: Mapping[str, str | int]) -> str:
    """The message of an event in the reader's language. `message` is its English text, for unknown templates."""
    if language() is Language.ENGLISH:
        return message
    try:
        is_known = (None, template) in catalogue() or wordless(template)
        return translated(message_of(template, values)) if is_known else message
    except (KeyError, ValueError):
        return message  # the event is of another version, and its values do not fit


def template_of(text: str) -> str:
    """The template of the text in the reader's language, its fields unfilled."""
    return text if language() is Language.ENGLISH else catalogue().get((None, text), text)


def in_own_language(row: Mapping[str, Any], field: str) -> str:
    """A text of a service's page that comes in both languages, in the reader's."""
    own = row.get(f"{field}{IN_INDONESIAN}") if language() is Language.INDONESIAN else None
    return str(own or row[field])


def heading(column: str) -> str:
    """The heading of a table's column."""
    return _in_context(HEADING, column)


def word(value: str) -> str:
    """A word of the vocabulary, such as a status, in the reader's language."""
    return _in_context(WORD, value)


def _in_context(context: str, text: str) -> str:
    return text if language() is Language.ENGLISH else catalogue().get((context, text), text)


@cache
def catalogue() -> Catalogue:
    """The Indonesian texts by context and English text."""
    return dict(_entries(CATALOGUE.read_text(encoding="utf-8")))


def _entries(text: str) -> Iterator[tuple[tuple[str | None, str], str]]:
    """The entries of a catalogue without plural forms. Obsolete and fuzzy ones have no place in it."""
    for block in text.split("\n\n"):
        parts: dict[str, list[str]] = {}
        key = ""
        for line in block.splitlines():
            if line.startswith("#"):
                continue
            name, _, quoted = line.partition('"')
            key = name.strip() or key
            parts.setdefault(key, []).append(_unquoted(quoted.rstrip()[:-1]))
        source, translation = "".join(parts.get("msgid", ())), "".join(parts.get("msgstr", ()))
        if source and translation:
            yield ("".join(parts["msgctxt"]) if "msgctxt" in parts else None, source), translation


_ESCAPES = {"n": "\n", "t": "\t"}


def _unquoted(text: str) -> str:
    if "\\" not in text:
        return text
    parts = iter(text)
    return "".join(
        _ESCAPES.get(following := next(parts), following) if character == "\\" else character for character in parts
    )
