"""Statements of what a facility is owed: numbered, and never changed. A later figure is a note of its own.

The facility states what it is owed. So a debit note adds to it, and a credit note takes from it. All three have
numbers of one series, without a gap.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum

from shared.documents import Database, Document, insert_once


class StatementKind(StrEnum):
    """The first statement of a festival, or a note on what is owed beyond it, or less."""

    STATEMENT = "statement"
    DEBIT_NOTE = "debit note"
    CREDIT_NOTE = "credit note"


@dataclass(frozen=True, slots=True)
class Amounts:
    """Pieces and rupiah of a settlement."""

    qty: int
    sold_rupiah: int
    facility_rupiah: int
    maker_premium_rupiah: int
    programme_rupiah: int

    @property
    def kind(self) -> StatementKind:
        """The kind of a note on this difference: its first amount that is not 0 decides, from the facility's on."""
        shown = (self.facility_rupiah, self.maker_premium_rupiah, self.programme_rupiah, self.sold_rupiah, self.qty)
        is_less = next((amount for amount in shown if amount), 0) < 0
        return StatementKind.CREDIT_NOTE if is_less else StatementKind.DEBIT_NOTE

    def less(self, other: "Amounts") -> "Amounts":
        """The difference of both."""
        mine, theirs = asdict(self), asdict(other)
        return Amounts(**{name: mine[name] - theirs[name] for name in mine})


NOTHING = Amounts(0, 0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement of a facility. `number` counts those of the facility from 1. `total`: the settlement of `revision`;
    `amounts`: what of it this statement is about, for a note the difference to the total before it."""

    facility: str
    number: int
    festival: str
    revision: int
    kind: StatementKind
    total: Amounts
    amounts: Amounts
    issued_at: datetime

    @property
    def name(self) -> str:
        """`PR-KPG-0001`."""
        return f"{self.facility}-{self.number:04}"


def next_statement(
    former: Sequence[Statement], facility: str, festival: str, revision: int, total: Amounts, now: datetime
) -> Statement | None:
    """The statement to issue for a settlement, or None if its figures or newer ones were issued. `former`: all of the
    facility."""
    earlier = [statement for statement in former if statement.festival == festival]
    if earlier and (earlier[-1].total == total or earlier[-1].revision > revision):
        return None
    amounts = total.less(earlier[-1].total if earlier else NOTHING)
    return Statement(
        facility=facility,
        number=len(former) + 1,
        festival=festival,
        revision=revision,
        kind=amounts.kind if earlier else StatementKind.STATEMENT,
        total=total,
        amounts=amounts,
        issued_at=now,
    )


def corrected_by(note: Statement, issued: Sequence[Statement]) -> Statement | None:
    """The statement or note that this note corrects: the one of the festival before it. `issued`: by number."""
    earlier = [row for row in issued if row.festival == note.festival and row.number < note.number]
    return earlier[-1] if earlier else None


class Statements:
    """All statements, each under its facility and number."""

    def __init__(self, database: Database) -> None:
        self._statements = database["statements"]

    async def prepare(self) -> None:
        """Make the index that lists a facility's statements. Raises PyMongoError."""
        await self._statements.create_index([("facility", 1), ("number", 1)], unique=True)

    async def of_facility(self, facility: str) -> list[Statement]:
        """The facility's statements by number. Raises PyMongoError."""
        documents = await self._statements.find({"facility": facility}).sort("number", 1).to_list(None)
        return [_statement(document) for document in documents]

    async def issue(
        self, facility: str, festival: str, revision: int, total: Amounts, now: datetime
    ) -> Statement | None:
        """Keep the next statement for a settlement. None if its figures were issued before. Raises PyMongoError."""
        while True:
            statement = next_statement(await self.of_facility(facility), facility, festival, revision, total, now)
            # Somebody else may have taken the number; what they issued is looked at again.
            if statement is None or await insert_once(self._statements, _document(statement)):
                return statement


def _document(statement: Statement) -> Document:
    return {"_id": f"{statement.facility}/{statement.number}", **asdict(statement), "kind": statement.kind.value}


def _statement(document: Document) -> Statement:
    return Statement(
        facility=document["facility"],
        number=document["number"],
        festival=document["festival"],
        revision=document["revision"],
        kind=StatementKind(document["kind"]),
        total=Amounts(**document["total"]),
        amounts=Amounts(**document["amounts"]),
        issued_at=document["issued_at"],
    )
