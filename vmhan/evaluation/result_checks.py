"""Checks of result files: against themselves, and against the predictions beside them.

Their figures are exact, with the direction given and with it unknown: hits are whole numbers, for every relation and
in sum, and the predictions score what the result file says.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from vmhan.evaluation.metrics import WRONG_DIRECTION, relation_metrics
from vmhan.evaluation.modes import UNKNOWN_SCORES
from vmhan.evaluation.paper_tables import ReportedRow
from vmhan.evaluation.predictions import RunPredictions, SplitPredictions, predictions_path, read_predictions
from vmhan.evaluation.reported_rows import faults
from vmhan.evaluation.result_file import Result, read_result

_EXACT = 1e-6  # of a count of rows
_UNROUNDED = 1e-9  # of a score


def own_faults(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """Yields the name of each result file below a folder, with what is impossible or differs from its predictions."""
    for path in sorted(folder.glob("*/*.json")):
        result = read_result(path)
        if "metrics" not in result:
            continue
        found = [f"{split}: {fault}" for split in result["metrics"] for fault in result_faults(result, split)]
        if predictions_path(path).is_file():
            found += differences(read_predictions(predictions_path(path)), result)
        yield f"{path.parent.name}/{path.stem}", found


def result_faults(result: Result, split: str) -> list[str]:
    """Finds what cannot be true of the scores of a result file in either mode."""
    given = result["metrics"][split]
    per_relation = given.get("per_relation", {})
    positives, rows = sum(relation["support"] for relation in per_relation.values()), given["rows"]
    found = _score_faults(given, split, positives, rows)
    if unknown := given.get(UNKNOWN_SCORES):
        found += [f"direction unknown: {fault}" for fault in _score_faults(unknown, split, positives, rows)]
    return found


def _score_faults(scores: Mapping[str, Any], split: str, positives: int, rows: int) -> list[str]:
    figures = (round(100 * scores[name], 2) for name in ("accuracy", "precision", "recall", "f1"))
    found = faults(ReportedRow(split, *figures), positives, rows - positives, one_run=True)
    if "per_relation" in scores:  # old files have none with the direction unknown
        hits = [relation["recall"] * relation["support"] for relation in scores["per_relation"].values()]
        if any(abs(count - round(count)) > _EXACT for count in hits):
            found.append("the recall of a relation gives no whole number of hits")
        if abs(sum(hits) - scores["recall"] * positives) > _EXACT:
            found.append(f"the relations have {sum(hits):.2f} hits, recall gives {scores['recall'] * positives:.2f}")
    right = scores["accuracy"] * rows
    if abs(right - round(right)) > _EXACT:
        found.append(f"accuracy gives {right:.2f} right rows of {rows}")
    return found


def differences(predictions: RunPredictions, result: Result) -> Iterator[str]:
    """Yields where predictions do not score what a result file says, or are of other data; nothing if they match."""
    if predictions.data != result["data"]:
        yield f"the data are {predictions.data}, the result's are {result['data']}"
    for name, split in predictions.splits.items():
        stored: Mapping[str, Any] = result["metrics"].get(name, {})
        yield from _score_differences(f"of {name}", _score(split.predicted, split, predictions), stored)
        if split.direction_unknown is not None:
            scores = _score(split.direction_unknown, split, predictions)
            del scores["macro_f1"]  # in which old files count the wrong direction as one relation more
            unknown = stored.get(UNKNOWN_SCORES, {})
            yield from _score_differences(f"of {name}, direction unknown,", scores, unknown)


def _score(predicted: np.ndarray, split: SplitPredictions, of: RunPredictions) -> dict[str, float]:
    return relation_metrics(predicted, split.gold, [*of.label_names, WRONG_DIRECTION], of.no_relation)


def _score_differences(where: str, scores: dict[str, float], stored: Mapping[str, Any]) -> Iterator[str]:
    for metric, value in scores.items():
        known = stored.get(metric)
        if known is None or abs(known - value) > _UNROUNDED:
            yield f"{metric} {where} is {value}, the result says {known}"
