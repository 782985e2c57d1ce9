"""The forms for issues follow their schemas, which the tool brings with it."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit

FORMS = Path(__file__).parents[3] / ".github" / "ISSUE_TEMPLATE"


def check_schema(schema: str, *files: Path) -> subprocess.CompletedProcess[str]:
    tool = Path(sys.executable).with_name("check-jsonschema")
    command = [str(tool), "--builtin-schema", f"vendor.{schema}", *map(str, files)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_the_forms_follow_their_schemas() -> None:
    forms = [FORMS / "fault.yml", FORMS / "wish.yml"]
    assert sorted([*forms, FORMS / "config.yml"]) == sorted(FORMS.iterdir())
    assert check_schema("github-issue-forms", *forms).returncode == 0
    assert check_schema("github-issue-config", FORMS / "config.yml").returncode == 0


def test_a_form_that_does_not_is_found(tmp_path: Path) -> None:
    broken_form = tmp_path / "fault.yml"
    broken_form.write_text((FORMS / "fault.yml").read_text(encoding="utf-8").replace("type: textarea", "type: page"))
    assert check_schema("github-issue-forms", broken_form).returncode != 0
