"""The files of a new service, from the templates beside this module."""

import keyword
import re
import subprocess
import sys
from pathlib import Path
from string import Template

TEMPLATES = Path(__file__).parent / "template"
NAME = re.compile(r"[a-z][a-z]{2,19}")

# Each template and its place; `$service` stands for the name.
PLACES = {
    "events": "shared/events/$service.py",
    "service": "services/$service/__init__.py",
    "domain": "services/$service/domain/__init__.py",
    "note": "services/$service/domain/note.py",
    "rules": "services/$service/domain/rules.py",
    "store": "services/$service/store.py",
    "handlers": "services/$service/handlers.py",
    "api": "services/$service/api.py",
    "app": "services/$service/app.py",
    "test_rules": "tests/unit/$service/test_rules.py",
}


class BadServiceName(Exception):
    """A service can't have this name."""


def write(root: Path, name: str) -> list[Path]:
    """Write the service's files below `root`. Returns their paths. After BadServiceName nothing was written."""
    if not NAME.fullmatch(name) or keyword.iskeyword(name) or keyword.issoftkeyword(name):
        raise BadServiceName(
            f"{name!r} can't be a service's name. It has from 3 to 20 small letters, and is no word of Python."
        )
    words = {"service": name, "Service": name.capitalize(), "SERVICE": name.upper()}
    files = {root / Template(place).substitute(words): template for template, place in PLACES.items()}
    existing = [path for path in files if path.exists()]
    if existing:
        raise BadServiceName(f"{existing[0].relative_to(root)} exists already. Choose another name.")
    for path, template in files.items():
        text = (TEMPLATES / f"{template}.py.txt").read_text(encoding="utf-8")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(Template(text).substitute(words), encoding="utf-8")
    # The order of imports depends on the name.
    ruff = [sys.executable, "-m", "ruff", "check", "--quiet", "--select=I", "--fix"]
    subprocess.run([*ruff, *map(str, files)], cwd=root, check=True)
    return list(files)
