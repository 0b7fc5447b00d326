"""The code that the Auto classes need beside the weights.

`vmhan/registrations.py` names the registered classes, their relative imports lead to the other files, and the imports
of these are the requirements.
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
    """Finds the files of the registered classes and all files of the package that they import, sorted.

    Raises:
        ValueError: The Hub's copy, which is flat, could not resolve an import.
    """
    classes = [*AUTO_MAP.values(), *(task["impl"] for task in CUSTOM_PIPELINES.values())]
    roots = {package / f"{name.split('.')[0]}.py" for name in classes}
    found = sorted(roots | {Path(path) for root in roots for path in get_relative_import_files(root)})
    for path in found:
        _check_imports(path, package.name)
    return found


def _check_imports(path: Path, package: str) -> None:
    """Checks that imports of the package are `from .file import name`, or inside `try`."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    tried = {id(node) for block in ast.walk(tree) if isinstance(block, ast.Try) for node in ast.walk(block)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.ImportFrom) or id(node) in tried:
            continue
        module = node.module or ""
        deep = node.level > 1 or (node.level == 1 and (not module or "." in module))
        if deep or (node.level == 0 and module.split(".")[0] == package):
            raise ValueError(f"{path}, line {node.lineno}: {ast.unparse(node)!r}; write `from .file import name`.")


def requirements(files: Iterable[Path], leave_out: Iterable[str] = ()) -> list[str]:
    """Lists the requirements of files: their imports outside of `try`, with the bounds of `pyproject.toml`.

    Args:
        files: Python files.
        leave_out: Names of distributions that are installed anyway.
    """
    bounds = {_normalized(re.split(r"[^\w.-]", line)[0]): line for line in _project()["dependencies"]}
    imported = {name for path in files for name in get_imports(path)}
    distributions = packages_distributions()
    needed = {_normalized(name) for module in imported for name in distributions.get(module, ())}
    return sorted(bounds[name] for name in needed & bounds.keys() - set(leave_out))


def project_licence() -> str:
    """Reads the licence of code and weights, as the Hub spells it."""
    return _project()["license"].lower()


def _project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def _normalized(name: str) -> str:
    """The name of a distribution as PyPI compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()
