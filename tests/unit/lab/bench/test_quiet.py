"""Whether a run is told from one on a machine that does other things."""

import subprocess
import sys

import pytest

from lab.bench.quiet import MachineUse, MachineWatch, cpu_of_ours

pytestmark = pytest.mark.unit

# What the system tells of a child lags by some hundredths.
BUSY_FOR, AT_LEAST = 0.5, 0.4
WORK = f"""
import sys, time
while time.process_time() < {BUSY_FOR}:
    pass
print(flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize(
    ("others", "load", "busy"), [(0.02, 3.0, False), (0.2, 0.0, True), (None, 0.4, False), (None, 1.2, True)]
)
def test_other_programs_make_a_run_busy_and_where_they_are_unknown_the_load(
    others: float | None, load: float, busy: bool
) -> None:
    use = MachineUse(2, load, 2.0, others)
    assert use.as_dict()["busy"] is busy
    assert ("The machine was busy" in use.sentence) is busy


def test_the_work_of_children_is_ours_while_they_run_and_when_they_have_ended() -> None:
    before = cpu_of_ours()
    with subprocess.Popen([sys.executable, "-c", WORK], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        assert cpu_of_ours() - before >= AT_LEAST
    assert cpu_of_ours() - before >= AT_LEAST


def test_servers_elsewhere_leave_the_share_of_others_unknown() -> None:
    assert MachineWatch().end(servers_are_ours=False).others is None
