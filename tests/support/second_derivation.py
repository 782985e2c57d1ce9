"""`python -m tests.support.second_derivation SERVICE`: a service that derives ids in another way, under number 2."""

import runpy
import sys
from hashlib import blake2b
from uuid import UUID

from shared import derivation

NUMBER = 2


def derive(cause: str, topic: str, index: int) -> str:
    """An id that the first derivation never gives."""
    return str(UUID(bytes=blake2b(f"{cause}\n{topic}\n{index}".encode(), digest_size=16).digest()))


if __name__ == "__main__":
    derivation.DERIVATIONS[NUMBER] = derive
    derivation.CURRENT = NUMBER
    runpy.run_module(f"services.{sys.argv[1]}.app", run_name="__main__")
