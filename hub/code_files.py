"""The code that the Auto classes need beside the weights, found by reading the package.

Nothing is listed by hand: `vmhan/__init__.py` says which classes are registered, their relative imports lead to the
other files, and what these import from elsewhere are the requirements.
"""

import ast
import re
import tomllib
from collections.abc import Iterable
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import NamedTuple

from transformers.dynamic_module_utils import get_imports, get_relative_import_files

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "vmhan"
CONFIG = "VMHANConfig"


class Registrations(NamedTuple):
    """What `transformers` has to be told of the package.

    Args:
        auto_map: Auto class to `file.Class`, as in `config.json`.
        custom_pipelines: Task to its pipeline, as in `config.json`.
    """

    auto_map: dict[str, str]
    custom_pipelines: dict[str, dict]


def read_registrations(package: Path = PACKAGE) -> Registrations:
    """The calls of `AutoX.register(VMHANConfig, ...)` and `register_pipeline` in `package/__init__.py`.

    Read, not imported: that would take seconds, and a push needs nothing else of torch.

    Raises:
        ValueError: A call that is written otherwise.
    """
    tree = ast.parse((package / "__init__.py").read_text(encoding="utf-8"))
    files = {
        alias.asname or alias.name: node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.level == 1
        for alias in node.names
    }
    auto_map, pipelines = {}, {}
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        what = ast.unparse(call.func)
        words = {word.arg: word.value for word in call.keywords}
        if what.endswith(".register") and ast.unparse(call.args[0]).split(".")[0] == CONFIG:
            name = ast.unparse(call.args[-1])
            if name not in files:
                raise ValueError(
                    f"{package}/__init__.py registers {ast.unparse(call)}; its last argument is no class."
                )
            auto_map[what.removesuffix(".register")] = f"{files[name]}.{name}"
        elif what.endswith(".register_pipeline"):
            task, name = (ast.unparse(node) for node in (call.args[0], words["pipeline_class"]))
            pipelines[_constant(package / f"{files[task]}.py", task)] = {
                "impl": f"{files[name]}.{name}",
                "pt": [ast.unparse(words["pt_model"])],
                "type": ast.literal_eval(words["type"]),
            }
    return Registrations(auto_map, pipelines)


def _constant(path: Path, name: str) -> str:
    """The value of `name = "..."` in a file."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name:
            return ast.literal_eval(node.value)
    raise ValueError(f"{path} sets no {name}.")


def code_files(registrations: Registrations, package: Path = PACKAGE) -> list[Path]:
    """The files of the registered classes and all that they import from the package, sorted.

    Raises:
        ValueError: An import that the Hub's copy, which is flat, could not follow.
    """
    classes = [*registrations.auto_map.values(), *(task["impl"] for task in registrations.custom_pipelines.values())]
    roots = {package / f"{name.split('.')[0]}.py" for name in classes}
    found = sorted(roots | {Path(path) for root in roots for path in get_relative_import_files(root)})
    for path in found:
        _refuse_deep_imports(path, package.name)
    return found


def _refuse_deep_imports(path: Path, package: str) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.ImportFrom):
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
