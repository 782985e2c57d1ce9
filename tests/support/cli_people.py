"""People who use the command line at a running stack."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from typer.testing import CliRunner, Result

from cli import app, sessions
from deploy.local.services import environment
from shared.settings import Settings


class Person:
    """Somebody at a machine of their own."""

    def __init__(self, settings: Settings, urls: Mapping[str, str], folder: Path, name: str) -> None:
        self.file = folder / f"{name}.json"
        self._environment = {
            **environment(settings),
            **{f"KARYA_{service.upper()}_URL": url for service, url in urls.items()},
            sessions.FILE: str(self.file),
            "COLUMNS": "300",
        }

    def tries(self, *words: str, given: str = "") -> Result:
        return CliRunner().invoke(app, words, env=self._environment, input=given)

    def does(self, *words: str, given: str = "") -> str:
        result = self.tries(*words, given=given)
        assert result.exit_code == 0, result.output
        return result.stdout

    def reads(self, *words: str) -> Any:
        return json.loads(self.does(*words, "--json"))
