"""Shared by the catalogue's commands: options, the client, and the entry that a person means."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated

import typer

from cli.console import exit_on_error
from cli.festival.client import Row, ServiceClient
from cli.parameters import between
from shared import typed
from shared.errors import NotAnswered, WrongEntry
from shared.events.catalogue import EntryKind, entry_id
from shared.nearest import nearest
from shared.wording import Message, any_of

Json = Annotated[bool, typer.Option("--json", help="One JSON document instead of text.")]
EntryId = Annotated[str, typer.Argument(help="The entry's id or code, e.g. product/KTI or KTI.")]
CATALOGUE = "catalogue"
ENTRIES = "entries"


@dataclass(frozen=True, slots=True)
class CatalogueOptions:
    """The options of every command: address of the service, and seconds to wait for an outcome."""

    url: str | None
    wait: int


def choose(
    context: typer.Context,
    url: Annotated[
        str | None, typer.Option(envvar="KARYA_PRODUCTION_URL", help="Address of the production service.")
    ] = None,
    wait: Annotated[
        int,
        typer.Option(
            parser=between(typed.whole, 0, 30), help="Seconds to wait for the outcome of a command, at most 30."
        ),
    ] = 10,
) -> None:
    context.obj = CatalogueOptions(url, wait)


@contextmanager
def service(context: typer.Context) -> Iterator[ServiceClient]:
    """The production service. An error is shown without a traceback and ends with exit code 1."""
    options: CatalogueOptions = context.obj
    with exit_on_error():
        if not options.url:
            raise NotAnswered(
                Message(
                    "No production service is known here: run `make up`, or set KARYA_PRODUCTION_URL to its address."
                )
            )
        with ServiceClient(options.url, options.wait, "production") as api:
            yield api


def entries(api: ServiceClient) -> list[Row]:
    """All entries of the catalogue."""
    rows: list[Row] = api.get(CATALOGUE)["entries"]
    return rows


def known_entry(api: ServiceClient, text: str) -> Row:
    """The entry with this id or code. Raises WrongEntry, with the nearest ids and names."""
    rows = entries(api)
    wanted = text.strip()
    matches = [row for row in rows if wanted.casefold() in (row["entry"].casefold(), row["code"].casefold())]
    if len(matches) == 1:
        return matches[0]
    if matches:
        raise WrongEntry(
            Message(
                "{wanted} can mean any of {entries}: give the whole id.",
                wanted=wanted,
                entries=", ".join(row["entry"] for row in matches),
            )
        )
    names = {row["entry"]: [row["code"], row.get("name", "")] for row in rows}
    alike = nearest(wanted, names)
    if alike:
        raise WrongEntry(
            Message(
                "There is no entry {wanted}. Did you mean {names}? `karya catalogue list` shows all.",
                wanted=wanted,
                names=any_of(alike),
            )
        )
    raise WrongEntry(Message("There is no entry {wanted}. `karya catalogue list` shows all.", wanted=wanted))


def existing(api: ServiceClient, kind: EntryKind, code: str) -> Row | None:
    """The entry of this kind and code, or None if there is none yet."""
    return api.find(CATALOGUE, entry_id(kind, code))
