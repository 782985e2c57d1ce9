"""All services with the sample accounts, for tests of people who sign in."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from cli import sign_in
from cli.sample_accounts import sample_accounts
from cli.stack_accounts import start_with_accounts
from deploy.local.services import LocalServices
from shared.settings import Settings


@contextmanager
def account_services(
    settings: Settings, folder: Path, monkeypatch: pytest.MonkeyPatch, *, http_port: int
) -> Iterator[LocalServices]:
    """Services with logs and passwords in the folder. They run until the block ends."""
    monkeypatch.setattr(sign_in, "FOLDER", folder)
    services = LocalServices(folder / "services", settings, http_port=http_port)
    try:
        start_with_accounts(services, settings, sample_accounts(folder))
        yield services
    finally:
        services.stop()
