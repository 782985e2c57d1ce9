"""The entries of the catalogue: commands, their refusals, revisions, and what other entries and facilities hear.

An entry lies in its own lane. A command that names other entries asks their lanes whether they are there, and waits
for the answers. An entry that was asked tells the asker of its later revisions too.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import TypeAlias

from shared.events import names
from shared.events.catalogue import (
    CATALOGUE,
    FACILITY_CATALOGUE,
    REFERENCES,
    TERMS,
    EntryAnswered,
    EntryAsked,
    EntryCommandRefused,
    EntryFact,
    EntryKind,
    EntryRefusal,
    FacilitySet,
    LeadTimeSet,
    ProductSet,
    RetireEntry,
    SetFacility,
    SetLeadTime,
    SetProduct,
    SetTerm,
    TermSet,
    code_of,
    entry_id,
    facility_listed,
    kind_of,
    product_listed,
)
from shared.events.language import MAX_TEXT, Body, Deadline, Event, Publication
from shared.events.names import NameRule
from shared.events.zones import FESTIVAL_ZONES
from shared.runtime.processor import Decision
from shared.runtime.state import State
from shared.wording import Message

SetEntry: TypeAlias = SetTerm | SetProduct | SetFacility | SetLeadTime

MAX_PRODUCTS = 500
_KINDS: dict[type[SetEntry], tuple[EntryKind, ...]] = {
    SetTerm: TERMS,
    SetProduct: (EntryKind.PRODUCT,),
    SetFacility: (EntryKind.FACILITY,),
    SetLeadTime: (EntryKind.LEAD_TIME,),
}
# A retirement names no entry, so it never waits, and its fact is that of the entry.
_FACTS: dict[type[Body], type[EntryFact]] = {
    SetTerm: TermSet,
    SetProduct: ProductSet,
    SetFacility: FacilitySet,
    SetLeadTime: LeadTimeSet,
}
_CODES: dict[EntryKind, NameRule] = {EntryKind.PRODUCT: names.PRODUCT, EntryKind.FACILITY: names.FACILITY}


class EntryCommandStatus(StrEnum):
    """`WAITING`: for the answers of the entries that the command names."""

    WAITING = "waiting"
    DONE = "done"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class EntryRejection:
    """The rejection of a command: the field, a reason for programs and a sentence for a person."""

    field: str
    reason: EntryRefusal
    message: Message


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry. `fact` is its newest revision, None while it was only asked for. `askers`: entries that name it."""

    id: str
    fact: EntryFact | None = None
    askers: tuple[str, ...] = ()

    @property
    def revision(self) -> int:
        return self.fact.revision if self.fact is not None else 0


@dataclass(frozen=True, slots=True)
class EntryRevision:
    """One revision of an entry, kept for its history. `id` is made by `revision_id`."""

    id: str
    entry: str
    fact: EntryFact


@dataclass(frozen=True, slots=True)
class EntryCommand:
    """One command for an entry. `id` is made by `command_key`. `unanswered`: entries that have not answered yet."""

    id: str
    command: str
    source: str
    entry: str
    name: str
    given_at: datetime
    status: EntryCommandStatus
    body: SetEntry | RetireEntry
    unanswered: tuple[str, ...] = ()
    rejection: EntryRejection | None = None


def revision_id(entry: str, revision: int) -> str:
    """The id of a revision; ids of one entry are in the order of its revisions."""
    return f"{entry}@{revision:06}"


def command_key(entry: str, command: str) -> str:
    """The id of a command's document. Commands of two entries lie in two lanes, even with one id."""
    return f"{entry} {command}"


def set_entry(state: State, event: Event, body: SetEntry) -> Decision:
    """An entry gets a new revision, now or once the entries that it names have answered."""
    command = _command(event, body)
    if state.get(EntryCommand, command.id) is not None:
        return _taken(state, command)
    entry = state.get(Entry, body.entry) or Entry(body.entry)
    if body.seed and entry.revision:
        return state.put(replace(command, status=EntryCommandStatus.DONE)), []
    if (rejection := _wrong(body)) is not None:
        return _refuse(state, command, rejection)
    named_entries = _named(body)
    asks: list[Publication | Deadline] = [
        REFERENCES.of(EntryAsked(entry=reference, asker=body.entry, command=event.id)) for reference in named_entries
    ]
    if named_entries and not body.seed:
        return state.put(replace(command, unanswered=named_entries)), asks
    # The seed asks nevertheless: products have to know the facilities that make them.
    state, published = _apply(state, entry, command, event.logged_at)
    return state, [*published, *asks]


