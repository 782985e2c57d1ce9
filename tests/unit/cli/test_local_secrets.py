"""Commands on this checkout's secured stack work with the operator's credentials, and give them to no other stack."""

import json
import os
from pathlib import Path

import pytest

from cli import administrator, local_stack
from cli.administrator import as_administrator
from cli.local_stack import use_local_stack
from deploy.secure.files import ADMINISTRATOR, KAFKA, MONGO, OPERATOR
from deploy.secure.users import ServerSecrets
from shared.settings import Settings

pytestmark = pytest.mark.unit

NAMES = [f"KARYA_{server}{part}" for server in ("KAFKA", "MONGO") for part in ("", "_CREDENTIALS", "_CA")]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stack that runs here, and no setting of the caller's."""
    for name in NAMES:
        # Set and removed, so that what a test sets is gone after it.
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.setattr(local_stack, "FOLDER", tmp_path)
    monkeypatch.setattr(administrator, "FOLDER", tmp_path)
    state = {"kafka": {"pid": 1, "port": 19099}, "mongo": {"pid": 2, "port": 27099}}
    (tmp_path / "stack.json").write_text(json.dumps(state))
    return tmp_path


@pytest.fixture
def secrets(folder: Path) -> ServerSecrets:
    secrets = ServerSecrets(folder / "secrets")
    for server in (KAFKA, MONGO):
        for principal in (OPERATOR, ADMINISTRATOR):
            secrets.credentials(server, principal)
    return secrets


def test_commands_are_the_operator(secrets: ServerSecrets) -> None:
    use_local_stack()
    settings = Settings()
    assert settings.kafka == "127.0.0.1:19099"
    assert settings.kafka_credentials == secrets.credentials_file(KAFKA, OPERATOR)
    assert settings.mongo_credentials == secrets.credentials_file(MONGO, OPERATOR)
    assert settings.kafka_ca == settings.mongo_ca == secrets.authorities
    assert as_administrator(settings).kafka_credentials == secrets.credentials_file(KAFKA, ADMINISTRATOR)


def test_an_open_stack_has_no_credentials(folder: Path) -> None:
    use_local_stack()
    settings = Settings()
    assert (settings.kafka, settings.kafka_credentials, settings.kafka_ca) == ("127.0.0.1:19099", None, None)
    assert as_administrator(settings) == settings
    assert folder.exists()


@pytest.mark.parametrize("address", ["KARYA_KAFKA", "KARYA_MONGO"])
def test_another_stack_gets_no_credentials(
    secrets: ServerSecrets, monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    monkeypatch.setenv(address, "elsewhere.test")
    use_local_stack()
    assert secrets.folder.exists()
    assert (f"{address}_CREDENTIALS" in os.environ, f"{address}_CA" in os.environ) == (False, False)


def test_rights_of_another_stack_stay_as_they_are(secrets: ServerSecrets, tmp_path: Path) -> None:
    assert secrets.folder.exists()
    other = Settings(kafka_credentials=tmp_path / "other")
    assert as_administrator(other) == other
