"""Groups of commands whose help needs none of the group's own options."""

from collections.abc import Sequence
from typing import Any

from typer.core import TyperGroup

HELP = "--help"


class CommandGroup(TyperGroup):
    """A group that shows the help of a command below it also while its own required options are missing."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if HELP in args and not ctx.resilient_parsing:
            self._show_help_below(ctx, args)
        return super().parse_args(ctx, args)

    def _show_help_below(self, context: Any, arguments: Sequence[str]) -> None:
        """Show the help and exit, if the arguments ask a command below for it. Otherwise nothing happens."""
        group: Any = self
        remainder = list(arguments)
        while isinstance(group, TyperGroup):
            _, remainder, _ = group.make_parser(context).parse_args(remainder)
            if HELP not in remainder:
                return
            name, group, remainder = group.resolve_command(context, remainder)
            # The parser shows the help and exits, unless the words are the value of an option.
            context = group.make_context(name, remainder, parent=context)
