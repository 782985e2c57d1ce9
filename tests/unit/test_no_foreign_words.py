"""No module shows a person the words of a library, a validator or the operating system."""

import ast
from collections.abc import Iterator
from functools import cache

import pytest

from docsite import words
from tests.support.raised_errors import raised_errors

pytestmark = pytest.mark.unit

# The text of a KeyError is the key.
WITHOUT_MESSAGES = frozenset(
    {"WrongValue", "JarError", "BadScript", "TokenRefused", "RecordRefused", "SignInRefused", "Unusable", "KeyError"}
)
# What an error of a library says in its own words.
TOLD = frozenset({"strerror", "args", "msg", "reason", "message", "errmsg"})
# Calls that nobody but a programmer reads, or that take an error and return words of our own.
SAFE_CALLS = frozenset({"cause_of", "unreachable", "not_json", "refused_by_system", "fault_message"})
LOGS = frozenset({"debug", "info", "warning", "error", "critical", "exception"})
# Modules that show them after all, with the reason.
ALLOWED = {
    "deploy/docker_stack.py": "only who runs the tests in containers sees what the engine says",
    "services/identity/api/id_tokens.py": "only the log of identity says why a provider's token was refused",
    "services/identity/api/provider_client.py": "only the log of identity says why a provider's answer was refused",
    "deploy/local/jars.py": "only `make setup` fetches jars; what a repository answers is for programmers",
}


@cache
def own_errors() -> frozenset[str]:
    return raised_errors() | WITHOUT_MESSAGES


def shown_words(source: str) -> list[str]:
    """Uses of a caught foreign error's words, apart from logs."""
    found: list[str] = []
    for handler in ast.walk(ast.parse(source)):
        if isinstance(handler, ast.ExceptHandler) and handler.name is not None and not _is_own(handler.type):
            for statement in handler.body:
                found += _uses(statement, handler.name)
    return found


def _is_own(caught: ast.expr | None) -> bool:
    kinds = caught.elts if isinstance(caught, ast.Tuple) else [caught]
    return all(kind is not None and ast.unparse(kind).rpartition(".")[2] in own_errors() for kind in kinds)


def _uses(node: ast.AST, name: str) -> Iterator[str]:
    match node:
        case ast.Call(func=func) if _called(func) in SAFE_CALLS or _is_log(func):
            return
        case ast.Call(func=ast.Name(id="str" | "repr"), args=[ast.Name(id=argument)]) if argument == name:
            yield ast.unparse(node)
        case ast.FormattedValue(value=ast.Name(id=value)) if value == name:
            yield ast.unparse(node)
        case ast.Attribute(value=ast.Name(id=value), attr=name_of) if value == name and name_of in TOLD:
            yield ast.unparse(node)
        case _:
            for child in ast.iter_child_nodes(node):
                yield from _uses(child, name)


def _called(func: ast.expr) -> str:
    return getattr(func, "id", getattr(func, "attr", ""))


def _is_log(func: ast.expr) -> bool:
    return isinstance(func, ast.Attribute) and func.attr in LOGS and ast.unparse(func.value) == "log"


def test_no_module_shows_a_person_foreign_words() -> None:
    modules = {
        str(path.relative_to(words.ROOT)): found
        for room in words.ROOMS
        for path in (words.ROOT / room).rglob("*.py")
        if (found := shown_words(path.read_text(encoding="utf-8")))
    }
    assert modules.keys() == ALLOWED.keys(), modules


@pytest.mark.parametrize(
    ("handler", "found"),
    [
        ("except OSError as error:\n    raise WrongEntry(error.strerror)", 1),
        ("except OSError as error:\n    raise WrongEntry(f'{error}')", 1),
        ("except OSError as error:\n    raise WrongEntry(f'{error!r}')", 1),
        ("except (KafkaError, WrongEntry) as error:\n    why = str(error)", 1),
        ("except ValueError as error:\n    raise WrongEntry(Message('{why}', why=repr(error)))", 1),
        ("except OSError as error:\n    raise WrongEntry(cause_of(error)) from error", 0),
        ("except OSError as error:\n    log.warning('lost', fault=repr(error))", 0),
        ("except WrongEntry as wrong:\n    raise BadParameter(str(wrong))", 0),
    ],
)
def test_foreign_words_are_found(handler: str, found: int) -> None:
    assert len(shown_words(f"try:\n    act()\n{handler}")) == found
