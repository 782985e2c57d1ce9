"""Plants the bug that the variable PLANTED names, when imported."""

import os

from tests.planted.bugs import BUGS

BUGS[os.environ["PLANTED"]].plant()
