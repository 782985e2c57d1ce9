"""How often Python looks for garbage that its reference counts did not see."""

import gc

# A batch keeps some hundred thousand objects for a moment and makes hardly a cycle: to look through them again and
# again took a quarter of the time of the rules.
SELDOM = 200_000


def relax() -> None:
    """For a service that has just loaded all its modules; they are not looked through any more."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(SELDOM, 20, 20)
