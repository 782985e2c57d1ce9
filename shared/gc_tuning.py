"""Tunes the cyclic garbage collector for short-lived batches."""

import gc

# A batch keeps some hundred thousand objects for a moment and makes hardly a cycle. Searching them again and again
# took a quarter of the time of the rules.
ALLOCATIONS_PER_COLLECTION = 200_000


def relax() -> None:
    """Collect garbage rarely, and leave out what is loaded already. Call it when all modules of a service are loaded.

    It turns the collection on, which a service's start has turned off.
    """
    gc.enable()
    gc.collect()
    gc.freeze()
    gc.set_threshold(ALLOCATIONS_PER_COLLECTION, 20, 20)
