"""Analyzes single runs: relations, confusion, calibration, and the same weights with less of the image."""

from functools import partial
from pathlib import Path

import numpy as np

from train.report.analysis_groups import (
    METRICS,
    Settings,
    compare_runs,
    given_too,
    name_group,
    run_metrics,
    validation_f1,
)
from train.report.group_labels import OTHER_WAY_ROUND, full_label
from vmhan.evaluation.bootstrap import f1_interval
from vmhan.evaluation.calibration import calibration_of
from vmhan.evaluation.modes import GIVEN, UNKNOWN, rows_in, score_rows
from vmhan.evaluation.run_grouping import VISUAL_SETTING_LABELS, visual_input_label
from vmhan.evaluation.runs import Group, Run


def analyze_run(run: Run, split: str, groups: list[Group]) -> dict:
    """Analyzes one run in each mode: relations, confusion and calibration."""
    return {
        "name": run.name,
        "label": describe_run(run, groups),
        **_analyze_mode(run, split, UNKNOWN),
        **given_too(partial(_analyze_mode, run, split, GIVEN), [run]),
    }


def _analyze_mode(run: Run, split: str, mode: str) -> dict:
    predictions = run.predictions
    rows, scored = rows_in(predictions.splits[split], mode), score_rows(predictions, split, mode)
    names = predictions.label_names + [OTHER_WAY_ROUND] * (mode == UNKNOWN and run.has_modes)
    confusion = np.zeros((len(names), len(names)), dtype=int)
    np.add.at(confusion, (rows.gold, rows.predicted), 1)
    has_ranking = rows.top.shape[1] > 1
    return {
        "metrics": {name: value for name, value in scored.items() if name != "per_relation"},
        "gold_in_top": float((rows.top == rows.gold[:, None]).any(axis=1).mean()) if has_ranking else None,
        "per_relation": scored["per_relation"],
        "confusion": {"labels": names, "counts": confusion.tolist()},
        "calibration": calibration_of(rows, predictions.none_id),
    }


def describe_run(run: Run, groups: list[Group]) -> str:
    """Names the model of a run: the folder of its weights, if they were evaluated there, its group and its seed."""
    own_group = next(group for group in groups if any(other is run for other in group.runs))
    saved = [
        Path(other.result["config"]["training"]["checkpoint"]).name
        for group in groups
        for other in group.runs
        if not other.trained and other.predictions and other.predictions.weights == run.predictions.weights
    ]
    folder = f"{saved[0]}\n" if len(set(saved)) == 1 else ""
    return f"{folder}{full_label(name_group(own_group))}, seed {run.result['seed']}"


def visual_steps(run: Run, runs: list[Run], settings: Settings) -> list[dict]:
    """Scores the same weights with the full visual input and with less, and their differences to `run`."""
    return [
        {
            "run": other.name,
            "sees": visual_input_label(other.result),
            **_score_step(other, run, UNKNOWN, settings),
            **given_too(partial(_score_step, other, run, GIVEN, settings), [other]),
        }
        for other in sorted(runs, key=lambda other: (other is not run, _rank_of_visual_input(other)))
        if _same_weights(run, other)
    ]


def _score_step(run: Run, first: Run, mode: str, settings: Settings) -> dict:
    metrics, rows = run_metrics(run, settings.split, mode), rows_in(run.predictions.splits[settings.split], mode)
    _, low, high = f1_interval([rows], run.predictions.none_id, samples=settings.samples, seed=settings.seed)
    return {
        "validation_f1": validation_f1(run, mode),
        "metrics": {name: metrics[name] for name in METRICS},
        "low": low,
        "high": high,
        "difference": None if run is first else compare_runs([run], [first], mode, settings),
    }


def _same_weights(run: Run, other: Run) -> bool:
    """Compares weights and protocol: inputs that leak the label do not measure what an image is worth."""
    same_protocol = other.result["protocol"] == run.result["protocol"]
    return same_protocol and bool(other.predictions) and other.predictions.weights == run.predictions.weights


def _rank_of_visual_input(run: Run) -> tuple[bool, int]:
    """Ranks less visual input later, and that of other images last."""
    return run.result["control"] != "none", list(VISUAL_SETTING_LABELS).index(run.result["visual_setting"])
