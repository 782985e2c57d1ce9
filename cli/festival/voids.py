"""Sales that did not stand, of tills that can't void them any more."""

from typing import Annotated

import typer

from cli.festival.session import Festival, Json, booth_id, service, show_answer
from cli.parameters import WHOLE


def void_sale(
    context: typer.Context,
    festival: Festival,
    receipt: Annotated[str, typer.Argument(help="The receipt's id.")],
    line: Annotated[int, typer.Argument(parser=WHOLE, help="The number of its line.")],
    qty: Annotated[int, typer.Argument(parser=WHOLE, help="How many pieces of that line did not stand.")],
    booth: Annotated[str, typer.Option(help="The booth that sold, e.g. B1.")],
    reason: Annotated[str, typer.Option(help="Why, in a few words. No names, please.")] = "",
    as_json: Json = False,
) -> None:
    """Void pieces of a sale whose till was lost; no drawer pays for it."""
    body = {"booth": booth_id(festival, booth), "line": line, "qty": qty, "reason": reason}
    with service(context) as api:
        answer = api.command("festivals", festival, "receipts", receipt, "void", body=body)
        message = (
            f"{qty} of line {line} of {receipt} are to be voided. Sales refuses more than are left: "
            f"see `karya festival receipts {festival} {booth}`."
        )
        show_answer(answer, message, as_json=as_json)
