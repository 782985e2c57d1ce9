"""The collector is off while a service starts, and at work when it serves."""

import gc

from shared import gc_tuning


def test_it_collects_again_once_a_service_is_loaded() -> None:
    gc.disable()
    try:
        gc_tuning.relax()
        assert gc.isenabled()
    finally:
        gc.enable()
