"""`python -m docsite.sbom FILE`: writes the bill of materials of the services' image in CycloneDX's JSON."""

import json
import sys
from collections.abc import Sequence
from importlib.metadata import metadata
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from docsite.dependencies import PAGES, RUNTIME, Dependency, dependencies

PROJECT = "karya"


def bill(components: Sequence[Dependency]) -> dict[str, Any]:
    """The bill in CycloneDX 1.6. It has no time in it: the same lock file gives the same bytes."""
    project = metadata(PROJECT)
    root = f"pkg:pypi/{PROJECT}@{project['Version']}"
    references = {PROJECT: root} | {component.name: component.purl for component in components}
    needs: dict[str, list[str]] = {reference: [] for reference in references.values()}
    for component in components:
        for name in component.needed_by:
            needs[references[name]].append(component.purl)
    content = {
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": root,
                "name": PROJECT,
                "version": project["Version"],
                "description": project["Summary"],
                "licenses": [{"expression": project["License-Expression"]}],
                "purl": root,
            }
        },
        "components": [_component(component) for component in components],
        "dependencies": [
            {"ref": reference, "dependsOn": sorted(needed)} for reference, needed in sorted(needs.items())
        ],
    }
    serial = uuid5(NAMESPACE_URL, json.dumps(content, sort_keys=True))
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{serial}",
        "version": 1,
        **content,
    }


def _component(dependency: Dependency) -> dict[str, Any]:
    return {
        "type": "library",
        "bom-ref": dependency.purl,
        "name": dependency.name,
        "version": dependency.version,
        "scope": "required",
        # One for each file of the distribution: which of them is installed depends on the machine.
        "hashes": [{"alg": "SHA-256", "content": content} for content in dependency.hashes],
        "licenses": [{"expression": dependency.licence}],
        "purl": dependency.purl,
    }


if __name__ == "__main__":
    file = Path(sys.argv[1])
    file.parent.mkdir(parents=True, exist_ok=True)
    written = bill(dependencies(RUNTIME, PAGES))
    file.write_text(json.dumps(written, indent=1) + "\n", encoding="utf-8")
    print(f"{file}: {len(written['components'])} components")
