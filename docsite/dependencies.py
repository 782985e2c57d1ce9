"""The distributions that a lock file names, with what their own metadata say of their licences."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
RUNTIME = ROOT / "requirements" / "runtime.txt"
PAGES = ROOT / "requirements" / "pages.txt"
DEVELOPMENT = ROOT / "requirements" / "development.txt"
LOCAL_SERVER = ROOT / "requirements" / "local-server.txt"

# Where the image runs, so that lists are the same wherever they are made.
_IMAGE = {
    "implementation_name": "cpython",
    "platform_python_implementation": "CPython",
    "platform_system": "Linux",
    "python_full_version": "3.11.14",
    "python_version": "3.11",
    "sys_platform": "linux",
}
# Free texts and classifiers of metadata, and the SPDX identifier that they mean.
_SPDX: Mapping[str, str] = {
    "Apache 2": "Apache-2.0",
    "Apache 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD 2-Clause License": "BSD-2-Clause",
    "3-Clause BSD License": "BSD-3-Clause",
    "BSD License": "BSD-3-Clause",
    "GPL-3.0": "GPL-3.0-only",
    "GNU General Public License v2 (GPLv2)": "GPL-2.0-only",
    "ISC License": "ISC",
    "ISC License (ISCL)": "ISC",
    "MIT Licence": "MIT",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
}
# Of distributions whose metadata names no licence: what the licence file in the distribution is.
_BY_FILE: Mapping[str, str] = {"axe-playwright-python": "MIT"}
_IDENTIFIER = re.compile(r"MIT|ISC|[A-Z][A-Za-z]+-[0-9][A-Za-z0-9.+-]*")
_CLASSIFIER = "License :: OSI Approved :: "


class UnknownLicence(Exception):
    """The metadata of a distribution name no licence that is known here."""


@dataclass(frozen=True, slots=True)
class Dependency:
    """One exact version. `hashes`: the SHA-256 of each of its files. `needed_by`: names of other distributions, and
    of `karya` itself."""

    name: str
    version: str
    hashes: tuple[str, ...]
    needed_by: tuple[str, ...]

    @property
    def purl(self) -> str:
        """The package URL."""
        return f"pkg:pypi/{self.name}@{self.version}"

    @property
    def licence(self) -> str:
        """The SPDX expression. Raises UnknownLicence."""
        return licence_of(self.name)


def dependencies(*locks: Path) -> list[Dependency]:
    """What the lock files name for the image's platform, in their order."""
    return [package for lock in locks for package in _dependencies(lock.read_text(encoding="utf-8"))]


def _dependencies(text: str) -> Iterator[Dependency]:
    for block in re.split(r"(?m)^(?=[A-Za-z0-9])", text):
        if not re.match(r"[A-Za-z0-9]", block):
            continue
        requirement = Requirement(block.partition("\\")[0].strip())
        if requirement.marker is not None and not requirement.marker.evaluate(_IMAGE):
            continue
        [version] = requirement.specifier
        via = re.findall(r"(?m)^    # +(?:via )?(?!via$)([A-Za-z0-9._-]+)(?: \(.*\))?$", block)
        yield Dependency(
            canonicalize_name(requirement.name),
            version.version,
            tuple(re.findall(r"--hash=sha256:([0-9a-f]{64})", block)),
            # A file with one requirement of ours names no other distribution.
            tuple(canonicalize_name(name) for name in via) or ("karya",),
        )


def licence_of(name: str) -> str:
    """The SPDX expression of the installed distribution. Raises UnknownLicence."""
    try:
        fields = metadata(name)
    except PackageNotFoundError:
        raise UnknownLicence(f"{name} is not installed") from None
    for expression in fields.get_all("License-Expression", []):
        return str(expression)
    names = fields.get_all("License", [])
    names += [
        text.removeprefix(_CLASSIFIER) for text in fields.get_all("Classifier", []) if text.startswith(_CLASSIFIER)
    ]
    for text in (name.strip().partition("\n")[0].strip() for name in names):
        if text in _SPDX:
            return _SPDX[text]
        if _IDENTIFIER.fullmatch(text):
            return str(text)
    if name in _BY_FILE:
        return _BY_FILE[name]
    raise UnknownLicence(f"{name}: {names}")
