"""`python -m docsite.audit PIP_AUDIT`: asks for known weaknesses of the services' dependencies.

Ends with 1 if there is one. If the database of advisories can't be reached, it says so and ends with 0, or with 2
after `--required`: without a network nothing can be said, which is no fault of a change.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

from docsite.dependencies import PAGES, RUNTIME

WITHIN_SECONDS = 180
NOT_AUDITED = "NOT AUDITED: the database of advisories can't be reached, so nothing is known of weaknesses."


def audit(command: Sequence[str], required: bool) -> int:
    """Run the auditor, print what it found, and return the exit code."""
    files = [part for lock in (RUNTIME, PAGES) for part in ("--requirement", str(lock))]
    asked = [*command, *files, "--require-hashes", "--disable-pip", "--format", "json"]
    try:
        ended = subprocess.run(asked, capture_output=True, text=True, timeout=WITHIN_SECONDS, check=False)
        output, fault = ended.stdout, ended.stderr
    except OSError:
        # Its environment is made from the package registry, which is not always there either.
        output, fault = "", "the auditor is not installed"
    except subprocess.TimeoutExpired:
        output, fault = "", f"no answer within {WITHIN_SECONDS} seconds"
    try:
        audited = json.loads(output)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return _not_audited("\n".join(fault.strip().splitlines()[-1:]), required)
    return _report(audited, required)


def _not_audited(reason: str, required: bool) -> int:
    print(f"{NOT_AUDITED} ({reason})")
    return 2 if required else 0


def _report(audited: Sequence[dict[str, Any]], required: bool) -> int:
    skipped = [package for package in audited if "skip_reason" in package]
    if len(skipped) == len(audited):
        # So it answers where a mirror of the packages has no advisories.
        return _not_audited("none of the packages is known there", required)
    found = [(package, weakness) for package in audited for weakness in package.get("vulns", ())]
    for package in skipped:
        print(f"not audited: {package['name']}: {package['skip_reason']}")
    for package, weakness in found:
        mended = ", ".join(weakness["fix_versions"]) or "no version yet"
        print(f"{package['name']} {package['version']}: {weakness['id']}, mended in {mended}")
    print(f"{len(audited) - len(skipped)} packages audited, {len(found)} known weaknesses")
    return 1 if found else 0


if __name__ == "__main__":
    arguments = sys.argv[1:]
    raise SystemExit(audit([name for name in arguments if name != "--required"], "--required" in arguments))
