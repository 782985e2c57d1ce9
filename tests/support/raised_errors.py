"""The error classes of the project, found in its code."""

import ast
from functools import cache

from docsite import words


@cache
def raised_errors() -> frozenset[str]:
    """The name of every error class of the project that has a message for people."""
    bases = {"KaryaError"}
    classes = [
        node
        for room in words.ROOMS
        for path in (words.ROOT / room).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef)
    ]
    while heirs := {node.name for node in classes if bases & set(map(ast.unparse, node.bases))} - bases:
        bases |= heirs
    return frozenset(bases)
