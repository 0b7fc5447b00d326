"""Result files with the predictions beside them, and which of them belong together."""

import statistics
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from vmhan.evaluation.modes import GIVEN, split_scores
from vmhan.evaluation.predictions import RunPredictions, predictions_path, read_predictions
from vmhan.evaluation.result_file import Result, read_result
from vmhan.evaluation.run_grouping import CLEAN, Variant, group_name, variants_apart
from vmhan.evaluation.run_settings import settings_key


@dataclass
class Run:
    """A result file and, if they are there, its predictions.

    Args:
        name: Folder and file name without its ending.
        result: The result file.
        predictions: Those beside it.
    """

    name: str
    result: Result
    predictions: RunPredictions | None

    @property
    def folder(self) -> str:
        """The folder of the result file."""
        return self.name.split("/")[0]

    @property
    def trained(self) -> bool:
        """Whether the run trained the model that it scores."""
        return not self.result["config"]["training"].get("checkpoint")

    @property
    def has_modes(self) -> bool:
        """Whether its pairs have two ways round, so that it is scored in two modes."""
        return split_scores(self.result, "validation", GIVEN) is not None

    @property
    def validation_f1(self) -> float:
        """F1 on validation in the main mode, by which runs are chosen.

        Raises:
            ValueError: The run was not scored on validation.
        """
        scores = split_scores(self.result, "validation")
        if scores is None:
            raise ValueError(f"{self.name} has no scores on validation.")
        return scores["f1"]


def read_runs(folders: Sequence[Path], split: str) -> list[Run]:
    """Reads the runs of folders that were scored on a split, with their predictions."""
    paths = [path for folder in folders for path in sorted(folder.glob("*.json"))]
    runs = []
    for path in paths:
        result, rows = read_result(path), predictions_path(path)
        if split in result.get("metrics", {}):
            predictions = read_predictions(rows) if rows.is_file() else None
            runs.append(Run(f"{path.parent.name}/{path.stem}", result, predictions))
    return runs


@dataclass
class Group:
    """Runs of a folder that differ in nothing but the seed.

    Args:
        runs: At least one.
        variant: The label that no other group of the folder has.
        name: The settings file that `train.compare` trained them from, if no other group has the same.
    """

    runs: Sequence[Run]
    variant: Variant
    name: str | None

    @property
    def folder(self) -> str:
        """The folder of the result files."""
        return self.runs[0].folder

    @property
    def protocol(self) -> str:
        """The protocol of its runs."""
        return self.runs[0].result["protocol"]

    @property
    def trained(self) -> bool:
        """Whether the runs trained the models that they score."""
        return self.runs[0].trained

    @property
    def validation_f1(self) -> float:
        """The mean over its runs."""
        return statistics.mean(run.validation_f1 for run in self.runs)


def group_runs(runs: Sequence[Run]) -> list[Group]:
    """Groups the runs of each folder; groups of the protocol clean come first, of these the best on validation."""
    folders = defaultdict(list)
    for run in runs:
        folders[run.folder].append(run)
    groups = [group for of_folder in folders.values() for group in _groups_of(of_folder)]
    return sorted(groups, key=lambda group: (group.protocol != CLEAN, -group.validation_f1))


def _groups_of(runs: Sequence[Run]) -> list[Group]:
    """The groups of the runs of one folder."""
    by_settings = defaultdict(list)
    for run in runs:
        by_settings[settings_key(run.result)].append(run)
    together = list(by_settings.values())
    results = [[run.result for run in group] for group in together]
    names = [group_name(group) for group in results]
    unique = [name if names.count(name) == 1 else None for name in names]
    return [Group(*parts) for parts in zip(together, variants_apart(results), unique, strict=True)]
