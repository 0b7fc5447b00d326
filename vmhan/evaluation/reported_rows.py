"""Bounds on a reported row: precision, recall and the sizes of the split bound F1 and accuracy.

Of `positives` rows with a relation and `negatives` without, recall gives the hits, and precision the rows predicted to
hold a relation. The wrong ones of these are rows without a relation or rows with another one; between the two extremes
lies the accuracy. In a single run all of these are whole numbers.

Reported figures are percent, rounded to two places. A mean over runs need not be attainable by one run, and its F1 may
lie below that of the mean precision and recall, but never above, for F1 is concave in them.
"""

import math
from collections.abc import Sequence

import numpy as np

from vmhan.evaluation.paper_tables import ReportedRow

#: Shares of rows with a relation that are tried where the sizes of a split are not known.
SHARES = np.arange(1, 1000) / 1000
_HALF = 0.005 + 1e-9  # what rounding to two places may hide


def faults(row: ReportedRow, positives: int, negatives: int, one_run: bool = False) -> list[str]:
    """Finds what cannot be true of a row; empty if all may be.

    Args:
        row: The reported figures.
        positives, negatives: Rows of the split with a relation, and without.
        one_run: Whether the row is one run, so that it must be attainable with whole numbers.
    """
    found = f1_faults(row)
    if row.accuracy is not None:
        low, high = accuracy_bounds(row, positives, negatives)
        if not low <= row.accuracy <= high:
            found.append(f"accuracy {row.accuracy} is not within {low:.2f} to {high:.2f}")
    return found + (one_run_faults(row, positives, negatives) if one_run else [])


def f1_faults(row: ReportedRow) -> list[str]:
    """Finds an F1 above what precision and recall allow, which not even a mean over runs can have."""
    _, high = f1_bounds(row)
    if row.f1 <= high:
        return []
    hardly = ", by so little that it may have been rounded twice" if row.f1 - high < 2 * _HALF else ""
    return [f"F1 {row.f1} exceeds what precision and recall allow, {high:.3f}{hardly}"]


def one_run_faults(row: ReportedRow, positives: int, negatives: int) -> list[str]:
    """Finds what cannot be true of one run, but may be of a mean over several."""
    low, _ = f1_bounds(row)
    found = [f"F1 {row.f1} falls below what precision and recall give, {low:.3f}"] if row.f1 < low else []
    if not attainable(row, positives, negatives):
        found.append("no whole numbers of rows give this precision and recall")
    return found


def f1_bounds(row: ReportedRow) -> tuple[float, float]:
    """Computes the least and the most F1 that the rounded precision and recall allow, with F1's own rounding."""
    low, high = (
        2 * p * r / (p + r) if p + r else 0.0
        for p, r in ((max(row.precision - _HALF, 0), max(row.recall - _HALF, 0)), _upper(row))
    )
    return low - _HALF, high + _HALF


def accuracy_bounds(row: ReportedRow, positives: float, negatives: float) -> tuple[float, float]:
    """Computes the least and the most accuracy, percent, over all placements of the false alarms.

    The least is with all of them on rows without a relation, the most with as few there as possible.
    """
    low = _correct(row.precision - _HALF, row.recall - _HALF, positives, negatives, best=False)
    high = _correct(*_upper(row), positives, negatives, best=True)
    rows = positives + negatives
    return 100 * low / rows - _HALF, 100 * high / rows + _HALF


def _upper(row: ReportedRow) -> tuple[float, float]:
    return row.precision + _HALF, row.recall + _HALF


def _correct(precision: float, recall: float, positives: float, negatives: float, best: bool) -> float:
    """Number of rows with the right label."""
    hits = max(recall, 0) / 100 * positives
    false_alarms = hits * (100 / precision - 1) if precision > 0 else negatives
    on_negatives = max(0.0, false_alarms - (positives - hits)) if best else min(false_alarms, negatives)
    return hits + negatives - on_negatives


def attainable(row: ReportedRow, positives: int, negatives: int) -> bool:
    """Tests whether whole numbers of hits and of predicted relations round to precision and recall."""
    for hits in range(positives + 1):
        if abs(100 * hits / positives - row.recall) <= _HALF:
            if hits == 0:
                return row.precision == 0
            about = 100 * hits / row.precision if row.precision else math.inf
            for predicted in range(max(hits, math.floor(about) - 1), math.ceil(about) + 2):
                if predicted <= positives + negatives and abs(100 * hits / predicted - row.precision) <= _HALF:
                    return True
    return False


def positive_shares(row: ReportedRow) -> np.ndarray:
    """Finds the `SHARES` of rows with a relation under which the accuracy of a row is possible, `(shares,)` bool."""
    bounds = [accuracy_bounds(row, share, 1 - share) for share in SHARES]
    return np.array([row.accuracy is None or low <= row.accuracy <= high for low, high in bounds])


def false_gains(rows: Sequence[ReportedRow], gains: ReportedRow) -> list[str]:
    """Finds the claimed distances from the second best that the table itself contradicts."""
    ours = next(row for row in rows if row.name == gains.name)
    found = []
    for metric in ReportedRow._fields[1:]:
        rivals = [(getattr(row, metric), row.name) for row in rows if row is not ours and getattr(row, metric)]
        second, name = max(rivals)
        gain = getattr(ours, metric) - second
        if abs(gain - getattr(gains, metric)) > 2 * _HALF:
            found.append(f"{metric} is {gain:.2f} above {name}, not {getattr(gains, metric):.2f}")
    return found