def retire(state: State, event: Event, body: RetireEntry) -> Decision:
    """An entry is retired by a revision that says so."""
    command = _command(event, body)
    if state.get(EntryCommand, command.id) is not None:
        return _taken(state, command)
    entry = state.get(Entry, body.entry)
    if entry is None or entry.fact is None:
        message = Message("There is no entry {entry}. `karya catalogue list` shows all.", entry=body.entry)
        return _refuse(state, command, EntryRejection("entry", EntryRefusal.UNKNOWN_ENTRY, message))
    if entry.fact.retired_at is not None:
        message = Message("{entry} is retired already.", entry=body.entry)
        return _refuse(state, command, EntryRejection("entry", EntryRefusal.ALREADY_RETIRED, message))
    changes = {
        "revision": entry.revision + 1,
        "changed_at": event.logged_at,
        "retired_at": event.logged_at,
        "command": event.id,
    }
    return _keep(state, entry, command, entry.fact.model_copy(update=changes))


def answer(state: State, _event: Event, body: EntryAsked) -> Decision:
    """The entry says whether it is there, and tells the asker its revisions from now on."""
    entry = state.get(Entry, body.entry) or Entry(body.entry)
    fact = entry.fact
    if body.asker not in entry.askers:
        entry = replace(entry, askers=(*entry.askers, body.asker))
    published: list[Publication | Deadline] = [
        REFERENCES.of(
            EntryAnswered(
                entry=body.asker,
                reference=body.entry,
                command=body.command,
                found=fact is not None and fact.retired_at is None,
            )
        ),
    ]
    if isinstance(fact, ProductSet):
        published += _listed(fact, [body.asker])
    return state.put(entry), published


def hear_answer(state: State, event: Event, body: EntryAnswered) -> Decision:
    """The command that asked goes on: it is refused, waits for other answers, or is carried out."""
    command = state.get(EntryCommand, command_key(body.entry, body.command))
    if (
        command is None
        or command.status is not EntryCommandStatus.WAITING
        or body.reference not in command.unanswered
    ):
        return state, []
    entry = state.get(Entry, body.entry) or Entry(body.entry)
    if not body.found and body.reference not in _kept(entry):
        return _refuse(state, command, _unknown(body.reference))
    command = replace(
        command, unanswered=tuple(reference for reference in command.unanswered if reference != body.reference)
    )
    if command.unanswered:
        return state.put(command), []
    return _apply(state, entry, command, event.logged_at)


def _command(event: Event, body: SetEntry | RetireEntry) -> EntryCommand:
    return EntryCommand(
        id=command_key(body.entry, event.id),
        command=event.id,
        source=event.source,
        entry=body.entry,
        name=type(body).__name__,
        given_at=event.logged_at,
        status=EntryCommandStatus.WAITING,
        body=body,
    )


def _wrong(body: SetEntry) -> EntryRejection | None:
    """The fault of the command by itself, if any."""
    kinds = _KINDS[type(body)]
    kind = next((kind for kind in kinds if body.entry.startswith(f"{kind.value}/")), None)
    if kind is None:
        begins = ", ".join(f"{kind.value}/" for kind in kinds)
        message = Message("The entry's id does not begin with its kind: {kinds}.", kinds=begins)
        return EntryRejection("entry", EntryRefusal.BAD_NAME, message)
    codes = code_of(body.entry).split("/")
    if len(codes) != (2 if kind is EntryKind.LEAD_TIME else 1):
        if kind is EntryKind.LEAD_TIME:
            message = Message("A lead time names two islands, as in lead-time/timor/jawa.")
        else:
            message = Message("After the kind of an entry comes one code.")
        return EntryRejection("entry", EntryRefusal.BAD_NAME, message)
    for code in codes:
        if (rejection := _wrong_name("entry", _CODES.get(kind, names.TERM), code)) is not None:
            return rejection
    match body:
        case SetProduct():
            return _wrong_name("category", names.TERM, body.category) or _wrong_name("unit", names.TERM, body.unit)
        case SetFacility():
            return _wrong_facility(body)
        case _:
            return None


