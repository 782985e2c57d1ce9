"""The installable apps as files: their texts, what their workers keep, and that nothing in them is from elsewhere."""

import json
import re
from pathlib import PurePosixPath

import pytest

from services.portal.api.apps import app_texts, texts_of_script
from services.portal.api.assets import APPS, Assets
from shared.events.language import Topic
from shared.events.production import TERMINAL
from shared.events.sales import TILL
from shared.translation import catalogue
from shared.wording import fields
from tests.support.callers import ISSUER
from tests.support.portal import OtherServices, a_portal

FILES = Assets().apps
APP_NAMES = ("till", "terminal")
SCRIPTS = sorted(name for name in FILES if name.endswith(".js"))
_IMPORT = re.compile(r'^(?:import|export) (?:.*? from )?"([^"]+)";$|^\} from "([^"]+)";$', re.MULTILINE)
_FIELD = re.compile(r"\{(\w+)(?::([^}]*))?\}")


@pytest.fixture
def others() -> OtherServices:
    return OtherServices()


def test_texts_of_a_script_are_the_literals_that_tr_gets() -> None:
    source = 'tr("Say \\"yes\\"", { a }); tr(\n  "two lines",\n); other("no"); tr(known); str("no");'
    assert list(texts_of_script(source)) == ['Say "yes"', "two lines"]


@pytest.mark.parametrize("app", APP_NAMES)
def test_every_text_of_an_app_is_there_in_both_languages_with_the_same_fields(app: str) -> None:
    texts = app_texts(FILES, app)
    assert len(texts) > 120
    known = catalogue()
    for text in texts:
        assert (None, text) in known, text
        assert fields(known[None, text]) == fields(text), text
        # The app knows these formats alone.
        for _, form in _FIELD.findall(text + known[None, text]):
            assert form in ("", "rupiah", "thousands") or "|" in form, text


@pytest.mark.parametrize(("script", "topic"), [("till/shown.js", TILL), ("terminal/sentences.js", TERMINAL)])
def test_every_kind_of_record_is_told_in_words(script: str, topic: Topic) -> None:
    _, _, told = FILES[script].content.decode().partition("function recordText(")
    cases = set(re.findall(r'case "(\w+)":', told.partition("\n}\n")[0]))
    assert {body.__name__ for body in topic.bodies} <= cases


@pytest.mark.parametrize("app", APP_NAMES)
async def test_the_worker_of_an_app_knows_each_of_its_files(others: OtherServices, app: str) -> None:
    async with a_portal(others) as browser:
        script = (await browser.get(f"/apps/{app}/files.js")).text
        listed = json.loads(script.removeprefix("self.FILES = ").rstrip().removesuffix(";"))
        expected = {f"/apps/{name}" for name in FILES if name.startswith((f"{app}/", "device/"))} - {
            f"/apps/{app}/worker.js",
            f"/apps/{app}/index.html",
        }
        assert set(listed["names"]) >= expected | {f"/apps/{app}/", f"/apps/{app}/words.json", "/assets/style.css"}
        assert listed["names"][0] == f"/apps/{app}/"
        sizes = []
        for name in listed["names"]:
            answer = await browser.get(name)
            assert answer.status_code == 200, name
            assert "content-length" in answer.headers, name
            sizes.append(int(answer.headers["content-length"]))
        assert sum(sizes) < 60_000, "compressed, as a phone loads it once"
        for name in ("/apps/nothing/files.js", "/apps/nothing/words.json"):
            assert (await browser.get(name)).status_code == 404


async def test_the_list_changes_with_each_file(others: OtherServices, monkeypatch: pytest.MonkeyPatch) -> None:
    async def version() -> str:
        async with a_portal(others) as browser:
            return (await browser.get("/apps/till/files.js")).text

    former = await version()
    assert await version() == former
    original = Assets.__init__

    def with_another_style(assets: Assets) -> None:
        original(assets)
        assets.apps["till/till.css"] = assets.static["style.css"]

    monkeypatch.setattr(Assets, "__init__", with_another_style)
    assert await version() != former


async def test_an_app_knows_for_whom_it_proves_itself_and_its_words(others: OtherServices) -> None:
    async with a_portal(others) as browser:
        assert (await browser.get("/apps/identity.json")).json() == {"audience": ISSUER}
        words = (await browser.get("/apps/till/words.json")).json()
        assert words["Sell"] == catalogue()[None, "Sell"]
        assert set(words) == set(app_texts(FILES, "till"))


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_comes_without_notes_and_with_the_same_lines(name: str) -> None:
    source, served = (APPS / name).read_text(encoding="utf-8").splitlines(), FILES[name].content.decode().splitlines()
    assert len(source) == len(served)
    left = [line for line, other in zip(source, served, strict=True) if line == other]
    assert not any(line.startswith("/**") for line in left)
    # Of a line its beginning alone is left out: indentation, or a note.
    assert all(line.endswith(other) for line, other in zip(source, served, strict=True))
    gone = [line.removesuffix(other).strip() for line, other in zip(source, served, strict=True)]
    assert all(not part or part.startswith(("/**", "*", "//")) or part.endswith("*/") for part in gone)


@pytest.mark.parametrize("name", SCRIPTS)
def test_scripts_import_files_that_are_there(name: str) -> None:
    source = (APPS / name).read_text(encoding="utf-8")
    for first, second in _IMPORT.findall(source):
        imported = first or second
        assert imported.startswith("."), imported
        parts: list[str] = []
        for part in (PurePosixPath(name).parent / imported).parts:
            parts = parts[:-1] if part == ".." else [*parts, part]
        assert "/".join(parts) in FILES, imported


@pytest.mark.parametrize("name", FILES)
def test_nothing_is_inline_or_from_elsewhere(name: str) -> None:
    source = (APPS / name).read_text(encoding="utf-8")
    for word in ("http://", "https://", "innerHTML", "eval(", "style=", "<style", "onclick=", "document.write"):
        assert word not in source, word
    if name.endswith(".html"):
        assert "<script>" not in source
    if name.endswith(".js"):
        assert "navigator.onLine" not in source, "it is true behind a dead uplink"
