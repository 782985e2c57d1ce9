"""`karya festival`: what an organiser does, from the announcement to the last piece that comes home."""

from collections.abc import Callable

import typer

from deploy.cli.festival.desk import choose
from deploy.cli.festival.festivals import announce, booth, cancel, close, dispute, list_festivals, loss, missing, show
from deploy.cli.festival.goods import accept, come_home, plan, receive, request, ship, stock
from deploy.cli.festival.refills import replenish
from deploy.cli.festival.revising import close_booth, revise
from deploy.cli.festival.transfers import app as transfers

app = typer.Typer(no_args_is_help=True, help="Festivals: announce, plan, ship, close; over HTTP.")
app.callback()(choose)
# In the order in which a festival needs them.
COMMANDS: dict[str, Callable[..., None]] = {
    "announce": announce,
    "booth": booth,
    "stock": stock,
    "request": request,
    "plan": plan,
    "accept": accept,
    "revise": revise,
    "ship": ship,
    "receive": receive,
    "replenish": replenish,
    "loss": loss,
    "close-booth": close_booth,
    "close": close,
    "missing": missing,
    "dispute": dispute,
    "return": come_home,
    "cancel": cancel,
    "list": list_festivals,
    "show": show,
}
for name, command in COMMANDS.items():
    app.command(name=name)(command)
app.add_typer(transfers, name="transfer")
