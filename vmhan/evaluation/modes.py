"""The two modes in which a split is scored, and the scores and answers of each.

- Direction unknown, the main one: what users get. Each pair is tried both ways round, and a directed relation that is
  found the wrong way round is wrong (`vmhan.evaluation.metrics.ModeLogits.choose_direction`).
- Direction given: head and tail stand as the annotators wrote them, which tells much. All printed results know it, so
  only this mode may be compared with them.

Where tails are objects of the image there is but one way round, and one mode: it is the main one.
"""

from dataclasses import replace

import numpy as np

from vmhan.configuration_vmhan import DIRECTION_UNKNOWN
from vmhan.evaluation.metrics import WRONG_DIRECTION, per_relation_metrics, relation_metrics
from vmhan.evaluation.predictions import RunPredictions, SplitPredictions

UNKNOWN, GIVEN = "unknown", "given"
MODES = (UNKNOWN, GIVEN)
#: Of a result file's `metrics[split]`: where the scores of the main mode lie, beside those with the direction given.
UNKNOWN_SCORES = DIRECTION_UNKNOWN
_OF_UNKNOWN = ("direction_unknown", "unknown_top", "unknown_scores", "unknown_uncalibrated")


def metrics_in(metrics: dict, mode: str) -> dict | None:
    """The scores of a split in a mode; None with the direction given where that is the only way round."""
    unknown = metrics.get(UNKNOWN_SCORES)
    if mode == GIVEN:
        return metrics if unknown else None
    return unknown or metrics


def has_modes(rows: SplitPredictions) -> bool:
    """Whether pairs could stand either way round."""
    return rows.direction_unknown is not None


def rows_in(rows: SplitPredictions, mode: str) -> SplitPredictions:
    """The rows as they were answered in a mode; those with but one way round are the same in both.

    With the direction unknown, `top` may hold the number of labels, and `scores` is None where an old file lacks it.
    """
    alone = replace(rows, **dict.fromkeys(_OF_UNKNOWN))
    if mode == GIVEN or not has_modes(rows):
        return alone
    top = rows.direction_unknown[:, None] if rows.unknown_top is None else rows.unknown_top
    return replace(alone, top=top, scores=rows.unknown_scores, uncalibrated=rows.unknown_uncalibrated)


def score_rows(predictions: RunPredictions, split: str, mode: str, kept: np.ndarray | slice = slice(None)) -> dict:
    """Scores, and under `per_relation` those of each relation, of the `kept` rows of a split in a mode."""
    rows = rows_in(predictions.splits[split], mode)
    scored = rows.predicted[kept], rows.gold[kept], [*predictions.label_names, WRONG_DIRECTION]
    return {
        **relation_metrics(*scored, predictions.no_relation),
        "per_relation": per_relation_metrics(*scored, predictions.no_relation),
    }
