"""A patch holds for the version that it was made for."""

import pytest

from shared import patches
from shared.errors import UnknownVersion


def test_another_version_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patches, "version", lambda _: "0.15.0")
    with pytest.raises(UnknownVersion, match=r"aiokafka 0\.15\.0 is installed"):
        patches.check_version("aiokafka", "0.14.")


def test_the_known_version_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patches, "version", lambda _: "0.14.3")
    patches.check_version("aiokafka", "0.14.")
