"""Builds the tables of what models are worth to their users, the old bundled one beside new ones.

Everything comes from result files: scores and confidences of MNRE's test split from a run's predictions, scores of
held-out documents from its result file, `metrics.test.corpora`, as `partial_label_metrics` returns them, and plain
sentences from the file that was written for the same weights.
"""

from collections.abc import Sequence

import numpy as np

from train.report.analysis_groups import name_group
from train.report.group_labels import full_label
from vmhan.evaluation.calibration import calibration_of
from vmhan.evaluation.modes import GIVEN, MODES, UNKNOWN, metrics_in, rows_in, score_rows
from vmhan.evaluation.partial_labels import TOGETHER
from vmhan.evaluation.plain_sentences import DEVELOPMENT, ONCE
from vmhan.evaluation.run_grouping import CLEAN
from vmhan.evaluation.runs import Group, Run, group_runs
from vmhan.evaluation.tables import GIVEN_SUFFIX, markdown_table, spread
from vmhan.evaluation.uncertainty import auroc

#: Folders of the models' runs.
MODEL_FOLDERS = ("mnre-mini", "mnre-base")
#: Visual settings of the lines.
SETTINGS = ("described", "text_only")
_METRICS = {"f1": "F1", "macro_f1": "macro F1"}
#: Columns of the confidence that is shown with the direction unknown.
_CONFIDENCE = ("calibration error of relations", "AUROC", "AUROC of relations")
_SUFFIX = {UNKNOWN: "", GIVEN: GIVEN_SUFFIX}


def model_tables(runs: list[Run], plain: Sequence[dict]) -> dict[str, str]:
    """Builds the tables by name: `models-mnre`, and `held-out-mnre` if a run was scored on held-out documents.

    Args:
        runs: Of `MODEL_FOLDERS`.
        plain: Results of `train.plain_sentences`.
    """
    groups = [group for group in group_runs(runs) if _is_shown(group)]
    tables = {"models-mnre": models_table(groups, plain)}
    if scored := [group for group in groups if all(map(_held_out_scores, group.runs))]:
        tables["held-out-mnre"] = held_out_table(scored)
    return tables


def _is_shown(group: Group) -> bool:
    """Whether inputs are clean and as users have them, with a description or without, and predictions are there."""
    result = group.runs[0].result
    as_used = result["visual_setting"] in SETTINGS and result["control"] == "none"
    return as_used and group.protocol == CLEAN and all(run.predictions for run in group.runs)


def models_table(groups: Sequence[Group], plain: Sequence[dict]) -> str:
    """Builds a line for each group of runs, mean and deviation over its seeds: the numbers that users meet."""
    scores = [(mode, metric) for mode in MODES for metric in _METRICS]
    columns = [*(f"{_METRICS[metric]}{_SUFFIX[mode]}" for mode, metric in scores), *_CONFIDENCE]
    head = ["runs", "seeds", *columns, "held-out F1", *(f"plain sentences, {half}" for half in (DEVELOPMENT, ONCE))]
    lines = [head, ["---"] * len(head)]
    for group in groups:
        measured = [
            *(spread(_scores_of(group, *score)) for score in scores),
            *_confidence_cells(group),
            spread(_held_out(group, TOGETHER, UNKNOWN)),
            *(_plain_cell(group, plain, half) for half in (DEVELOPMENT, ONCE)),
        ]
        lines.append([full_label(name_group(group)), str(len(group.runs)), *measured])
    return markdown_table(lines)


def _scores_of(group: Group, mode: str, metric: str) -> list[float]:
    return [score_rows(run.predictions, "test", mode)[metric] for run in group.runs]


def _confidence_cells(group: Group) -> list[str]:
    """Formats how well confidences with the direction unknown are calibrated, and how well they rank answers."""
    found = []
    for run in group.runs:
        rows, none_id = rows_in(run.predictions.splits["test"], UNKNOWN), run.predictions.none_id
        if (calibration := calibration_of(rows, none_id)) is None:
            return [""] * len(_CONFIDENCE)
        right, named = rows.predicted == rows.gold, rows.predicted != none_id
        areas = [auroc(rows.confidence[kept], right[kept]) for kept in (np.ones_like(named), named)]
        found.append([calibration["calibrated"]["relations"]["expected_error"], *areas])
    return [spread([value for value in values if value is not None]) for values in zip(*found, strict=True)]


def _plain_cell(group: Group, plain: Sequence[dict], half: str) -> str:
    """Formats the mean of right answers to a half of the plain sentences, in the default style."""
    weights = {run.predictions.weights for run in group.runs} if group.trained else set()
    of_group = [result for result in plain if result["weights"] in weights and half in result]
    counts = [result[half]["all"] for result in of_group if not result.get("chosen_style")]
    if not counts:
        return ""
    seeds = "" if len(counts) == len(group.runs) else f" ({len(counts)} of the seeds)"
    return f"{np.mean([count['right'] for count in counts]):.1f} of {counts[0]['sentences']}{seeds}"


def held_out_table(scored: Sequence[Group]) -> str:
    """Builds a line for each corpus and one for all of them: micro F1 on held-out documents, in both modes."""
    head = ["corpus", "pairs", "related"]
    head += [f"F1{_SUFFIX[mode]}, of {full_label(name_group(group))}" for mode in MODES for group in scored]
    lines = [head, ["---"] * len(head)]
    for name, counts in _held_out_scores(scored[0].runs[0]).items():
        cells = [spread(_held_out(group, name, mode)) for mode in MODES for group in scored]
        title = "all of them" if name == TOGETHER else name
        lines.append([title, f"{counts['rows']:,}", f"{counts['related']:,}", *cells])
    return markdown_table(lines)


def _held_out(group: Group, corpus: str, mode: str) -> list[float]:
    """Reads F1 on the held-out documents of a corpus, or of all `TOGETHER`, of each run that was scored on them."""
    of_runs = [_held_out_scores(run).get(corpus) for run in group.runs]
    return [metrics_in(scores, mode)["f1"] for scores in of_runs if scores]


def _held_out_scores(run: Run) -> dict[str, dict]:
    """Reads the scores of a run on held-out documents by corpus, all together last; empty where it has none."""
    return run.result["metrics"]["test"].get("corpora", {})
