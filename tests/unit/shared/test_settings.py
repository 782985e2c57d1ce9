"""Settings: a wrong or missing one is named, with a sentence in the reader's language."""

import subprocess
import sys
from collections.abc import Iterator

import pytest

from shared.errors import BadSettings, ServersNotConfigured
from shared.settings import Settings, settings_for
from shared.translation import Language, translated, use_language

pytestmark = pytest.mark.unit


@pytest.fixture(autouse=True)
def language() -> Iterator[None]:
    yield
    use_language(None)


@pytest.mark.parametrize(
    ("name", "value", "english", "indonesian"),
    [
        ("KARYA_PARTITIONS", "0", "It must be at least 1.", "Sekurang-kurangnya 1."),
        (
            "KARYA_PARTITIONS",
            "many",
            "'many' was not understood as a whole number.",
            "'many' tidak terbaca sebagai bilangan bulat.",
        ),
        ("KARYA_LOG_JSON", "perhaps", "It must be true or false.", "Harus true (ya) atau false (tidak)."),
        (
            "KARYA_MONGO_DRIVER",
            "odbc",
            "It must be one of pymongo or motor.",
            "Harus salah satu dari pymongo atau motor.",
        ),
    ],
)
def test_a_wrong_setting_is_named_with_what_it_must_be(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, english: str, indonesian: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(BadSettings) as wrong:
        Settings()
    assert str(wrong.value).startswith(f"{name}: {english}")
    use_language(Language.INDONESIAN)
    assert translated(wrong.value.message).startswith(f"{name}: {indonesian}")


def test_a_command_says_which_setting_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    # A process of its own, since modules of services read settings while they are imported.
    monkeypatch.setenv("KARYA_MAX_BATCH", "20.001")
    result = subprocess.run([sys.executable, "-m", "cli", "dlq", "list"], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stderr) == (1, "KARYA_MAX_BATCH: It must be at most 20000.\n")


@pytest.mark.parametrize(
    ("servers", "english", "indonesian"),
    [
        (("kafka", "mongo"), "set KARYA_KAFKA and KARYA_MONGO.", "isi KARYA_KAFKA dan KARYA_MONGO."),
        (("mongo",), "set KARYA_MONGO.", "isi KARYA_MONGO."),
    ],
)
def test_a_missing_address_is_named_in_the_readers_language(
    monkeypatch: pytest.MonkeyPatch, servers: tuple[str, ...], english: str, indonesian: str
) -> None:
    for name in ("KARYA_KAFKA", "KARYA_MONGO"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ServersNotConfigured) as missing:
        settings_for(*servers)
    assert str(missing.value).endswith(english)
    use_language(Language.INDONESIAN)
    assert translated(missing.value.message).endswith(indonesian)
