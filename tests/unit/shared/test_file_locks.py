"""Locks between processes, and commands on a system that has none."""

import subprocess
import sys
from pathlib import Path

import pytest

from shared import file_locks
from shared.file_locks import lock

pytestmark = pytest.mark.unit

# As on a system without the module: each import of it fails.
WITHOUT = "import sys; sys.modules['fcntl'] = None; "


def test_a_lock_is_one_process_s_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "x.lock"
    with path.open("w") as first, path.open("w") as second:
        lock(first)
        with pytest.raises(BlockingIOError):
            lock(second, wait=False)
    with path.open("w") as third:
        lock(third, wait=False)


def test_commands_start_and_keep_a_session_without_locks(tmp_path: Path) -> None:
    assert file_locks.HAS_LOCKS
    script = (
        f"{WITHOUT}import cli; from pathlib import Path; "
        "from shared.access.session import ClientSession, SessionFile; "
        "from cli.exclusive import exclusive\n"
        f"file = SessionFile(Path({str(tmp_path / 'a.json')!r}))\n"
        "with file.locked():\n    file.write(ClientSession('http://id.test', 's-1', 'a', 'b', 1.0))\n"
        "assert file.read() is not None\n"
        f"with exclusive(Path({str(tmp_path / 'stack')!r})):\n    pass\n"
        "sys.argv = ['karya', '--lang', 'en', 'audit', '--help']\ncli.main()\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    assert "List who gave which command" in done.stdout
