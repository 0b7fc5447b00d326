"""What the analysis says of groups of runs: scores, slices, calibration, cost, and differences between groups.

All of it is of the mode that users get, in which the direction of pairs is unknown; what is said of the other stands
under `direction_given`, where there is one.
"""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from train.report.analysis_tables import DIRECTION_GIVEN, has_own_table
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
    """How to analyse: the split, and the draws of the bootstrap."""

    split: str = "test"
    samples: int = SAMPLES
    seed: int = 0


def analyse_group(group: Group, runs: list[Run], slices: dict[str, Family], settings: Settings) -> dict:
    """What is said of the runs that differ in nothing but the seed.

    Args:
        group: These.
        runs: All, among which their teachers may be.
        slices: Rows by family and name.
        settings: How to analyse.
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


def given_too(analysed: Callable[[], dict], runs: Sequence[Run]) -> dict:
    """What is said with the direction given, under its name; nothing of runs that have no such mode."""
    return {DIRECTION_GIVEN: analysed()} if all(run.has_modes for run in runs) else {}


def score_group(group: Group, mode: str, slices: dict[str, Family], settings: Settings) -> dict:
    """Scores, slices and calibration of the runs in a mode."""
    validation = [validation_f1(run, mode) for run in group.runs]
    metrics = [run_metrics(run, settings.split, mode) for run in group.runs]
    known = [run.predictions for run in group.runs if run.predictions]
    return {
        "validation_f1": statistics.mean(validation),
        "metrics": {name: statistics.mean(of_run[name] for of_run in metrics) for name in METRICS},
        **(_of_predictions(known, mode, slices, settings) if known else {}),
    }


def validation_f1(run: Run, mode: str) -> float:
    """F1 on validation in a mode."""
    return metrics_in(run.result["metrics"]["validation"], mode)["f1"]


def run_metrics(run: Run, split: str, mode: str) -> dict[str, float]:
    """The scores of a run: of what it predicted for each row or, where that is not at hand, as its result file says.

    Old result files count a wrong direction as a relation in `macro_f1`.
    """
    if run.predictions:
        return score_rows(run.predictions, split, mode)
    return metrics_in(run.result["metrics"][split], mode)


def name_group(group: Group) -> dict:
    """What labels are made of."""
    return {"folder": group.folder, "variant": group.variant, "name": group.name}


def _teachers(run: Run) -> list[str]:
    return run.result["config"]["training"].get("teachers") or []


def teachers_seconds(run: Run, runs: list[Run]) -> float | None:
    """How long the teachers of a run took to train, in sum; None without any, or if one of them has no result file.

    A teacher lies in the output folder of its run, the results in the same folder as those of its pupil.
    """
    folder, known = run.name.split("/")[0], {}
    for other in runs:
        if other.trained and other.name.split("/")[0] == folder:
            known.setdefault(other.result["config"]["training"]["output_dir"], []).append(other)
    taught_by = [known.get(str(Path(teacher).parent), []) for teacher in _teachers(run)]
    if not taught_by or any(len(found) != 1 for found in taught_by):
        return None
    return sum(found[0].result["wall_time_seconds"] for found in taught_by)


def _of_predictions(known: list[RunPredictions], mode: str, slices: dict[str, Family], settings: Settings) -> dict:
    rows, none_id = [rows_in(of_run.splits[settings.split], mode) for of_run in known], known[0].none_id
    families = {"pairs of the sentence": pairs_of_sentence(rows[0]), **slices}
    everything = np.ones(len(rows[0].gold), dtype=bool)
    return {
        "all": _score_slice(rows, everything, none_id, settings),
        "slices": {
            family: {name: _score_slice(rows, mask, none_id, settings) for name, mask in parts.items()}
            for family, parts in families.items()
        },
        "calibration": _mean_calibration([calibration_of(of_run, none_id) for of_run in rows]),
    }


def _mean_calibration(of_runs: list[dict | None]) -> dict | None:
    """The means over the seeds, without the bins; None where the scores of one are not at hand."""
    if None in of_runs:
        return None
    return {
        when: {kind: _means([of_run[when][kind] for of_run in of_runs]) for kind in kinds}
        for when, kinds in of_runs[0].items()
        if all(when in of_run for of_run in of_runs)
    }


def _means(described: list[dict]) -> dict[str, float | None]:
    """Each number's mean over those that have it."""
    known = {name: [of_run[name] for of_run in described if of_run[name] is not None] for name in CONFIDENCE}
    return {name: statistics.mean(values) if values else None for name, values in known.items()}


def _score_slice(rows: list[SplitPredictions], mask: np.ndarray, none_id: int, settings: Settings) -> dict:
    """Mean scores over seeds, and the interval of F1; no F1 where no row holds a relation."""
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
    """Of every folder, each trained and clean group with predictions beside the one best on validation.

    Left out are folders that have a table of their own, where each run stands beside the one that it belongs to.
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
    """F1 of runs less that of others in a mode."""
    rows = [[rows_in(run.predictions.splits[settings.split], mode) for run in runs] for runs in (ours, theirs)]
    return paired_difference(*rows, ours[0].predictions.none_id, settings.samples, settings.seed)._asdict()
