"""Finds this checkout's own stack, so that commands need no addresses."""

import json
import os
from pathlib import Path
from typing import Any

from deploy.secure.files import KAFKA, MONGO, OPERATOR, SecretFiles

FOLDER = Path(__file__).parents[1] / ".karya" / "up"


def use_local_stack() -> None:
    """Set the KARYA_* addresses that are not set to those of the stack that `karya up` has started here, if any."""
    stack, services = _ports("stack"), _ports("services")
    addresses = {
        "KARYA_KAFKA": f"127.0.0.1:{stack['kafka']}" if "kafka" in stack else None,
        "KARYA_MONGO": f"mongodb://127.0.0.1:{stack['mongo']}/?directConnection=true" if "mongo" in stack else None,
        **{f"KARYA_{name.upper()}_URL": f"http://127.0.0.1:{port}" for name, port in services.items()},
    }
    secrets = SecretFiles(FOLDER / "secrets")
    for server in (KAFKA, MONGO):
        # Credentials go to no other stack.
        if f"KARYA_{server.upper()}" not in os.environ and secrets.folder.exists():
            addresses[f"KARYA_{server.upper()}_CREDENTIALS"] = str(secrets.credentials_file(server, OPERATOR))
            addresses[f"KARYA_{server.upper()}_CA"] = str(secrets.authorities)
    for name, value in addresses.items():
        if value is not None:
            os.environ.setdefault(name, value)


def _ports(name: str) -> dict[str, int]:
    """The ports of a group's servers that were started and not stopped."""
    try:
        state: dict[str, dict[str, Any]] = json.loads((FOLDER / f"{name}.json").read_text())
    except FileNotFoundError:
        return {}
    return {server: entry["port"] for server, entry in state.items() if entry["pid"] is not None}
