"""Where the servers of tests keep their data, and that a killed run leaves none of it in memory."""

import os
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import pytest

from tests.support import outputs

Usage = namedtuple("Usage", "total used free")


@pytest.mark.parametrize(("free", "in_memory"), [(outputs.ROOM + 1, True), (outputs.ROOM, False)])
def test_data_lie_in_memory_if_there_is_room(
    free: int, in_memory: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outputs, "IN_MEMORY", tmp_path)
    monkeypatch.setattr(outputs.shutil, "disk_usage", lambda _: Usage(free, 0, free))
    monkeypatch.setattr(outputs.psutil, "virtual_memory", lambda: type("Memory", (), {"available": 2 * outputs.ROOM}))
    assert (outputs.base().parent == tmp_path) == in_memory
    assert in_memory or outputs.base() == outputs.ON_DISK


def test_data_lie_on_disk_if_memory_is_short_or_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outputs, "IN_MEMORY", tmp_path)
    monkeypatch.setattr(outputs.shutil, "disk_usage", lambda _: Usage(0, 0, 2 * outputs.ROOM))
    monkeypatch.setattr(outputs.psutil, "virtual_memory", lambda: type("Memory", (), {"available": outputs.ROOM}))
    assert outputs.base() == outputs.ON_DISK
    monkeypatch.setattr(outputs, "IN_MEMORY", tmp_path / "none")
    assert outputs.base() == outputs.ON_DISK


def test_what_a_killed_run_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    left, ours = tmp_path / f"{ended.pid}-0a1b2c3d", outputs.new_run(tmp_path)
    for folder in (left, ours):
        (folder / "gw0").mkdir(parents=True)
    outputs.remove_left_over(tmp_path)
    assert [folder.name for folder in tmp_path.iterdir()] == [ours.name]
    assert ours.name.startswith(f"{os.getpid()}-")
