"""Scores of predicted relations, counted as OpenNRE and the published MNRE results count them.

Accuracy is over all rows. Precision, recall and F1 leave out the negative label `no_relation`: a row is
a hit when the predicted relation is the gold one and not `no_relation`; precision divides the hits by
the rows predicted to hold a relation, recall by the rows that do. What would divide by zero is 0.0.

Example: gold None, born_in, works_for and predicted born_in, born_in, None score accuracy 1/3, precision
1/2 and recall 1/2.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike
from transformers import EvalPrediction

#: Stands behind the relations for a directed one that is found the wrong way round.
WRONG_DIRECTION = "wrong direction"


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
        relations that occur in gold or predictions, of which `WRONG_DIRECTION` is none; `none_accuracy`,
        how often "a relation or none?" is answered correctly.

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
    is_named = np.array([name != WRONG_DIRECTION for name in label_names])[is_relation]
    occurs = (predicted + gold > 0) & is_named
    return {
        "accuracy": float(_ratio(np.sum(predictions == labels), len(labels))),
        "precision": float(precision),
        "recall": float(recall),
        "f1": float(f1),
        "macro_f1": float(_ratio(relation_f1[is_named].sum(), occurs.sum())),
        "none_accuracy": float(_ratio(np.sum((predictions == none_id) == (labels == none_id)), len(labels))),
    }


def per_relation_metrics(
    predictions: ArrayLike, labels: ArrayLike, label_names: Sequence[str], no_relation: str = "None"
) -> dict[str, dict[str, float | int]]:
    """Scores each relation on its own.

    Arguments and errors are those of `relation_metrics`.

    Returns:
        For every name but `no_relation` and `WRONG_DIRECTION`, in the order of `label_names`: `precision`,
        `recall`, `f1`, and `support`, the number of gold rows. A relation that never occurs is listed with zeros.
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
        if i != none_id and name != WRONG_DIRECTION
    }


class ModeLogits(NamedTuple):
    """Logits of a split's pairs in both modes.

    Args:
        given: `(pairs, labels)`, with the direction given.
        chosen: `(pairs, labels)`, of the direction that is chosen where none is given, as the pipeline does it: the
            one in which "no relation" is less likely. None where tails are objects, which have no other direction.
        turned: `(pairs,)`, True where that is not the direction of the annotation.
    """

    given: np.ndarray
    chosen: np.ndarray | None = None
    turned: np.ndarray | None = None

    @classmethod
    def choose_direction(cls, given: np.ndarray, annotated: np.ndarray, reverse: np.ndarray, none_id: int):
        """Chooses between the pairs as annotated and the other way round.

        Args:
            given, annotated, reverse: `(pairs, labels)`.
            none_id: id of the negative label.
        """
        unrelated, reverse_unrelated = (
            torch.as_tensor(logits).double().softmax(dim=-1)[:, none_id].numpy() for logits in (annotated, reverse)
        )
        turned = reverse_unrelated < unrelated
        return cls(given, np.where(turned[:, None], reverse, annotated), turned)


def found_labels(labels: ArrayLike, turned: np.ndarray, none_id: int, symmetric: ArrayLike) -> np.ndarray:
    """Tells what labels of the chosen direction say of the pairs as annotated.

    Args:
        labels: Label ids, `(pairs,)` or `(pairs, several)`.
        turned: As `turned_pairs` returns it.
        none_id: id of the negative label.
        symmetric: `(labels,)`, True for relations that hold both ways round.

    Returns:
        Label ids of the same shape; the number of labels stands for a directed relation found the wrong way round.
    """
    labels, holds = np.asarray(labels), np.array(symmetric, dtype=bool)
    holds[none_id] = True
    wrong = ~holds[labels] & turned.reshape(-1, *[1] * (labels.ndim - 1))
    return np.where(wrong, len(holds), labels)


def both_modes_metrics(
    logits: ModeLogits, labels: ArrayLike, label_names: Sequence[str], no_relation: str, symmetric: ArrayLike
) -> tuple[dict[str, float], dict[str, float] | None, np.ndarray | None]:
    """Scores a split with the direction given, and where it has to be found, which is what users get.

    Args:
        logits: Of both modes.
        labels, label_names, no_relation: As of `relation_metrics`.
        symmetric: `(labels,)`, as of `found_labels`.

    Returns:
        `relation_metrics` of the first mode, those of the second, and the labels found there, `(pairs,)`, as
        `found_labels` tells them; the last two None where tails are objects.
    """
    given = relation_metrics(logits.given.argmax(axis=-1), labels, label_names, no_relation)
    if logits.chosen is None:
        return given, None, None
    found = found_labels(logits.chosen.argmax(axis=-1), logits.turned, _none_id(label_names, no_relation), symmetric)
    return given, relation_metrics(found, labels, [*label_names, WRONG_DIRECTION], no_relation), found


def make_compute_metrics(
    label_names: Sequence[str],
    no_relation: str = "None",
    symmetric: ArrayLike | None = None,
    split_modes: Callable[[np.ndarray], list[np.ndarray]] = lambda values: [values],
) -> Callable[[EvalPrediction], dict[str, float]]:
    """Scores of both modes in the shape of `Trainer(compute_metrics=...)`.

    The `EvalPrediction` holds gold ids `(rows,)` and logits `(rows, labels)`, or a tuple that begins with the logits.
    Names of scores where the direction has to be found begin with `direction_unknown_`.

    Args:
        label_names, no_relation: As of `relation_metrics`.
        symmetric: `(labels,)`, as of `found_labels`.
        split_modes: Values of the evaluated rows by mode, as `EvaluationRows.split`; by default there is one.

    Raises:
        ValueError: `no_relation` is not in `label_names`; raised here, before any training.
    """
    none_id = _none_id(label_names, no_relation)

    def compute_metrics(evaluation: EvalPrediction) -> dict[str, float]:
        logits = evaluation.predictions
        if isinstance(logits, tuple):
            logits = logits[0]
        modes, (labels, *_) = split_modes(logits), split_modes(evaluation.label_ids)
        of_modes = ModeLogits(*modes) if len(modes) == 1 else ModeLogits.choose_direction(*modes, none_id)
        given, unknown, _ = both_modes_metrics(of_modes, labels, label_names, no_relation, symmetric)
        return {**given, **{f"direction_unknown_{name}": value for name, value in (unknown or {}).items()}}

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
