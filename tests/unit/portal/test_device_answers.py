"""What other services refuse is told in the reader's language in the apps too."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from docsite.words import texts_of
from services.portal.api.device_answers import TEMPLATES
from shared.translation import catalogue

ROOT = Path(__file__).parents[3]
# Every sentence of these modules may come to a device.
MODULES = ("services/production/domain/refusals.py", "services/gateway/api/records.py")


def sentences(module: str) -> Iterator[str]:
    for _, text in texts_of(ast.parse((ROOT / module).read_text(encoding="utf-8"))):
        yield text


@pytest.mark.parametrize("module", MODULES)
def test_an_app_has_every_sentence_by_which_a_record_is_refused(module: str) -> None:
    texts = set(sentences(module))
    assert len(texts) > 5
    assert texts - set(TEMPLATES) == set()


def test_each_of_these_sentences_is_said_somewhere() -> None:
    known = catalogue()
    assert [text for text in TEMPLATES if (None, text) not in known] == []
    assert len(set(TEMPLATES)) == len(TEMPLATES)
