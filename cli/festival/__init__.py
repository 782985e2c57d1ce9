"""`karya festival`: the organiser's commands, from the announcement to the last return."""

from collections.abc import Callable

import typer

from cli.festival.changes import add_product, change, merge_booths, move_stray, rename_booth
from cli.festival.counting import recount_return, recount_shipment
from cli.festival.disputes import disputes
from cli.festival.festivals import announce, booth, cancel, close, dispute, list_festivals, loss, missing, show
from cli.festival.goods import accept, plan, receive, request, return_stock, ship, stock
from cli.festival.prices import change_price
from cli.festival.refills import replenish
from cli.festival.revising import close_booth, reopen_booth, revise
from cli.festival.session import choose
from cli.festival.strays import strays
from cli.festival.takings import receipts, takings
from cli.festival.tills import add_till, strike_till
from cli.festival.transfers import app as transfers
from cli.festival.voids import void_sale

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Festivals: announce, plan, ship, close; over HTTP."
)
app.callback()(choose)
# In the order of a festival's life.
COMMANDS: dict[str, Callable[..., None]] = {
    "announce": announce,
    "booth": booth,
    "change": change,
    "rename-booth": rename_booth,
    "merge-booths": merge_booths,
    "stock": stock,
    "request": request,
    "plan": plan,
    "accept": accept,
    "revise": revise,
    "ship": ship,
    "receive": receive,
    "recount": recount_shipment,
    "replenish": replenish,
    "loss": loss,
    "change-price": change_price,
    "add-product": add_product,
    "add-till": add_till,
    "strike-till": strike_till,
    "void-sale": void_sale,
    "receipts": receipts,
    "takings": takings,
    "strays": strays,
    "disputes": disputes,
    "dispute": dispute,
    "move-stray": move_stray,
    "close-booth": close_booth,
    "reopen-booth": reopen_booth,
    "close": close,
    "missing": missing,
    "return": return_stock,
    "recount-return": recount_return,
    "cancel": cancel,
    "list": list_festivals,
    "show": show,
}
for name, command in COMMANDS.items():
    app.command(name=name)(command)
app.add_typer(transfers, name="transfer")
