"""Docstrings of public functions open with a verb in the third person, and those of `vmhan` are complete."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("vmhan", "train", "hub", "page")
Function = ast.FunctionDef | ast.AsyncFunctionDef
#: First words of docstrings that open with another word than a verb in -s.
ALLOWED: frozenset[str] = frozenset()


def public_functions(folder: str) -> Iterator[tuple[str, Function, bool]]:
    """Yields the place of each public function, the function, and whether it is a method."""
    for path in sorted((ROOT / folder).rglob("*.py")):
        module = ast.parse(path.read_text(encoding="utf-8"))
        classes = [item for item in module.body if isinstance(item, ast.ClassDef) and not item.name.startswith("_")]
        for owner in (module, *classes):
            for item in owner.body:
                if isinstance(item, Function) and not item.name.startswith("_") and not is_property(item):
                    yield f"{path.relative_to(ROOT)}:{item.lineno} {item.name}", item, owner is not module


def is_property(function: Function) -> bool:
    decorators = [ast.unparse(decorator) for decorator in function.decorator_list]
    return any(name.rpartition(".")[2] in ("property", "cached_property", "setter") for name in decorators)


def opens_with_a_verb(docstring: str) -> bool:
    first, second, *_ = [*docstring.split(), "", ""]
    names_a_thing = second == "of" and first.isalpha()  # "Scores of a split", not "Counts, of a split, the rows"
    is_verb = first[:1].isupper() and first.rstrip(",;:.").endswith("s") and not names_a_thing
    return is_verb or first in ALLOWED


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_docstring_opens_with_a_verb_in_the_third_person(folder):
    documented = [(place, ast.get_docstring(function)) for place, function, _ in public_functions(folder)]
    others = [(place, text.splitlines()[0]) for place, text in documented if text and not opens_with_a_verb(text)]
    assert others == []


def test_every_public_function_of_the_package_has_a_docstring():
    functions = [(place, function) for place, function, is_method in public_functions("vmhan") if not is_method]
    assert len(functions) > 100
    assert [place for place, function in functions if not ast.get_docstring(function)] == []
