"""Checks that an extra of `pyproject.toml` is installed, and the message where it is not.

`train/`, `hub/` and the page exist in a clone only, so theirs says `pip install -e ".[train]"` there; `vmhan/` may be
installed without a clone, so its own says `pip install "vmhan[train]"`.
"""

import sys
from importlib.util import find_spec
from pathlib import Path

_TRAIN = ("accelerate", "datasets", "filelock", "matplotlib", "scipy", "sklearn", "tensorboard", "tqdm", "yaml")
#: Modules that each extra installs.
EXTRAS = {
    "demo": ("gradio", "matplotlib"),
    "detector": (*_TRAIN, "pyarrow", "pycocotools"),
    "search": (*_TRAIN, "optuna"),
    "train": _TRAIN,
}
_COMMANDS = ("hub", "train", "vmhan")  # packages whose modules are command lines


def require(user: str, extra: str, modules: tuple[str, ...] | None = None) -> None:
    """Checks that the modules of an extra can be imported; nothing is imported for it.

    Args:
        user: Package or module that needs them.
        extra: Name of the extra.
        modules: Those that are needed; by default all of the extra.

    Raises:
        ModuleNotFoundError: One is missing, and Python code imports `user`.
        SystemExit: One is missing, and a command line of ours runs: one line, exit code 1.
    """
    missing = [name for name in modules or EXTRAS[extra] if find_spec(name) is None]
    if not missing:
        return
    command = running_command()
    message = f"{command or user} needs {', '.join(missing)}: {install_hint(user, extra)}."
    if command:
        sys.exit(message)
    raise ModuleNotFoundError(message, name=missing[0])


def install_hint(user: str, extra: str) -> str:
    """Builds the command that installs an extra for a package or module."""
    if user.split(".")[0] == "vmhan":
        return f'pip install "vmhan[{extra}]"'
    return f'pip install -e ".[{extra}]" in a clone of the repository'


def running_command() -> str | None:
    """Finds the module of ours that this process runs as a command line; None if another program imports us."""
    if sys.argv[:1] == ["-m"]:  # `python -m` is still looking for it, which imports its packages
        name = sys.orig_argv[-len(sys.argv)].removeprefix("-m")
    else:
        file = getattr(sys.modules["__main__"], "__file__", None)
        name = _module_name(Path(file).resolve()) if file else ""
    return name if name.split(".")[0] in _COMMANDS else None


def _module_name(file: Path) -> str:
    """Names the module of a file by the packages that it lies in."""
    names, folder = [file.stem], file.parent
    while (folder / "__init__.py").is_file():
        names.insert(0, folder.name)
        folder = folder.parent
    return ".".join(names).removesuffix(".__main__")


__all__ = ["EXTRAS", "install_hint", "require", "running_command"]
