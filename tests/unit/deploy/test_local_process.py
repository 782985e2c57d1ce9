import os
from pathlib import Path

import psutil
import pytest

from deploy.local import kafka, mongo, process
from deploy.local.stack import LocalStack

pytestmark = pytest.mark.unit


def test_the_preferred_port_is_taken_when_it_is_free() -> None:
    assert process.free_port(19092, free=lambda _: True) == 19092


def test_a_taken_port_is_exchanged_for_the_free_one_after_it() -> None:
    assert process.free_port(19092, free=lambda port: port == 20000) == 20000


def test_a_port_that_is_meant_for_something_else_is_left_alone() -> None:
    assert process.free_port(19092, besides=[19092], free=lambda port: port in (19092, 19500)) == 19500


def test_no_free_port_is_an_error_and_not_a_search_without_end() -> None:
    with pytest.raises(OSError, match="no free port from 19092 to 21092"):
        process.free_port(19092, free=lambda _: False)


def test_a_process_is_known_by_a_whole_argument() -> None:
    argument = psutil.Process().cmdline()[-1]
    assert process.is_ours(os.getpid(), argument)
    assert not process.is_ours(os.getpid(), argument + "x")
    assert not process.is_ours(os.getpid(), argument[:-1])


def test_a_pid_that_nobody_has_is_not_ours() -> None:
    beyond = 2**31 - 1
    assert not process.is_ours(beyond, "")
    assert process.started_at(beyond) is None
    assert not process.listens(beyond, 19092)


def test_a_stack_that_ends_with_its_process_leaves_the_preferred_ports_to_others(tmp_path: Path) -> None:
    # Another stack would take a preferred port while the killed server of this one starts again.
    ours, kept = LocalStack(tmp_path / "ours"), LocalStack(tmp_path / "kept", keep_running=True)
    preferred = [mongo.PREFERRED_PORT, kafka.PREFERRED_PORT]
    assert [server.port for server in kept.servers] == preferred
    assert all(server.port > port for server, port in zip(ours.servers, preferred, strict=True))
