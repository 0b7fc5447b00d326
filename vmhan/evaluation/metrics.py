"""Scores of predicted relations, counted as OpenNRE and the published MNRE results count them.

Accuracy is over all rows. Precision, recall and F1 are micro-averages over the relations other than the negative label
`no_relation`: a row is a hit when the predicted relation is the gold one and not `no_relation`; precision divides the
hits by the rows predicted to hold a relation, recall by the rows that do. What would divide by zero is 0.0.

Example: gold None, born_in, works_for and predicted born_in, born_in, None score accuracy 1/3, precision
1/2 and recall 1/2.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from vmhan.evaluation.result_file import RelationScores

#: The label of a directed relation predicted the wrong way round; its id follows those of the relations.
WRONG_DIRECTION = "wrong direction"


def relation_metrics(
    predictions: ArrayLike, labels: ArrayLike, label_names: Sequence[str], no_relation: str = "None"
) -> dict[str, float]:
    """Computes the scores of a whole split.

    Args:
        predictions: `(pairs,)`, predicted label ids.
        labels: `(pairs,)`, gold label ids.
        label_names: `(labels,)`, the name of each id.
        no_relation: The name of the negative label.

    Returns:
        `accuracy` over all rows; micro `precision`, `recall` and `f1`; `macro_f1`, the mean F1 of the
        relations that occur in gold or predictions, of which `WRONG_DIRECTION` is none; `none_accuracy`, the accuracy
        of "a relation or none?".

    Raises:
        ValueError: `no_relation` is not in `label_names`, the two arrays differ in length, or an id is
            not an index of `label_names`.
    """
    none_id = find_none_id(label_names, no_relation)
    predictions, labels = _checked_ids(predictions, labels, len(label_names))
    precision, recall, f1, _ = _relation_scores(predictions, labels, _relation_ids(label_names, none_id), none_id)
    return {
        "accuracy": _share(predictions == labels),
        "precision": float(precision),
        "recall": float(recall),
        "f1": float(f1),
        "macro_f1": _macro_f1(predictions, labels, label_names, none_id),
        "none_accuracy": _share((predictions == none_id) == (labels == none_id)),
    }


def per_relation_metrics(
    predictions: ArrayLike, labels: ArrayLike, label_names: Sequence[str], no_relation: str = "None"
) -> dict[str, RelationScores]:
    """Computes the scores of each relation.

    Arguments and errors are those of `relation_metrics`.

    Returns:
        For every name but `no_relation` and `WRONG_DIRECTION`, in the order of `label_names`: `precision`,
        `recall`, `f1`, and `support`, the number of gold rows. A relation that never occurs is listed with zeros.
    """
    none_id = find_none_id(label_names, no_relation)
    predictions, labels = _checked_ids(predictions, labels, len(label_names))
    ids = _relation_ids(label_names, none_id, with_wrong_direction=False)
    of_relations = zip(*_relation_scores(predictions, labels, ids, none_id, average=None), strict=True)
    return {
        label_names[i]: {
            "precision": float(precision),
            "recall": float(recall),
            "f1": float(f1),
            "support": int(support),
        }
        for i, (precision, recall, f1, support) in zip(ids, of_relations, strict=True)
    }


def _relation_ids(label_names: Sequence[str], none_id: int, with_wrong_direction: bool = True) -> list[int]:
    return [
        i for i, name in enumerate(label_names) if i != none_id and (with_wrong_direction or name != WRONG_DIRECTION)
    ]


def _relation_scores(
    predictions: np.ndarray, labels: np.ndarray, ids: list[int], none_id: int, average: str | None = "micro"
) -> tuple:
    """Precision, recall, F1 and support over the relations `ids`; with `average=None` of each, `(ids,)`."""
    from sklearn.metrics import precision_recall_fscore_support  # here: result files are read without scikit-learn

    # scikit-learn refuses an empty split; one more row without a relation changes no count of a relation
    predictions, labels = np.append(predictions, none_id), np.append(labels, none_id)
    return precision_recall_fscore_support(
        labels,
        predictions,
        labels=ids,
        average=average,
        zero_division=0,  # pyright: ignore[reportArgumentType] - a number is documented
    )


def _macro_f1(predictions: np.ndarray, labels: np.ndarray, label_names: Sequence[str], none_id: int) -> float:
    ids = _relation_ids(label_names, none_id, with_wrong_direction=False)
    f1 = _relation_scores(predictions, labels, ids, none_id, average=None)[2]
    occurring = np.isin(ids, np.concatenate([predictions, labels])).sum()
    return float(f1.sum() / max(occurring, 1))


def _share(correct: np.ndarray) -> float:
    """The share of True in `(pairs,)`, 0.0 of no rows."""
    return float(correct.mean()) if correct.size else 0.0


def find_none_id(label_names: Sequence[str], no_relation: str) -> int:
    """Finds the id of the negative label, without which micro F1 would silently turn into accuracy.

    Raises:
        ValueError: `no_relation` is not in `label_names`.
    """
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
                "the indices of label_names."
            )
    if len(predictions) != len(labels):
        raise ValueError(
            f"{len(predictions)} predictions for {len(labels)} labels, so row {min(len(predictions), len(labels))} "
            "has no partner; pass one prediction for each label."
        )
    return predictions.astype(int), labels.astype(int)
