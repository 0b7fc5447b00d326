"""The two modes in which a split is scored, and the scores and predictions of each.

- Direction unknown, the main one: what users get. Each pair is scored both ways round, and a directed relation
  predicted the wrong way round is wrong (`vmhan.evaluation.mode_logits.ModeLogits.choose_direction`).
- Direction given: head and tail in the order of the annotation, which tells much. All printed results know it, so only
  this mode may be compared with them.

Where tails are objects of the image there is but one way round, and one mode: it is the main one.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

import numpy as np

from vmhan.configuration_vmhan import DIRECTION_UNKNOWN
from vmhan.evaluation.metrics import WRONG_DIRECTION, per_relation_metrics, relation_metrics
from vmhan.evaluation.predictions import RunPredictions, SplitPredictions
from vmhan.evaluation.result_file import Result, Scores

UNKNOWN, GIVEN = "unknown", "given"
MODES = (UNKNOWN, GIVEN)
#: The key of the main mode's scores in a result file's `metrics[split]`, beside those with the direction given.
UNKNOWN_SCORES = DIRECTION_UNKNOWN
_UNKNOWN_FIELDS = ("direction_unknown", "unknown_top", "unknown_scores", "unknown_uncalibrated")


def metrics_in(metrics: Mapping[str, Any], mode: str) -> Scores | None:
    """Reads the scores of a split, as a result file has them, in a mode.

    Returns:
        None where the split was not scored, and with the direction given where there is but one way round.
    """
    unknown = metrics.get(UNKNOWN_SCORES)
    of_mode = (metrics if unknown else None) if mode == GIVEN else unknown or metrics
    return cast(Scores, of_mode) if of_mode else None


def split_scores(result: Result, split: str, mode: str = UNKNOWN) -> Scores | None:
    """Reads the scores of a split of a result file in a mode; None as of `metrics_in`."""
    return metrics_in(result["metrics"].get(split, {}), mode)


def has_modes(rows: SplitPredictions) -> bool:
    """Tests whether pairs have two ways round."""
    return rows.direction_unknown is not None


def rows_in(rows: SplitPredictions, mode: str) -> SplitPredictions:
    """Selects the predictions of a mode; those of pairs with one way round are the same in both.

    With the direction unknown, `top` may hold the number of labels, and `scores` is None where an old file lacks it.
    """
    alone = replace(rows, **dict.fromkeys(_UNKNOWN_FIELDS))
    if mode == GIVEN or rows.direction_unknown is None:
        return alone
    top = rows.direction_unknown[:, None] if rows.unknown_top is None else rows.unknown_top
    return replace(alone, top=top, scores=rows.unknown_scores, uncalibrated=rows.unknown_uncalibrated)


def score_rows(
    predictions: RunPredictions, split: str, mode: str, kept: np.ndarray | slice = slice(None)
) -> dict[str, Any]:
    """Computes the scores of the `kept` rows of a split in a mode, with those of each relation as `per_relation`."""
    rows = rows_in(predictions.splits[split], mode)
    scored = rows.predicted[kept], rows.gold[kept], [*predictions.label_names, WRONG_DIRECTION]
    return {
        **relation_metrics(*scored, predictions.no_relation),
        "per_relation": per_relation_metrics(*scored, predictions.no_relation),
    }
