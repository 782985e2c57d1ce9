"""The command that voids sales of tills which no longer can."""

from typing import Annotated

import typer

from cli.festival.session import Festival, Json, Reason, booth_id, service, show_answer
from cli.parameters import WHOLE
from shared.translation import tr


def void_sale(
    context: typer.Context,
    festival: Festival,
    receipt: Annotated[str, typer.Argument(help="The receipt's id.")],
    line: Annotated[int, typer.Argument(parser=WHOLE, help="The number of its line.")],
    qty: Annotated[int, typer.Argument(parser=WHOLE, help="How many pieces of that line to void.")],
    booth: Annotated[str, typer.Option(help="The booth that sold, e.g. B1.")],
    reason: Reason = "",
    as_json: Json = False,
) -> None:
    """Void pieces of a sale whose till is lost; no drawer pays for it."""
    body = {"booth": booth_id(festival, booth), "line": line, "qty": qty, "reason": reason}
    with service(context) as api:
        answer = api.command("festivals", festival, "receipts", receipt, "void", body=body)
        message = tr(
            "The void of {qty} of line {line} of {receipt} is ordered. Sales refuses more than "
            "are left: see `karya festival receipts {festival} {booth}`.",
            qty=qty,
            line=line,
            receipt=receipt,
            festival=festival,
            booth=booth,
        )
        show_answer(answer, message, as_json=as_json)
