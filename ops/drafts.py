"""The body of a mended copy: an unusable record's own body with changes, or a whole new one, checked by its model."""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, NamedTuple, TypeAlias

from pydantic import ValidationError
from pydantic_core import ErrorDetails, from_json, to_json, to_jsonable_python

from deploy.topics import all_topics, writers
from ops.letters import Letter
from shared import typed
from shared.duplicates import name_twice
from shared.envelope import header
from shared.errors import NotMendable, WrongEntry
from shared.events.language import Body, Topic, event_type
from shared.faults import fault_message
from shared.wording import Message, as_message

_NUMBER = re.compile(r"[+-]?[0-9][0-9.,]*")

_Path: TypeAlias = tuple[str | int, ...]


class _Edit(NamedTuple):
    """A person's entry for a field. `doubt`: why it was not read as a number, though it looks like one."""

    text: str
    doubt: Message | None


@dataclass(frozen=True, slots=True)
class Draft:
    """A mended body for a letter. `changed`: the fields that differ from the letter's."""

    topic: Topic
    body: Body
    changed: tuple[str, ...]


def draft(
    letter: Letter,
    edits: Sequence[str] = (),
    *,
    body: bytes | None = None,
    type: str | None = None,
    key: str | None = None,
) -> Draft:
    """The mended body: the letter's body, or `body`, with the `edits` (`field=value`, `part.0.field=value`).

    `type`: the event's name, if the letter's headers do not name it. `key`: the right key, if the letter's is wrong.
    Raises NotMendable with sentences that say what is wrong.
    """
    topic = _topic(letter)
    model = _model(letter, topic, type)
    original = _fields(letter.value)
    fields = _fields(letter.value if body is None else body)
    if fields is None:
        raise NotMendable(
            Message("The body that was given is no JSON object. Give a whole body with --body FILE.")
            if body is not None
            else Message("The body of this letter is no JSON object. Give a whole body with --body FILE.")
        )
    raw = body if body is not None else letter.value or b""
    if (twice := name_twice(raw)) is not None:
        name = ".".join(map(str, twice))
        raise NotMendable(
            Message("{name} stands twice in the body. Give the right body with --body FILE.", name=name)
        )
    edited = set(fields) if body is not None else set()
    entries: dict[_Path, _Edit] = {}
    for edit in edits:
        path, text = _edit(edit)
        value, doubt = _value(text)
        _put(fields, path, value)
        entries[path] = _Edit(text, doubt)
        edited.add(str(path[0]))
    if strange := sorted(edited - model.model_fields.keys()):
        field_names = ", ".join(model.model_fields)
        raise NotMendable(
            Message(
                "{event} has no field {field}. It has: {fields}.",
                event=event_type(topic, model),
                field=strange[0],
                fields=field_names,
            )
        )
    new_body = _validated(model, fields, entries)
    new_key = topic.key_of(new_body)
    record_key = key if key is not None else (letter.key or b"").decode(errors="replace")
    if new_key != record_key:
        raise NotMendable(
            Message(
                "The body's {field} is {new}, and the record's key is {key}. Give {field}={key}, or say --key {new} "
                "if the body is right.",
                field=topic.key,
                new=new_key,
                key=record_key,
            )
            if record_key
            else Message(
                "The body's {field} is {new}, and the record has no key. Say --key {new} if the body is right.",
                field=topic.key,
                new=new_key,
            )
        )
    changes = tuple(_changed(model, original or {}, to_jsonable_python(new_body), {str(path[0]) for path in entries}))
    return Draft(topic, new_body, changes)


def _topic(letter: Letter) -> Topic:
    [topic] = [topic for topic in all_topics() if topic.name == letter.place.topic]
    if (owner := writers().get(topic.name)) is not None:
        raise NotMendable(
            Message(
                "Only {owner} may write {topic}, so no person can publish a copy there. Find who wrote this record "
                "(`karya verify`, check `writers`), then `karya dlq archive {place} --reason TEXT`.",
                owner=owner,
                topic=topic.name,
                place=str(letter.place),
            )
        )
    return topic


def _model(letter: Letter, topic: Topic, type: str | None) -> type[Body]:
    by_type = topic.by_type
    type_name = type or header(letter.headers, "ce_type") or ""
    for name, body in by_type.items():
        if type_name in (name, body.__name__):
            return body
    names = ", ".join(body.__name__ for body in by_type.values())
    fault = (
        Message("{event} is no event of {topic}.", event=type_name, topic=topic.name)
        if type_name
        else Message("The letter does not say which event it is.")
    )
    raise NotMendable(Message("{fault} Say --type with one of: {names}.", fault=fault, names=names))


