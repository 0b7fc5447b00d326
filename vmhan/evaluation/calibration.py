"""Calibration of a model's probabilities: temperatures, reliability diagrams, expected calibration error.

The predicted label's probability, the confidence, is divided into bins of equal width; in each, accuracy and mean
confidence should agree. The expected calibration error is the mean of their distance over the rows (Naeini et al.,
2015; Guo et al., "On Calibration of Modern Neural Networks", 2017, equation 3, with 15 bins as there).

Example: of two rows answered with confidence 0.9, one is right: accuracy 0.5, expected calibration error 0.4.
"""

import numpy as np
import torch
from numpy.typing import ArrayLike
from scipy.optimize import minimize

from vmhan.evaluation.predictions import SplitPredictions
from vmhan.temperature import KINDS, shift_likeliest

BINS = 15
_COLDEST, _HOTTEST = 0.25, 4.0  # temperatures beyond these would hide that a model is broken
_MOST_BIAS = 4.0  # likewise, in log-odds
_LEAST = 20  # pairs that a temperature needs


def fit_temperatures(
    logits: np.ndarray, predicted: ArrayLike, gold: ArrayLike, none_id: int
) -> dict[str, dict[str, float]]:
    """Fits temperature and bias of one mode, on validation.

    They minimize the binary cross-entropy of the likeliest label's probability and its correctness (Guo et al., 2017,
    section 4.2, for the predicted label alone, since a relation predicted the wrong way round has no right label).

    Args:
        logits: `(pairs, labels)`.
        predicted: `(pairs,)`, label ids that they predict of the pairs as annotated.
        gold: `(pairs,)`, gold ids.
        none_id: Id of the negative label.

    Returns:
        For each of `KINDS` its `temperature` and `bias`, 1 and 0 where there are too few pairs.
    """
    correct = torch.as_tensor(np.asarray(predicted) == np.asarray(gold))
    scores = torch.as_tensor(logits).double()
    named = scores.argmax(dim=-1) != none_id
    return {
        kind: _fit_calibration(scores[named == is_relation], correct[named == is_relation])
        for kind, is_relation in zip(KINDS, (False, True), strict=True)
    }


def _fit_calibration(logits: torch.Tensor, correct: torch.Tensor) -> dict[str, float]:
    if len(logits) < _LEAST:
        return {"temperature": 1.0, "bias": 0.0}

    def loss(numbers: np.ndarray) -> float:
        temperature, bias = numbers
        biases = torch.full((len(logits),), float(bias), dtype=logits.dtype)
        confidence = shift_likeliest((logits / temperature).softmax(dim=-1), biases).amax(dim=-1)
        return float(torch.nn.functional.binary_cross_entropy(confidence, correct.double()))

    bounds = [(_COLDEST, _HOTTEST), (-_MOST_BIAS, _MOST_BIAS)]
    temperature, bias = minimize(loss, x0=[1.0, 0.0], bounds=bounds, method="Nelder-Mead").x
    return {"temperature": round(float(temperature), 3), "bias": round(float(bias), 3)}


def reliability(confidence: ArrayLike, correct: ArrayLike, bins: int = BINS) -> list[dict[str, float | int | None]]:
    """Computes the bins of a reliability diagram, from low to high confidence.

    Args:
        confidence: `(pairs,)`, in 0..1.
        correct: `(pairs,)`, bool.
        bins: Number of bins.

    Returns:
        For each bin `low` (exclusive), `high`, `rows`, and mean `confidence` and `accuracy`, None where there are no
        rows.

    Raises:
        ValueError: A confidence is outside 0..1, or the two differ in length.
    """
    confidence, correct = np.asarray(confidence, dtype=float), np.asarray(correct, dtype=bool)
    if confidence.shape != correct.shape:
        raise ValueError(f"{len(confidence)} confidences for {len(correct)} answers; pass one for each.")
    misfits = np.flatnonzero(~((confidence >= 0) & (confidence <= 1)))
    if misfits.size:
        row = misfits[0]
        raise ValueError(f"The confidence of row {row} is {confidence[row]}; pass probabilities, as softmax gives.")
    edges = np.linspace(0, 1, bins + 1)
    bin_of = np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, None)  # (pairs,)
    return [
        {"low": float(edges[i]), "high": float(edges[i + 1]), **_means(confidence[bin_of == i], correct[bin_of == i])}
        for i in range(bins)
    ]


def _means(confidence: np.ndarray, correct: np.ndarray) -> dict[str, float | int | None]:
    if not len(confidence):
        return {"rows": 0, "confidence": None, "accuracy": None}
    return {"rows": len(confidence), "confidence": float(confidence.mean()), "accuracy": float(correct.mean())}


def expected_calibration_error(bins: list[dict]) -> float:
    """Computes the mean distance of accuracy and confidence over the rows of `reliability`; 0.0 of none."""
    filled = [of_bin for of_bin in bins if of_bin["rows"]]
    distance = sum(of_bin["rows"] * abs(of_bin["accuracy"] - of_bin["confidence"]) for of_bin in filled)
    return distance / max(sum(of_bin["rows"] for of_bin in filled), 1)


def describe_confidence(confidence: ArrayLike, correct: ArrayLike) -> dict:
    """Computes `rows`, mean `confidence` and `accuracy`, None of no rows, `expected_error` and `bins`.

    Arguments and errors are those of `reliability`.
    """
    bins = reliability(confidence, correct)
    means = _means(np.asarray(confidence, dtype=float), np.asarray(correct, dtype=bool))
    return {**means, "expected_error": expected_calibration_error(bins), "bins": bins}


def calibration_of(rows: SplitPredictions, none_id: int) -> dict | None:
    """Computes the calibration of a split, with the model's temperatures and without them.

    Args:
        rows: In one mode, as of `vmhan.evaluation.modes.rows_in`.
        none_id: Id of the negative label.

    Returns:
        `calibrated` and, if the predictions hold it, `uncalibrated`: in each `describe_confidence` of `all` rows, of
        those that predict a relation, `relations`, and of the others, `no_relation`. None without scores.
    """
    if rows.confidence is None:
        return None
    correct, named = rows.predicted == rows.gold, rows.predicted != none_id
    kinds = {"all": np.ones_like(named), "relations": named, "no_relation": ~named}
    return {
        when: {kind: describe_confidence(confidence[kept], correct[kept]) for kind, kept in kinds.items()}
        for when, confidence in (("calibrated", rows.confidence), ("uncalibrated", rows.uncalibrated))
        if confidence is not None
    }
