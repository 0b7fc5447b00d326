"""The result file of a run: what is needed to check a number or to reproduce it."""

import json
import platform
import subprocess
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, NotRequired, TypedDict

from vmhan.data.files import atomic_write

LIBRARIES = ("torch", "transformers", "datasets", "accelerate", "vmhan")
ROOT = Path(__file__).resolve().parents[2]


class RelationScores(TypedDict):
    """Scores of one relation, and its number of gold rows."""

    precision: float
    recall: float
    f1: float
    support: int


class Scores(TypedDict):
    """Scores of a split in one mode; `per_relation` is missing with the direction unknown in old files."""

    accuracy: float
    precision: float
    recall: float
    f1: float
    macro_f1: float
    none_accuracy: float
    per_relation: NotRequired[dict[str, RelationScores]]


class SplitScores(Scores):
    """Scores with the direction given and, unless tails are objects, under `direction_unknown` the main ones."""

    rows: int
    direction_unknown: NotRequired[Scores]


class RunSettings(TypedDict):
    """Settings of a run by section; of `training` those that differ from the defaults."""

    data: dict[str, Any]
    model: dict[str, Any]
    training: dict[str, Any]


class Result(TypedDict):
    """A result file, as training writes it.

    Args:
        protocol, visual_setting, control: What the inputs hold.
        data: The sha256 of each file, or name and revision of a repository on the Hub.
        pair_order: Counts of pairs by the order of head and tail; empty where tails are objects.
        config: The settings.
        metrics: The scores of each split.
    """

    command: str
    protocol: str
    visual_setting: str
    control: str
    data: dict[str, str]
    pair_order: NotRequired[dict[str, Any]]
    config: RunSettings
    seed: int
    commit: str | None
    uncommitted_changes: bool
    versions: dict[str, str]
    parameters: int
    wall_time_seconds: float
    best_step: int | None
    metrics: dict[str, SplitScores]


def read_result(path: Path) -> Result:
    """Reads a result file."""
    return json.loads(path.read_text(encoding="utf-8"))


def read_results(folder: Path) -> list[Result]:
    """Reads the result files of a folder, in the order of their names."""
    return [read_result(path) for path in sorted(folder.glob("*.json"))]


def write_result(path: Path, result: Mapping[str, Any]) -> None:
    """Writes `result` as JSON, folders included, in one step: no reader meets half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path) as partial:
        partial.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def code_version() -> dict[str, Any]:
    """Reads the commit, and whether files differ from it; `None` outside a repository."""
    commit = _git("rev-parse", "HEAD")
    return {"commit": commit, "uncommitted_changes": bool(_git("status", "--porcelain", "--", "vmhan", "train"))}


def versions(libraries: Sequence[str] = LIBRARIES) -> dict[str, str]:
    """Reads the versions of Python and of the libraries that a number depends on."""
    return {"python": platform.python_version(), **{name: version(name) for name in libraries}}


def _git(*command: str) -> str | None:
    run = subprocess.run(["git", *command], cwd=ROOT, capture_output=True, text=True, check=False)
    return run.stdout.strip() or None if run.returncode == 0 else None
