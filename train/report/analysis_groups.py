"""Analyzes groups of runs: scores, slices, calibration, cost, and differences between groups.

Numbers are with the direction of pairs unknown; those of the other mode, if there is one,
have the key `direction_given`.
"""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from train.report.group_labels import DIRECTION_GIVEN, has_own_table
from vmhan.evaluation.bootstrap import SAMPLES, f1_interval, paired_difference
from vmhan.evaluation.calibration import calibration_of
from vmhan.evaluation.modes import GIVEN, UNKNOWN, metrics_in, rows_in, score_rows
from vmhan.evaluation.predictions import RunPredictions, SplitPredictions
from vmhan.evaluation.run_grouping import CLEAN, visual_input_label
from vmhan.evaluation.run_settings import recipe
from vmhan.evaluation.runs import Group, Run
from vmhan.evaluation.slices import Family, pairs_of_sentence

METRICS = ("f1", "precision", "recall", "accuracy", "macro_f1", "none_accuracy")
CONFIDENCE = ("rows", "confidence", "accuracy", "expected_error")


@dataclass
class Settings:
    """Settings of an analysis: the split, and the draws of the bootstrap."""

    split: str = "test"
    samples: int = SAMPLES
    seed: int = 0


def analyze_group(group: Group, runs: list[Run], slices: dict[str, Family], settings: Settings) -> dict:
    """Analyzes the runs that differ in nothing but the seed.

    Args:
        group: These runs.
        runs: All runs, among them their teachers.
        slices: Rows by family and name.
        settings: Split and bootstrap.
    """
    seconds = [run.result["wall_time_seconds"] for run in group.runs if run.trained]
    return {
        **name_group(group),
        "protocol": group.protocol,
        "sees": visual_input_label(group.runs[0].result),
        "recipe": recipe(group.runs[0].result),
        "runs": [run.name for run in group.runs],
        "trained": group.trained,
        "parameters": group.runs[0].result.get("parameters"),
        "wall_time_seconds": statistics.mean(seconds) if seconds else None,
        "teachers": len(_teachers(group.runs[0])),
        "teachers_wall_time_seconds": teachers_seconds(group.runs[0], runs) if group.trained else None,
        "runs_with_predictions": sum(run.predictions is not None for run in group.runs),
        **score_group(group, UNKNOWN, slices, settings),
        **given_too(partial(score_group, group, GIVEN, slices, settings), group.runs),
    }


def given_too(analyze: Callable[[], dict], runs: Sequence[Run]) -> dict:
    """Adds the mode direction given under its key; nothing for runs without that mode."""
    return {DIRECTION_GIVEN: analyze()} if all(run.has_modes for run in runs) else {}


def score_group(group: Group, mode: str, slices: dict[str, Family], settings: Settings) -> dict:
    """Computes scores, slices and calibration of the runs in a mode."""
    validation = [validation_f1(run, mode) for run in group.runs]
    metrics = [run_metrics(run, settings.split, mode) for run in group.runs]
    predictions = [run.predictions for run in group.runs if run.predictions]
    return {
        "validation_f1": statistics.mean(validation),
        "metrics": {name: statistics.mean(of_run[name] for of_run in metrics) for name in METRICS},
        **(_score_predictions(predictions, mode, slices, settings) if predictions else {}),
    }


def validation_f1(run: Run, mode: str) -> float:
    """Reads F1 on validation in a mode."""
    return metrics_in(run.result["metrics"]["validation"], mode)["f1"]


def run_metrics(run: Run, split: str, mode: str) -> dict[str, float]:
    """Scores the predictions of a run or, without predictions, reads its result file.

    Old result files count a wrong direction as a relation in `macro_f1`.
    """
    if run.predictions:
        return score_rows(run.predictions, split, mode)
    return metrics_in(run.result["metrics"][split], mode)


def name_group(group: Group) -> dict:
    """Returns the fields from which labels are built."""
    return {"folder": group.folder, "variant": group.variant, "name": group.name}


def _teachers(run: Run) -> list[str]:
    return run.result["config"]["training"].get("teachers") or []


