"""Scores of predicted relations, counted as OpenNRE and the published MNRE results count them.

Accuracy is over all rows. Precision, recall and F1 leave out the negative label `no_relation`: a row is
a hit when the predicted relation is the gold one and not `no_relation`; precision divides the hits by
the rows predicted to hold a relation, recall by the rows that do. What would divide by zero is 0.0.

Example: gold None, born_in, works_for and predicted born_in, born_in, None score accuracy 1/3, precision
1/2 and recall 1/2.
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import ArrayLike
from transformers import EvalPrediction


def relation_metrics(
    predictions: ArrayLike, labels: ArrayLike, label_names: Sequence[str], no_relation: str = "None"
) -> dict[str, float]:
    """Scores a whole split.

    Args:
        predictions: `(pairs,)`, predicted label ids.
        labels: `(pairs,)`, gold label ids.
        label_names: `(labels,)`, the name of each id.
        no_relation: the name of the negative label.

    Returns:
        `accuracy` over all rows; micro `precision`, `recall` and `f1`; `macro_f1`, the mean F1 of the
        relations that occur in gold or predictions; `none_accuracy`, how often "a relation or none?" is
        answered correctly.

    Raises:
        ValueError: `no_relation` is not in `label_names`, the two arrays differ in length, or an id is
            not a position in `label_names`.
    """
    none_id = _none_id(label_names, no_relation)
    predictions, labels = _checked_ids(predictions, labels, len(label_names))
    is_relation = np.arange(len(label_names)) != none_id
    hits, predicted, gold = (counts[is_relation] for counts in _count(predictions, labels, len(label_names)))
    precision, recall, f1 = _scores(hits.sum(), predicted.sum(), gold.sum())
    relation_f1 = _scores(hits, predicted, gold)[2]
    occurs = predicted + gold > 0
    return {
        "accuracy": float(_ratio(np.sum(predictions == labels), len(labels))),
        "precision": float(precision),
        "recall": float(recall),
        "f1": float(f1),
        "macro_f1": float(_ratio(relation_f1.sum(), occurs.sum())),
        "none_accuracy": float(_ratio(np.sum((predictions == none_id) == (labels == none_id)), len(labels))),
    }


def per_relation_metrics(
    predictions: ArrayLike, labels: ArrayLike, label_names: Sequence[str], no_relation: str = "None"
) -> dict[str, dict[str, float | int]]:
    """Scores each relation on its own.

    Arguments and errors are those of `relation_metrics`.

    Returns:
        For every name but `no_relation`, in the order of `label_names`: `precision`, `recall`, `f1`, and
        `support`, the number of gold rows. A relation that never occurs is listed with zeros.
    """
    none_id = _none_id(label_names, no_relation)
    predictions, labels = _checked_ids(predictions, labels, len(label_names))
    hits, predicted, gold = _count(predictions, labels, len(label_names))
    precision, recall, f1 = _scores(hits, predicted, gold)
    return {
        name: {
            "precision": float(precision[i]),
            "recall": float(recall[i]),
            "f1": float(f1[i]),
            "support": int(gold[i]),
        }
        for i, name in enumerate(label_names)
        if i != none_id
    }


def choose_direction(logits: ArrayLike, reversed_logits: ArrayLike, none_id: int, symmetric: ArrayLike) -> np.ndarray:
    """What is predicted for pairs whose direction is not known, as the pipeline does: a relation either way round.

    The direction counts in which "no relation" is less likely.

    Args:
        logits, reversed_logits: `(pairs, labels)`, scores of the pairs as annotated and the other way round.
        none_id: id of the negative label.
        symmetric: `(labels,)`, True for relations that hold both ways round.

    Returns:
        `(pairs,)`, label ids; the number of labels stands for a directed relation found the wrong way round.
    """
    scores = torch.as_tensor(logits).double(), torch.as_tensor(reversed_logits).double()
    as_annotated, turned = (score.softmax(dim=-1).numpy() for score in scores)
    relation, turned_relation = as_annotated.argmax(axis=-1), turned.argmax(axis=-1)
    holds = np.asarray(symmetric)[turned_relation] | (turned_relation == none_id)
    turned_relation = np.where(holds, turned_relation, as_annotated.shape[-1])
    return np.where(turned[:, none_id] < as_annotated[:, none_id], turned_relation, relation)


def make_compute_metrics(
    label_names: Sequence[str], no_relation: str = "None"
) -> Callable[[EvalPrediction], dict[str, float]]:
    """`relation_metrics` in the shape of `Trainer(compute_metrics=...)`.

    The `EvalPrediction` holds gold ids `(pairs,)` and logits `(pairs, labels)`, or a tuple that begins
    with the logits.

    Raises:
        ValueError: `no_relation` is not in `label_names`; raised here, before any training.
    """
    _none_id(label_names, no_relation)

    def compute_metrics(evaluation: EvalPrediction) -> dict[str, float]:
        logits = evaluation.predictions
        if isinstance(logits, tuple):
            logits = logits[0]
        return relation_metrics(logits.argmax(axis=-1), evaluation.label_ids, label_names, no_relation)

    return compute_metrics


def _none_id(label_names: Sequence[str], no_relation: str) -> int:
    # Without its negative label, micro F1 would silently turn into accuracy.
    if no_relation not in label_names:
        raise ValueError(
            f"no_relation {no_relation!r} is not among the label names {list(label_names)}; "
            "pass the negative label as it is spelt there."
        )
    return list(label_names).index(no_relation)


def _checked_ids(predictions: ArrayLike, labels: ArrayLike, num_labels: int) -> tuple[np.ndarray, np.ndarray]:
    predictions, labels = np.asarray(predictions), np.asarray(labels)
    for name, ids in (("predictions", predictions), ("labels", labels)):
        if ids.ndim != 1:
            raise ValueError(f"{name} has shape {ids.shape}; pass one label id a row, e.g. logits.argmax(-1).")
        misfits = np.flatnonzero(~np.isin(ids, np.arange(num_labels)))
        if misfits.size:
            row = misfits[0]
            raise ValueError(
                f"{name} holds {ids[row]} in row {row}; label ids are whole numbers from 0 to {num_labels - 1}, "
                "the positions in label_names."
            )
    if len(predictions) != len(labels):
        raise ValueError(
            f"{len(predictions)} predictions for {len(labels)} labels, so row {min(len(predictions), len(labels))} "
            "has no partner; pass one prediction for each label."
        )
    return predictions.astype(int), labels.astype(int)


def _count(predictions: np.ndarray, labels: np.ndarray, num_labels: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows on which each label is predicted correctly, predicted, and gold; each `(labels,)`."""
    hits = np.bincount(labels[predictions == labels], minlength=num_labels)
    return hits, np.bincount(predictions, minlength=num_labels), np.bincount(labels, minlength=num_labels)


def _scores(hits, predicted, gold):
    """Precision, recall and F1 of counts, elementwise."""
    return _ratio(hits, predicted), _ratio(hits, gold), _ratio(2 * hits, predicted + gold)


def _ratio(numerator, denominator):
    """Elementwise quotient. Each denominator here is 0 only beneath a 0, which makes the quotient 0."""
    return numerator / np.maximum(denominator, 1)
