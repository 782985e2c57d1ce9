"""Sentences for people: an English template and its values. A reader renders them in a language.

A field of a template may have a format: `{status:word}` is a word of the vocabulary, `{qty:piece|pieces}` a number
with its noun, `{qty:thousands}` and `{amount:rupiah}` numbers as Indonesians write them. A text that comes in both
languages, as the reasons of a plan do, is the values `reason` and `reason_id`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from string import Formatter
from typing import Any, TypeAlias

from shared.shown import rupiah, thousands

WORD = "word"
WITHIN = "__"  # between the name of a message among the values and the name of its field, in an event
TEMPLATE = "template"
LONGEST_VALUE = 500  # characters of a text in an event

Value: TypeAlias = "str | int | Message"


@dataclass(frozen=True, slots=True, init=False)
class Message:
    """A sentence: its template and the values of its fields. A value may be a message in turn."""

    template: str
    values: tuple[tuple[str, Value], ...]

    def __init__(self, template: str, /, **values: Value) -> None:
        object.__setattr__(self, "template", template)
        object.__setattr__(self, "values", tuple(values.items()))

    def __str__(self) -> str:
        return self.english

    @property
    def english(self) -> str:
        """The sentence in English."""
        return render(self.template, dict(self.values), str, str)

    @property
    def plain_values(self) -> dict[str, str | int]:
        """The values for an event or document; `message_of` reads them.

        A message among them is a text in English, with its template and values beside it.
        """
        values: dict[str, str | int] = {}
        for name, value in self.values:
            if isinstance(value, Message):
                values[name] = value.english[:LONGEST_VALUE]
                values[f"{name}{WITHIN}{TEMPLATE}"] = value.template
                values |= {f"{name}{WITHIN}{field}": text for field, text in value.plain_values.items()}
            else:
                values[name] = value[:LONGEST_VALUE] if isinstance(value, str) else value
        return values


def message_of(template: str, values: Mapping[str, str | int]) -> Message:
    """The message of an event or document, with its `plain_values`."""
    fields: dict[str, Value] = {}
    inner: dict[str, dict[str, str | int]] = {}
    for name, value in values.items():
        outer, separator, field = name.partition(WITHIN)
        if separator:
            inner.setdefault(outer, {})[field] = value
        else:
            fields[name] = value
    for name, parts in inner.items():
        fields[name] = message_of(str(parts.pop(TEMPLATE)), parts)
    return Message(template, **fields)


def any_of(names: Sequence[str]) -> Value:
    """The names as alternatives, for a sentence. Raises IndexError without a name."""
    *leading_names, last = names
    return Message("{others} or {last}", others=", ".join(leading_names), last=last) if leading_names else last


class WrongValue(ValueError):
    """A validator refuses a value, with a sentence for people."""

    def __init__(self, message: Message) -> None:
        super().__init__(message.english)
        self.message = message


def as_message(text: "Message | str") -> Message:
    """The text as a message. A text without translations becomes a template's only value."""
    return text if isinstance(text, Message) else Message("{text}", text=text)


def render(
    template: str, values: Mapping[str, Value], word: Callable[[str], str], sentence: Callable[[Message], str]
) -> str:
    """The template with its values. `word` and `sentence` render a word and a message among the values.

    Raises KeyError for a field without a value, and ValueError for a malformed template or format.
    """
    return _Renderer(word, sentence).vformat(template, (), values)


def fields(template: str) -> frozenset[str]:
    """The names of the template's fields. Raises ValueError for a malformed template."""
    return frozenset(name for _, name, _, _ in Formatter().parse(template) if name is not None)


def wordless(template: str) -> bool:
    """Whether the template has fields alone, and so no words of a language. Raises ValueError for a malformed one."""
    return not any(map(str.isalpha, "".join(literal for literal, *_ in Formatter().parse(template))))


def counts(template: str) -> frozenset[str]:
    """The names of the fields that are numbers with a noun in singular and plural."""
    return frozenset(name for _, name, spec, _ in Formatter().parse(template) if name and "|" in (spec or ""))


def counted(template: str) -> bool:
    """Whether a field of the template is a number with a noun in singular and plural."""
    return bool(counts(template))


class _Renderer(Formatter):
    def __init__(self, word: Callable[[str], str], sentence: Callable[[Message], str]) -> None:
        self._word = word
        self._sentence = sentence

    def get_field(self, field_name: str, args: Any, kwargs: Any) -> tuple[Any, str]:  # noqa: ARG002
        # Without access to attributes: a template may come with an event.
        return kwargs[field_name], field_name

    def format_field(self, value: Any, format_spec: str) -> str:
        if isinstance(value, Message):
            return self._sentence(value)
        match format_spec:
            case "":
                return str(value)
            case "word":
                return self._word(str(value))
            case "thousands":
                return thousands(int(value))
            case "rupiah":
                return rupiah(int(value))
        singular, separator, plural = format_spec.partition("|")
        if not separator:
            raise ValueError(f"{format_spec} is no format of a message")
        return f"{value} {singular if value == 1 else plural}"
