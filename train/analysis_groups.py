"""What `train.analysis` says of groups of runs: scores, slices, calibration, cost, and differences between groups."""

import statistics
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from train.analysis_tables import has_own_table
from train.bootstrap import SAMPLES, f1_interval, paired_difference
from train.calibration import expected_calibration_error, reliability
from train.finished_runs import Group, Run
from train.metrics import relation_metrics
from train.predictions import RunPredictions, SplitPredictions
from train.slices import Family, pairs_of_sentence
from train.variants import CLEAN, recipe, sight

METRICS = ("f1", "precision", "recall", "accuracy", "macro_f1", "none_accuracy")


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
    scores = [run.result["metrics"][settings.split] for run in group.runs]
    rows = [run.predictions.splits[settings.split] for run in group.runs if run.predictions]
    seconds = [run.result["wall_time_seconds"] for run in group.runs if run.trained]
    return {
        **name_group(group),
        "protocol": group.protocol,
        "sees": sight(group.runs[0].result),
        "recipe": recipe(group.runs[0].result),
        "runs": [run.name for run in group.runs],
        "trained": group.trained,
        "parameters": group.runs[0].result.get("parameters"),
        "wall_time_seconds": statistics.mean(seconds) if seconds else None,
        "teachers": len(_teachers(group.runs[0])),
        "teachers_wall_time_seconds": teachers_seconds(group.runs[0], runs) if group.trained else None,
        "validation_f1": group.validation_f1,
        "metrics": {name: statistics.mean(score[name] for score in scores) for name in METRICS},
        "runs_with_predictions": len(rows),
        **(_of_predictions(rows, group.runs, slices, settings) if rows else {}),
    }


def name_group(group: Group) -> dict:
    """What labels are made of."""
    return {"folder": group.folder, "variant": group.words, "name": group.name}


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


def _of_predictions(rows: list[SplitPredictions], runs: list[Run], slices: dict[str, Family], settings: Settings):
    labels = next(run.predictions for run in runs if run.predictions)
    families = {"pairs of the sentence": pairs_of_sentence(rows[0]), **slices}
    errors = [expected_calibration_error(reliability(of.confidence, of.predicted == of.gold)) for of in rows]
    everything = np.ones(len(rows[0].gold), dtype=bool)
    return {
        "all": _score_slice(rows, everything, labels, settings),
        "slices": {
            family: {name: _score_slice(rows, mask, labels, settings) for name, mask in parts.items()}
            for family, parts in families.items()
        },
        "expected_calibration_error": statistics.mean(errors),
    }


def _score_slice(rows: list[SplitPredictions], mask: np.ndarray, labels: RunPredictions, settings: Settings) -> dict:
    """Mean scores over seeds, and the interval of F1; no F1 where no row holds a relation."""
    label_names, no_relation, none_id = labels.label_names, labels.no_relation, labels.none_id
    gold = rows[0].gold[mask]
    related = int((gold != none_id).sum())
    scores = [relation_metrics(of.predicted[mask], of.gold[mask], label_names, no_relation) for of in rows]
    accuracy = statistics.mean(score["accuracy"] for score in scores) if len(gold) else None
    f1 = f1_interval(rows, none_id, mask, settings.samples, settings.seed) if related else (None, None, None)
    return {
        "rows": len(gold),
        "related": related,
        "accuracy": accuracy,
        **dict(zip(("f1", "low", "high"), f1, strict=True)),
    }


def compare_groups(groups: list[Group], settings: Settings) -> list[dict]:
    """Of every folder, each trained and clean group with predictions beside the one best on validation.

    Left out are folders that have a table of their own, where each run stands beside the one that it belongs to.
    """
    compared, best = [], {}
    for group in groups:
        rows = [run.predictions.splits[settings.split] for run in group.runs if run.predictions and run.trained]
        if not rows or group.protocol != CLEAN or has_own_table(group.folder):
            continue
        if group.folder not in best:
            best[group.folder] = group, rows
            continue
        none_id = next(run.predictions.none_id for run in group.runs if run.predictions)
        reference, theirs = best[group.folder]
        difference = paired_difference(rows, theirs, none_id, settings.samples, settings.seed)
        of_both = {"protocol": group.protocol, "best_on_validation": reference.words}
        compared.append({**name_group(group), **of_both, **difference._asdict()})
    return compared