def _fields(value: bytes | None) -> dict[str, Any] | None:
    try:
        fields = from_json(value or b"", allow_inf_nan=False)
    except ValueError:
        return None
    return fields if isinstance(fields, dict) else None


def _edit(edit: str) -> tuple[_Path, str]:
    name, sign, text = edit.partition("=")
    parts = name.strip().split(".")
    if not sign or not all(parts):
        raise NotMendable(
            Message(
                "{edit} is no FIELD=VALUE, e.g. qty=12. FIELD= without a value takes the field out.", edit=repr(edit)
            )
        )
    return tuple(int(part) if part.isascii() and part.isdecimal() else part for part in parts), text


def _value(text: str) -> tuple[Any, Message | None]:
    """The JSON value that was entered, and why it may not be what was meant."""
    if _NUMBER.fullmatch(text):
        try:
            return typed.change(text), None
        except WrongEntry as wrong:
            return text, as_message(wrong.message)
    try:
        return from_json(text), None
    except ValueError:
        return text, None


def _put(fields: dict[str, Any], path: _Path, value: Any) -> None:
    at: Any = fields
    for part in path[:-1]:
        at = _inside(at, part, path)
    last = path[-1]
    if value == "":
        if isinstance(at, dict):
            at.pop(str(last), None)
            return
        _inside(at, last, path)
        del at[last]
    elif isinstance(at, dict):
        at[str(last)] = value
    else:
        _inside(at, last, path)
        at[last] = value


def _inside(at: Any, part: str | int, path: _Path) -> Any:
    try:
        if isinstance(at, dict):
            return at[str(part)]
        if isinstance(at, list) and isinstance(part, int):
            return at[part]
    except (KeyError, IndexError):
        pass
    raise NotMendable(
        Message("The body has no {field}; `karya dlq show --value` shows it.", field=".".join(map(str, path)))
    )


def _validated(model: type[Body], fields: dict[str, Any], entries: Mapping[_Path, _Edit]) -> Body:
    body, wrong = _attempt(model, fields)
    # What was entered for a field of text may look like a number.
    texts = [fault["loc"] for fault in wrong if fault["type"] == "string_type" and fault["loc"] in entries]
    for path in texts:
        _put(fields, path, entries[path].text)
    if texts:
        body, wrong = _attempt(model, fields)
    if body is None:
        sentences = [_sentence(fault, entries.get(fault["loc"])) for fault in wrong[:5]]
        raise NotMendable(
            reduce(lambda former, next: Message("{former}\n{next}", former=former, next=next), sentences)
        )
    return body


def _attempt(model: type[Body], fields: dict[str, Any]) -> tuple[Body | None, Sequence[ErrorDetails]]:
    try:
        return model.model_validate_json(to_json(fields)), ()
    except ValidationError as error:
        return None, error.errors(include_url=False, include_input=False)


def _sentence(fault: ErrorDetails, entry: _Edit | None) -> Message:
    """The wrong field and how it must be. Never the value, which may be a person's name."""
    field = ".".join(map(str, fault["loc"])) or "body"
    wrong = Message("{field}: {wrong}", field=field, wrong=fault_message(fault))
    if entry is None or entry.doubt is None:
        return wrong
    return Message("{wrong} {doubt}", wrong=wrong, doubt=entry.doubt)


def _below(former: Message, next: Message) -> Message:
    return Message("{former}\n{next}", former=former, next=next)


def _changed(
    model: type[Body], before: Mapping[str, Any], after: Mapping[str, Any], edited: Collection[str]
) -> Iterator[str]:
    for name, field in model.model_fields.items():
        unsaid = object() if field.is_required() else to_jsonable_python(field.get_default(call_default_factory=True))
        if name in edited or not _same(before.get(name, unsaid), after[name]):
            yield name


def _same(before: Any, after: Any) -> bool:
    """Whether both say the same. What is left out in an object before is its default after."""
    if isinstance(before, dict) and isinstance(after, dict):
        return all(name in after and _same(value, after[name]) for name, value in before.items())
    if isinstance(before, list) and isinstance(after, list):
        return len(before) == len(after) and all(map(_same, before, after))
    return bool(before == after)
