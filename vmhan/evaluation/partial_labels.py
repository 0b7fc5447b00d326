"""Scores on corpora that annotate but some of a model's labels.

Nobody has looked for the other labels there, so a pair that is predicted to have one of them counts as predicted to
have no relation: neither right nor a false alarm, but a miss where the corpus has a relation.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from vmhan.configuration_vmhan import DIRECTION_UNKNOWN
from vmhan.evaluation.metrics import WRONG_DIRECTION, find_none_id, relation_metrics
from vmhan.evaluation.mode_logits import ModeLogits, found_labels

#: The key, in result files, of the scores of the pairs of all corpora, beside those of each.
TOGETHER = "together"


def partial_label_metrics(
    logits: ModeLogits,
    labels: ArrayLike,
    annotated: np.ndarray,
    label_names: Sequence[str],
    no_relation: str,
    symmetric: ArrayLike,
) -> dict:
    """Computes the scores of pairs whose corpora annotate some labels, in both modes.

    Args:
        logits: Of the pairs.
        labels: Gold ids, (pairs,).
        annotated: True for the labels that the corpus of a pair marks, (pairs, labels); the negative one is no matter.
        label_names, no_relation: As of `relation_metrics`.
        symmetric: (labels,), as of `found_labels`.

    Returns:
        `rows`, `related`, those with a relation, `relation_metrics` with the direction given and, as
        `"direction_unknown"`, with it unknown.
    """
    labels, none_id = np.asarray(labels), find_none_id(label_names, no_relation)
    given = _restrict(logits.given.argmax(axis=-1), annotated, none_id)
    counts = {"rows": len(labels), "related": int((labels != none_id).sum())}
    metrics = {**counts, **relation_metrics(given, labels, label_names, no_relation)}
    if logits.chosen is not None and logits.turned is not None:
        chosen = _restrict(logits.chosen.argmax(axis=-1), annotated, none_id)
        found = found_labels(chosen, logits.turned, none_id, symmetric)
        metrics[DIRECTION_UNKNOWN] = relation_metrics(found, labels, [*label_names, WRONG_DIRECTION], no_relation)
    return metrics


def _restrict(predicted: np.ndarray, annotated: np.ndarray, none_id: int) -> np.ndarray:
    """Replaces predicted ids, (pairs,), that the corpus of a pair does not annotate by the negative one."""
    known = annotated[np.arange(len(predicted)), predicted]  # (pairs,)
    return np.where(known, predicted, none_id)


__all__ = ["TOGETHER", "partial_label_metrics"]
