"""`python -m docsite`: writes every generated page and picture into the documentation's folder."""

from docsite.generated import DOCS, GENERATED

for name, write in GENERATED.items():
    (DOCS / name).write_text(write(), encoding="utf-8")