def _wrong_facility(body: SetFacility) -> EntryRejection | None:
    if body.zone not in FESTIVAL_ZONES:
        message = Message("The time zone must be one of {zones}.", zones=", ".join(FESTIVAL_ZONES))
        return EntryRejection("zone", EntryRefusal.BAD_NAME, message)
    if len(body.products) > MAX_PRODUCTS:
        message = Message("A facility has at most {most} products.", most=MAX_PRODUCTS)
        return EntryRejection("products", EntryRefusal.TOO_MANY, message)
    if len(set(body.products)) < len(body.products):
        return EntryRejection("products", EntryRefusal.NAMED_TWICE, Message("A product is named twice."))
    wrong = (_wrong_name("products", names.PRODUCT, product) for product in body.products)
    of_products = next((rejection for rejection in wrong if rejection is not None), None)
    return of_products or (_wrong_name("island", names.TERM, body.island) if body.island is not None else None)


def _wrong_name(field: str, rule: NameRule, name: str) -> EntryRejection | None:
    message = rule.wrong(name)
    return EntryRejection(field, EntryRefusal.BAD_NAME, message) if message is not None else None


def _named(body: SetEntry | EntryFact) -> tuple[str, ...]:
    """The entries that the command or the fact names, each once."""
    match body:
        case SetProduct() | ProductSet():
            return entry_id(EntryKind.CATEGORY, body.category), entry_id(EntryKind.UNIT, body.unit)
        case SetFacility() | FacilitySet():
            islands = (entry_id(EntryKind.ISLAND, body.island),) if body.island is not None else ()
            return (*islands, *(entry_id(EntryKind.PRODUCT, product) for product in body.products))
        case SetLeadTime() | LeadTimeSet():
            return tuple(dict.fromkeys(entry_id(EntryKind.ISLAND, code) for code in code_of(body.entry).split("/")))
        case _:
            return ()


def _kept(entry: Entry) -> tuple[str, ...]:
    """What the entry names already: it keeps that though it was retired since."""
    return _named(entry.fact) if entry.fact is not None else ()


def _apply(state: State, entry: Entry, command: EntryCommand, moment: datetime) -> Decision:
    fact = _FACTS[type(command.body)](
        **command.body.model_dump(exclude={"seed"}),
        revision=entry.revision + 1,
        changed_at=moment,
        retired_at=None,
        command=command.command,
    )
    return _keep(state, entry, command, fact)


def _keep(state: State, entry: Entry, command: EntryCommand, fact: EntryFact) -> Decision:
    """The entry at this revision, published for its readers and for the facilities that it concerns."""
    entry = replace(entry, fact=fact)
    command = replace(command, status=EntryCommandStatus.DONE, unanswered=())
    revision = EntryRevision(revision_id(entry.id, fact.revision), entry.id, fact)
    published: list[Publication | Deadline] = [CATALOGUE.of(fact)]
    if isinstance(fact, FacilitySet):
        published.append(FACILITY_CATALOGUE.of(facility_listed(fact)))
    elif isinstance(fact, ProductSet):
        published += _listed(fact, entry.askers)
    return state.put(entry, revision, command), published


def _listed(fact: ProductSet, askers: Iterable[str]) -> list[Publication]:
    """The product for each facility among the askers."""
    return [
        FACILITY_CATALOGUE.of(product_listed(code_of(asker), fact))
        for asker in askers
        if kind_of(asker) == EntryKind.FACILITY
    ]


def _unknown(reference: str) -> EntryRejection:
    kind = kind_of(reference)
    field = "products" if kind == EntryKind.PRODUCT else kind
    message = Message(
        "There is no entry {entry}, or it is retired. Add it first, or choose another one.", entry=reference
    )
    return EntryRejection(field, EntryRefusal.UNKNOWN_REFERENCE, message)


def _refuse(state: State, command: EntryCommand, rejection: EntryRejection) -> Decision:
    refused_command = replace(command, status=EntryCommandStatus.REFUSED, unanswered=(), rejection=rejection)
    return state.put(refused_command), [CATALOGUE.of(_refusal(command, rejection))]


def _taken(state: State, command: EntryCommand) -> Decision:
    # The first command with this id keeps its outcome.
    message = Message("Another command has this id; give each one its own UUID.")
    return state, [CATALOGUE.of(_refusal(command, EntryRejection("command", EntryRefusal.ID_TAKEN, message)))]


def _refusal(command: EntryCommand, rejection: EntryRejection) -> EntryCommandRefused:
    return EntryCommandRefused(
        entry=command.entry,
        command=command.command,
        field=rejection.field,
        reason=rejection.reason,
        message=rejection.message.english[:MAX_TEXT],
        template=rejection.message.template,
        values=rejection.message.plain_values,
    )
