"""The result file of a run: everything needed to check a number or to get it again."""

import json
import platform
import subprocess
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

LIBRARIES = ("torch", "transformers", "datasets", "accelerate", "vmhan")
ROOT = Path(__file__).resolve().parents[2]


def code_version() -> dict:
    """The commit, and whether files differ from it; `None` outside a repository."""
    commit = _git("rev-parse", "HEAD")
    return {"commit": commit, "uncommitted_changes": bool(_git("status", "--porcelain", "--", "vmhan", "train"))}


def versions(libraries: Sequence[str] = LIBRARIES) -> dict[str, str]:
    """Of Python and of the libraries that a number depends on."""
    return {"python": platform.python_version(), **{name: version(name) for name in libraries}}


def write_result(path: Path, result: dict) -> None:
    """Writes `result` as JSON, folders included, so that a reader never meets half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    partial.replace(path)


def _git(*command: str) -> str | None:
    run = subprocess.run(["git", *command], cwd=ROOT, capture_output=True, text=True, check=False)
    return run.stdout.strip() or None if run.returncode == 0 else None
