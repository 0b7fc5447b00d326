"""Result files with the predictions beside them, and which of them belong together."""

import json
import statistics
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from train.predictions import RunPredictions, predictions_path, read_predictions
from train.variants import variant


@dataclass
class Run:
    """A result file and, if they are there, its predictions.

    Args:
        name: Folder and file name without its ending.
        result: The result file.
        predictions: Those beside it.
    """

    name: str
    result: dict
    predictions: RunPredictions | None

    @property
    def trained(self) -> bool:
        """Whether it trained the model that it scores."""
        return not self.result["config"]["training"].get("checkpoint")

    @property
    def validation_f1(self) -> float:
        """What runs are chosen by."""
        return self.result["metrics"]["validation"]["f1"]


def read_runs(folders: list[Path], split: str) -> list[Run]:
    """The runs below folders that were scored on a split."""
    paths = [path for folder in folders for path in sorted(folder.glob("*.json"))]
    runs = []
    for path in paths:
        result, rows = json.loads(path.read_text(encoding="utf-8")), predictions_path(path)
        if split in result.get("metrics", {}):
            predictions = read_predictions(rows) if rows.is_file() else None
            runs.append(Run(f"{path.parent.name}/{path.stem}", result, predictions))
    return runs


def group_runs(runs: list[Run]) -> dict[tuple[str, ...], list[Run]]:
    """Runs by folder and variant, those best on validation first."""
    groups = defaultdict(list)
    for run in runs:
        groups[run.name.split("/")[0], *variant(run.result)].append(run)
    return dict(sorted(groups.items(), key=lambda group: -statistics.mean(run.validation_f1 for run in group[1])))
