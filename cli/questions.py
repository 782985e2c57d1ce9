"""Questions that the command line asks, answered with yes or no in either language."""

import typer

from shared.translation import tr
from shared.visible import visible

_YES = frozenset({"y", "ya", "yes"})
_NO = frozenset({"t", "tidak", "n", "no"})


def confirm(question: str) -> bool:
    """Whether a person says yes. Another answer is asked for again; an empty one is a no.

    The question goes to stderr, so that it does not mix with what a program reads.
    """
    suffix = tr(" [y/N]: ")
    answer: bool = typer.prompt(
        visible(question), default="", show_default=False, prompt_suffix=suffix, value_proc=_is_yes, err=True
    )
    return answer


def _is_yes(answer: str) -> bool:
    word = answer.strip().casefold()
    if word in _YES:
        return True
    if word in _NO or not word:
        return False
    raise typer.BadParameter(tr("Please answer y (yes) or n (no)."))
