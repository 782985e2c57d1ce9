"""`python -m docsite`: writes every generated page and picture into the documentation's folder."""

from docsite.generated import DOCS, GENERATED
from shared.translation import Language, use_language

use_language(Language.ENGLISH)

for name, write in GENERATED.items():
    (DOCS / name).write_text(write(), encoding="utf-8")
