"""`python -m tests.planted.service NAME`: a service with the bug that PLANTED names."""

import runpy
import sys

from tests.planted import plugin

assert plugin
runpy.run_module(f"services.{sys.argv[1]}.app", run_name="__main__")
