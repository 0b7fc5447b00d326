"""Logits of a split with the direction of its pairs given and with the direction chosen, and the scores of both modes.

With the direction unknown, a pair is scored both ways round, and the direction in which "no relation" is less likely
is chosen, as the pipeline does it. A directed relation predicted for the wrong direction is wrong.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Self

import numpy as np
import torch
from numpy.typing import ArrayLike
from transformers import EvalPrediction

from vmhan.configuration_vmhan import DIRECTION_UNKNOWN
from vmhan.evaluation.metrics import WRONG_DIRECTION, find_none_id, relation_metrics


class ModeLogits(NamedTuple):
    """Logits of a split's pairs in both modes.

    Args:
        given: `(pairs, labels)`, with the direction given.
        chosen: `(pairs, labels)`, of the chosen direction; None where tails are objects, which have no other.
        turned: `(pairs,)`, True where the chosen direction is not that of the annotation.
    """

    given: np.ndarray
    chosen: np.ndarray | None = None
    turned: np.ndarray | None = None

    @classmethod
    def choose_direction(cls, given: np.ndarray, annotated: np.ndarray, reverse: np.ndarray, none_id: int) -> Self:
        """Chooses the direction of each pair in which "no relation" is less likely.

        Args:
            given: `(pairs, labels)`, with the direction given.
            annotated, reverse: `(pairs, labels)`, with the direction unknown, as annotated and the other way round.
            none_id: Id of the negative label.
        """
        unrelated, reverse_unrelated = (
            torch.as_tensor(logits).double().softmax(dim=-1)[:, none_id].numpy() for logits in (annotated, reverse)
        )  # (pairs,)
        turned = reverse_unrelated < unrelated
        return cls(given, np.where(turned[:, None], reverse, annotated), turned)


class ModeMetrics(NamedTuple):
    """Scores of a split in both modes.

    Args:
        given: `relation_metrics` with the direction given.
        unknown: Those with the direction unknown; None where tails are objects.
        found: `(pairs,)`, the label ids they are of, as `found_labels` returns them.
    """

    given: dict[str, float]
    unknown: dict[str, float] | None = None
    found: np.ndarray | None = None


def found_labels(labels: ArrayLike, turned: np.ndarray, none_id: int, symmetric: ArrayLike) -> np.ndarray:
    """Converts labels of the chosen direction to labels of the pairs as annotated.

    Args:
        labels: Label ids, `(pairs,)` or `(pairs, top)`.
        turned: `(pairs,)`, as in `ModeLogits`.
        none_id: Id of the negative label.
        symmetric: `(labels,)`, True for relations that hold both ways round.

    Returns:
        Label ids of the same shape; the number of labels is the id of `WRONG_DIRECTION`.
    """
    labels, holds = np.asarray(labels), np.array(symmetric, dtype=bool)
    holds[none_id] = True
    wrong = ~holds[labels] & turned.reshape(-1, *[1] * (labels.ndim - 1))
    return np.where(wrong, len(holds), labels)


def both_modes_metrics(
    logits: ModeLogits, labels: ArrayLike, label_names: Sequence[str], no_relation: str, symmetric: ArrayLike
) -> ModeMetrics:
    """Computes the scores of a split in both modes.

    Args:
        logits: Of both modes.
        labels, label_names, no_relation: As of `relation_metrics`.
        symmetric: `(labels,)`, as of `found_labels`.
    """
    given = relation_metrics(logits.given.argmax(axis=-1), labels, label_names, no_relation)
    if logits.chosen is None or logits.turned is None:
        return ModeMetrics(given)
    none_id = find_none_id(label_names, no_relation)
    found = found_labels(logits.chosen.argmax(axis=-1), logits.turned, none_id, symmetric)
    unknown = relation_metrics(found, labels, [*label_names, WRONG_DIRECTION], no_relation)
    return ModeMetrics(given, unknown, found)


def make_compute_metrics(
    label_names: Sequence[str],
    no_relation: str = "None",
    symmetric: ArrayLike = (),
    split_modes: Callable[[np.ndarray], list[np.ndarray]] = lambda values: [values],
) -> Callable[[EvalPrediction], dict[str, float]]:
    """Builds the function that `Trainer(compute_metrics=...)` takes, which scores both modes.

    The `EvalPrediction` holds gold ids `(rows,)` and logits `(rows, labels)`, or a tuple that begins with the logits.
    Names of scores with the direction unknown begin with `direction_unknown_`.

    Args:
        label_names, no_relation: As of `relation_metrics`.
        symmetric: `(labels,)`, as of `found_labels`; needed with several modes.
        split_modes: Splits the values of the evaluated rows by mode, as `EvaluationRows.split`; by default there is
            one.

    Raises:
        ValueError: `no_relation` is not in `label_names`; raised here, before any training.
    """
    none_id = find_none_id(label_names, no_relation)

    def compute_metrics(evaluation: EvalPrediction) -> dict[str, float]:
        logits = evaluation.predictions
        modes = split_modes(np.asarray(logits[0] if isinstance(logits, tuple) else logits))
        labels = split_modes(np.asarray(evaluation.label_ids))[0]
        of_modes = ModeLogits.choose_direction(*modes, none_id=none_id) if len(modes) > 1 else ModeLogits(*modes)
        metrics = both_modes_metrics(of_modes, labels, label_names, no_relation, symmetric)
        unknown = {f"{DIRECTION_UNKNOWN}_{name}": value for name, value in (metrics.unknown or {}).items()}
        return {**metrics.given, **unknown}

    return compute_metrics
