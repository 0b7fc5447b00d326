"""How far a model's probabilities can be believed.

The predicted label's probability, the confidence, is cut into bins of equal width; in each, accuracy and mean
confidence should agree. The expected calibration error is the mean of their distance over the rows (Naeini et al.,
2015; Guo et al., "On Calibration of Modern Neural Networks", 2017, equation 3, with 15 bins as there).

Example: of two rows answered with confidence 0.9, one is right: accuracy 0.5, expected calibration error 0.4.
"""

import numpy as np
from numpy.typing import ArrayLike

BINS = 15


def reliability(confidence: ArrayLike, correct: ArrayLike, bins: int = BINS) -> list[dict[str, float | int | None]]:
    """The bins of a reliability diagram, from low to high confidence.

    Args:
        confidence: `(pairs,)`, in 0..1.
        correct: `(pairs,)`, bool.
        bins: How many.

    Returns:
        For each bin `low`, which belongs to the bin before, `high`, `rows`, and mean `confidence` and `accuracy`, None
        where there are no rows.

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
    place = np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, None)
    return [
        {"low": float(edges[i]), "high": float(edges[i + 1]), **_means(confidence[place == i], correct[place == i])}
        for i in range(bins)
    ]


def _means(confidence: np.ndarray, correct: np.ndarray) -> dict[str, float | int | None]:
    if not len(confidence):
        return {"rows": 0, "confidence": None, "accuracy": None}
    return {"rows": len(confidence), "confidence": float(confidence.mean()), "accuracy": float(correct.mean())}


def expected_calibration_error(bins: list[dict]) -> float:
    """Mean distance of accuracy and confidence over the rows of `reliability`; 0.0 of none."""
    filled = [of_bin for of_bin in bins if of_bin["rows"]]
    distance = sum(of_bin["rows"] * abs(of_bin["accuracy"] - of_bin["confidence"]) for of_bin in filled)
    return distance / max(sum(of_bin["rows"] for of_bin in filled), 1)
