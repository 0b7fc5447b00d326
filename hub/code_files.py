"""The code that the Auto classes need beside the weights, found by reading the package.

`vmhan/registrations.py` says which classes are registered, their relative imports lead to the other files, and what
these import from elsewhere are the requirements.
"""

import ast
import re
import tomllib
from collections.abc import Iterable
from importlib.metadata import packages_distributions
from pathlib import Path

from transformers.dynamic_module_utils import get_imports, get_relative_import_files

from vmhan.registrations import AUTO_MAP, CUSTOM_PIPELINES

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "vmhan"


def code_files(package: Path = PACKAGE) -> list[Path]:
    """Finds the files of the registered classes and all that they import from the package, sorted.

    Raises:
        ValueError: An import that the Hub's copy, which is flat, could not follow.
    """
    classes = [*AUTO_MAP.values(), *(task["impl"] for task in CUSTOM_PIPELINES.values())]
    roots = {package / f"{name.split('.')[0]}.py" for name in classes}
    found = sorted(roots | {Path(path) for root in roots for path in get_relative_import_files(root)})
    for path in found:
        _refuse_deep_imports(path, package.name)
    return found


def _refuse_deep_imports(path: Path, package: str) -> None:
    """Refuses imports of the package that are not `from .file import name`, but for those inside `try`."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    tried = {id(node) for block in ast.walk(tree) if isinstance(block, ast.Try) for node in ast.walk(block)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.ImportFrom) or id(node) in tried:
            continue
        deep = node.level > 1 or (node.level == 1 and (node.module is None or "." in node.module))
        if deep or (node.level == 0 and node.module.split(".")[0] == package):
            raise ValueError(f"{path}, line {node.lineno}: {ast.unparse(node)!r}; write `from .file import name`.")


def requirements(files: Iterable[Path], leave_out: Iterable[str] = ()) -> list[str]:
    """Requirements of the files: what they import outside of `try`, as `pyproject.toml` bounds it.

    Args:
        files: Python files.
        leave_out: Names of distributions that are there anyway.
    """
    bounds = {_plain(re.split(r"[^\w.-]", line)[0]): line for line in _project()["dependencies"]}
    imported = {name for path in files for name in get_imports(path)}
    distributions = packages_distributions()
    needed = {_plain(name) for module in imported for name in distributions.get(module, ())}
    return sorted(bounds[name] for name in needed & bounds.keys() - set(leave_out))


def project_licence() -> str:
    """The licence of code and weights, as the Hub spells it."""
    return _project()["license"].lower()


def _project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def _plain(name: str) -> str:
    """The name of a distribution as PyPI compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()
