"""`python -m tests.support.first_derivation SERVICE`: a service that derives ids as the first versions did."""

import runpy
import sys

from shared import derivation

if __name__ == "__main__":
    derivation.CURRENT = derivation.FIRST
    runpy.run_module(f"services.{sys.argv[1]}.app", run_name="__main__")
