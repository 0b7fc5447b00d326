"""Can a reported row be true? Precision, recall and the sizes of the split bound all else.

    python -m train.consistency            # the paper's tables on MNRE's test split, and our own result files

Of `positives` rows with a relation and `negatives` without, recall gives the hits, and precision the rows predicted to
hold a relation. What is predicted wrongly fell on rows without a relation or on rows with another one; between these
extremes lies the accuracy. In a single run all of these are whole numbers.

Figures are percent, rounded to two places. A mean over runs need not be attainable by one, and its F1 may lie below
that of the mean precision and recall, but never above, for F1 is concave in them.
"""

import json
import math
import sys
from collections.abc import Iterable
from pathlib import Path

from train.published import ABLATIONS_MNRE, MAIN_MNRE, ReportedRow

#: Rows of MNRE's test split with a relation, and without.
MNRE_TEST = (640, 974)
_HALF = 0.005 + 1e-9  # what rounding to two places may hide
RESULTS = Path(__file__).resolve().parents[1] / "assets" / "results"


def faults(row: ReportedRow, positives: int, negatives: int, one_run: bool = False) -> list[str]:
    """What cannot be true of a row; empty if all may be.

    Args:
        row: The reported figures.
        positives, negatives: Rows of the split with a relation, and without.
        one_run: Whether the row is one run, so that it must be attainable with whole numbers.
    """
    found = []
    low, high = f1_bounds(row)
    if row.f1 > high:
        found.append(f"F1 {row.f1} exceeds what precision and recall allow, {high:.2f}")
    elif one_run and row.f1 < low:
        found.append(f"F1 {row.f1} falls below what precision and recall give, {low:.2f}")
    if row.accuracy is not None:
        low, high = accuracy_bounds(row, positives, negatives)
        if not low <= row.accuracy <= high:
            found.append(f"accuracy {row.accuracy} is not within {low:.2f} to {high:.2f}")
    if one_run and not attainable(row, positives, negatives):
        found.append("no whole numbers of rows give this precision and recall")
    return found


def f1_bounds(row: ReportedRow) -> tuple[float, float]:
    """The least and the most F1 that the rounded precision and recall allow, with F1's own rounding."""
    low, high = (
        2 * p * r / (p + r) if p + r else 0.0
        for p, r in ((max(row.precision - _HALF, 0), max(row.recall - _HALF, 0)), _upper(row))
    )
    return low - _HALF, high + _HALF


def accuracy_bounds(row: ReportedRow, positives: int, negatives: int) -> tuple[float, float]:
    """The least and the most accuracy, percent: all false alarms on rows without a relation, or as few as can be."""
    low = _right(row.precision - _HALF, row.recall - _HALF, positives, negatives, best=False)
    high = _right(*_upper(row), positives, negatives, best=True)
    return tuple(100 * right / (positives + negatives) + slack for right, slack in ((low, -_HALF), (high, _HALF)))


def _upper(row: ReportedRow) -> tuple[float, float]:
    return row.precision + _HALF, row.recall + _HALF


def _right(precision: float, recall: float, positives: int, negatives: int, best: bool) -> float:
    """Rows answered rightly."""
    hits = max(recall, 0) / 100 * positives
    false_alarms = hits * (100 / precision - 1) if precision > 0 else negatives
    on_negatives = max(0.0, false_alarms - (positives - hits)) if best else min(false_alarms, negatives)
    return hits + negatives - on_negatives


def attainable(row: ReportedRow, positives: int, negatives: int) -> bool:
    """Whether some whole numbers of hits and of predicted relations round to precision and recall."""
    for hits in range(positives + 1):
        if abs(100 * hits / positives - row.recall) <= _HALF:
            if hits == 0:
                return row.precision == 0
            about = 100 * hits / row.precision if row.precision else math.inf
            for predicted in range(max(hits, math.floor(about) - 1), math.ceil(about) + 2):
                if predicted <= positives + negatives and abs(100 * hits / predicted - row.precision) <= _HALF:
                    return True
    return False


def own_rows(folder: Path) -> Iterable[ReportedRow]:
    """The test scores of every result file below a folder."""
    for path in sorted(folder.glob("*/*.json")):
        scores = json.loads(path.read_text(encoding="utf-8")).get("metrics", {}).get("test")
        if scores:
            figures = (round(100 * scores[name], 2) for name in ("accuracy", "precision", "recall", "f1"))
            yield ReportedRow(f"{path.parent.name}/{path.stem}", *figures)


def main() -> int:
    """Prints what cannot be true; the exit code is 1 if that concerns a result of our own."""
    for title, rows in (("Table 1", MAIN_MNRE), ("Table 2", ABLATIONS_MNRE)):
        print(f"\n{title}, MNRE")
        for row in rows:
            found = faults(row, *MNRE_TEST)
            single = "" if attainable(row, *MNRE_TEST) else " (no single run: no whole numbers of rows give P and R)"
            print(f"  {row.name}: {'; '.join(found) or 'possible'}{single}")
    print("\nOur result files")
    ours = {row.name: faults(row, *MNRE_TEST, one_run=True) for row in own_rows(RESULTS)}
    for name, found in ours.items():
        print(f"  {name}: {'; '.join(found) or 'possible'}")
    return int(any(ours.values()))


if __name__ == "__main__":
    sys.exit(main())