def teachers_seconds(run: Run, runs: list[Run]) -> float | None:
    """Sums the training time of a run's teachers; None without any, or if one of them has no result file.

    A teacher lies in the output folder of its run, its results in the same folder as those of its student.
    """
    folder, by_output = run.name.split("/")[0], {}
    for other in runs:
        if other.trained and other.name.split("/")[0] == folder:
            by_output.setdefault(other.result["config"]["training"]["output_dir"], []).append(other)
    taught_by = [by_output.get(str(Path(teacher).parent), []) for teacher in _teachers(run)]
    if not taught_by or any(len(found) != 1 for found in taught_by):
        return None
    return sum(found[0].result["wall_time_seconds"] for found in taught_by)


def _score_predictions(
    predictions: list[RunPredictions], mode: str, slices: dict[str, Family], settings: Settings
) -> dict:
    rows = [rows_in(of_run.splits[settings.split], mode) for of_run in predictions]
    none_id = predictions[0].none_id
    families = {"pairs of the sentence": pairs_of_sentence(rows[0]), **slices}
    all_rows = np.ones(len(rows[0].gold), dtype=bool)
    return {
        "all": _score_slice(rows, all_rows, none_id, settings),
        "slices": {
            family: {name: _score_slice(rows, mask, none_id, settings) for name, mask in parts.items()}
            for family, parts in families.items()
        },
        "calibration": _mean_calibration([calibration_of(of_run, none_id) for of_run in rows]),
    }


def _mean_calibration(of_runs: list[dict | None]) -> dict | None:
    """Averages calibrations over the seeds, without the bins; None if one is missing."""
    if None in of_runs:
        return None
    return {
        when: {kind: _means([of_run[when][kind] for of_run in of_runs]) for kind in kinds}
        for when, kinds in of_runs[0].items()
        if all(when in of_run for of_run in of_runs)
    }


def _means(described: list[dict]) -> dict[str, float | None]:
    """Averages each number over those that have it."""
    numbers = {name: [of_run[name] for of_run in described if of_run[name] is not None] for name in CONFIDENCE}
    return {name: statistics.mean(values) if values else None for name, values in numbers.items()}


def _score_slice(rows: list[SplitPredictions], mask: np.ndarray, none_id: int, settings: Settings) -> dict:
    """Averages scores over seeds, with the interval of F1; no F1 if no row holds a relation."""
    gold = rows[0].gold[mask]
    related = int((gold != none_id).sum())
    accuracy = [float((of.predicted == of.gold)[mask].mean()) for of in rows] if len(gold) else []
    f1 = f1_interval(rows, none_id, mask, settings.samples, settings.seed) if related else (None, None, None)
    return {
        "rows": len(gold),
        "related": related,
        "accuracy": statistics.mean(accuracy) if accuracy else None,
        **dict(zip(("f1", "low", "high"), f1, strict=True)),
    }


def compare_groups(groups: list[Group], settings: Settings) -> list[dict]:
    """Compares the trained and clean groups of every folder with its best on validation.

    Folders with a table of their own are left out: it compares each run with the one that it belongs to.
    """
    compared, best = [], {}
    for group in groups:
        runs = [run for run in group.runs if run.predictions and run.trained]
        if not runs or group.protocol != CLEAN or has_own_table(group.folder):
            continue
        if group.folder not in best:
            best[group.folder] = group, runs
            continue
        reference, theirs = best[group.folder]
        compared.append(
            {
                **name_group(group),
                "protocol": group.protocol,
                "best_on_validation": reference.variant,
                **compare_runs(runs, theirs, UNKNOWN, settings),
                **given_too(partial(compare_runs, runs, theirs, GIVEN, settings), [*runs, *theirs]),
            }
        )
    return compared


def compare_runs(ours: Sequence[Run], theirs: Sequence[Run], mode: str, settings: Settings) -> dict:
    """Computes the difference in F1 between runs and others in a mode."""
    rows = [[rows_in(run.predictions.splits[settings.split], mode) for run in runs] for runs in (ours, theirs)]
    return paired_difference(*rows, ours[0].predictions.none_id, settings.samples, settings.seed)._asdict()
