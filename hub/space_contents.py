"""The contents of a Space of the page: `app.py`, the packages that it imports, and the files beside their sources."""

import ast
import sys
from importlib.metadata import version
from pathlib import Path

from huggingface_hub import SpaceCardData

from .code_files import ROOT, project_licence, requirements
from .contents import CARD, CONFIG, Contents, read_json

APP = "app.py"


def space_contents(root: Path = ROOT, model: str | None = None, **card_settings) -> Contents:
    """Collects the files of the Space, by their path in it.

    Args:
        root: The folder of `app.py`.
        model: `user/name` of the model; without one the bundled model is included.
        card_settings: Further arguments of `space_card`.
    """
    sources = local_sources(root)
    files = [*sources, *data_files(root, sources, with_model=not model)]
    contents: Contents = {path.relative_to(root).as_posix(): path for path in sorted(files)}
    needed = requirements(sources, leave_out=("gradio",))  # the Space installs Gradio, of the version in its card
    return {
        **contents,
        "requirements.txt": ("\n".join(needed) + "\n").encode(),
        CARD: space_card(model, **card_settings),
    }


def local_sources(root: Path) -> list[Path]:
    """Finds `app.py`, the packages beside it that it imports, anywhere in it, and those that these import."""
    found, waiting = [], [root / APP]
    while waiting:
        path = waiting.pop()
        if path in found:
            continue
        found.append(path)
        for name in _imported(path):
            package, module = root / name, root / f"{name}.py"
            waiting += sorted(package.rglob("*.py")) if (package / "__init__.py").is_file() else []
            waiting += [module] if module.is_file() else []
    return sorted(found)


def _imported(path: Path) -> set[str]:
    """First names of the imports of a file, relative ones left out: their whole package is included."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names.add((node.module or "").split(".")[0])
    return names


def data_files(root: Path, sources: list[Path], with_model: bool) -> list[Path]:
    """Finds the files beside the sources in their packages: templates, scripts, weights, perhaps the model."""
    packages = {root / path.relative_to(root).parts[0] for path in sources} - {root / APP}
    models = set() if with_model else set(model_folders(root))
    return sorted(
        path
        for package in packages
        for path in package.rglob("*")
        if path.is_file()
        and path.suffix not in (".py", ".pyc")
        and "__pycache__" not in path.parts
        and not models & set(path.parents)
    )


def model_folders(root: Path) -> list[Path]:
    """Finds the models bundled with the package."""
    folders = (root / "vmhan" / "weights").glob(f"*/{CONFIG}")
    return [path.parent for path in sorted(folders) if "model_type" in read_json(path)]


def space_card(model: str | None, title: str = "VM-HAN", hardware: str = "cpu-basic", preload: bool = False) -> bytes:
    """Renders the README of the Space: settings that the Hub reads, and a short text.

    Args:
        model: `user/name`, or None for the bundled model.
        title: Title of the page's tile.
        hardware: Suggested to others who copy the Space.
        preload: Whether the model is downloaded when the Space is built; a private one cannot be.
    """
    data = SpaceCardData(
        title=title,
        emoji="🕸️",
        colorFrom="indigo",
        colorTo="green",
        sdk="gradio",
        sdk_version=version("gradio"),
        python_version=f"{sys.version_info.major}.{sys.version_info.minor}",
        app_file=APP,
        license=project_licence(),
        short_description="Relations in a sentence with its image",
        suggested_hardware=hardware,
        models=[model] if model else None,
        preload_from_hub=[model] if model and preload else None,
        tags=["vmhan", "relation-extraction", "multimodal"],
    )
    served = f"the model [{model}](https://huggingface.co/{model})" if model else "the bundled model"
    text = f"A sentence, its entities and an image in; the relation of every pair out. The page serves {served}."
    return f"---\n{data.to_yaml()}\n---\n\n# {title}\n\n{text}\n".encode()
