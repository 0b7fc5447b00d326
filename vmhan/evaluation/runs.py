"""Result files with the predictions beside them, and which of them belong together."""

import json
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vmhan.evaluation.modes import GIVEN, UNKNOWN, metrics_in
from vmhan.evaluation.predictions import RunPredictions, predictions_path, read_predictions
from vmhan.evaluation.run_grouping import CLEAN, group_results, name_of, variants_apart


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
    def has_modes(self) -> bool:
        """Whether its pairs could stand either way round, so that it is scored in two modes."""
        return metrics_in(self.result["metrics"]["validation"], GIVEN) is not None

    @property
    def validation_f1(self) -> float:
        """What runs are chosen by: that of the mode that users get."""
        return metrics_in(self.result["metrics"]["validation"], UNKNOWN)["f1"]


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


@dataclass
class Group:
    """Runs of a folder that differ in nothing but the seed.

    Args:
        runs: At least one.
        words: Entity markers, structure, and what is seen; no other group of the folder reads the same.
        name: The settings file that `train.compare` trained them from, if that is true of no other group.
    """

    runs: Sequence[Run]
    words: tuple[str, str, str]
    name: str | None

    @property
    def folder(self) -> str:
        """The folder of the result files."""
        return self.runs[0].name.split("/")[0]

    @property
    def protocol(self) -> str:
        """Theirs."""
        return self.runs[0].result["protocol"]

    @property
    def trained(self) -> bool:
        """Whether they trained the models that they score."""
        return self.runs[0].trained

    @property
    def validation_f1(self) -> float:
        """The mean."""
        return statistics.mean(run.validation_f1 for run in self.runs)


def group_runs(runs: Sequence[Run]) -> list[Group]:
    """Groups of each folder; those of the protocol clean first, and of these those best on validation."""
    folders: dict[str, list[Run]] = {}
    for run in runs:
        folders.setdefault(run.name.split("/")[0], []).append(run)
    groups = [group for of_folder in folders.values() for group in _groups_of(of_folder)]
    return sorted(groups, key=lambda group: (group.protocol != CLEAN, -group.validation_f1))


def _groups_of(runs: list[Run]) -> list[Group]:
    """Of the runs of one folder."""
    together = [[runs[place] for place in places] for places in group_results([run.result for run in runs])]
    results = [[run.result for run in of_group] for of_group in together]
    names = [name_of(of_group) for of_group in results]
    known = [name if names.count(name) == 1 else None for name in names]
    return [Group(*parts) for parts in zip(together, variants_apart(results), known, strict=True)]
