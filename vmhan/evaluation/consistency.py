"""Can a reported row be true? Precision, recall and the sizes of the split bound all else.

    python -m vmhan.evaluation.consistency            # the paper's tables, and our own result files

Of `positives` rows with a relation and `negatives` without, recall gives the hits, and precision the rows predicted to
hold a relation. What is predicted wrongly fell on rows without a relation or on rows with another one; between these
extremes lies the accuracy. In a single run all of these are whole numbers.

The paper's figures are percent, rounded to two places. A mean over runs need not be attainable by one, and its F1 may
lie below that of the mean precision and recall, but never above, for F1 is concave in them. For MORE the sizes of the
split are not known here, so what is asked is with which share of related pairs its rows are possible. Print has the
direction of pairs given. Our own figures are exact, with the direction given and with it unknown: hits are whole
numbers, for every relation and in sum, and predictions score what the result file says.
"""

import argparse
import json
import math
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from vmhan.evaluation.modes import UNKNOWN_SCORES
from vmhan.evaluation.paper_tables import (
    ABLATIONS_MNRE,
    ABLATIONS_MORE,
    GAINS_MNRE,
    GAINS_MORE,
    MAIN_MNRE,
    MAIN_MORE,
    ReportedRow,
)
from vmhan.evaluation.predictions import differences, predictions_path, read_predictions

#: Rows of MNRE's test split with a relation, and without.
MNRE_TEST = (640, 974)
#: Shares of rows with a relation that are tried where the sizes of a split are not known.
SHARES = np.arange(1, 1000) / 1000
_HALF = 0.005 + 1e-9  # what rounding to two places may hide
_EXACT = 1e-6  # of a count of rows
RESULTS = Path(__file__).resolve().parents[2] / "assets" / "results"


def faults(row: ReportedRow, positives: int, negatives: int, one_run: bool = False) -> list[str]:
    """What cannot be true of a row; empty if all may be.

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
    """Whether F1 is more than precision and recall allow, which not even a mean over runs can be."""
    _, high = f1_bounds(row)
    if row.f1 <= high:
        return []
    hardly = ", by so little that it may have been rounded twice" if row.f1 - high < 2 * _HALF else ""
    return [f"F1 {row.f1} exceeds what precision and recall allow, {high:.3f}{hardly}"]


def one_run_faults(row: ReportedRow, positives: int, negatives: int) -> list[str]:
    """What cannot be true of one run, but may be of a mean over several."""
    low, _ = f1_bounds(row)
    found = [f"F1 {row.f1} falls below what precision and recall give, {low:.3f}"] if row.f1 < low else []
    if not attainable(row, positives, negatives):
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


def positive_shares(row: ReportedRow) -> np.ndarray:
    """Of the shares of rows with a relation in `SHARES`, those with which the accuracy of a row is possible, bool."""
    bounds = [accuracy_bounds(row, share, 1 - share) for share in SHARES]
    return np.array([row.accuracy is None or low <= row.accuracy <= high for low, high in bounds])


def false_gains(rows: tuple[ReportedRow, ...], gains: ReportedRow) -> list[str]:
    """Claimed distances from the second best that the table itself contradicts."""
    ours = next(row for row in rows if row.name == gains.name)
    found = []
    for metric in ReportedRow._fields[1:]:
        rivals = [(getattr(row, metric), row.name) for row in rows if row is not ours and getattr(row, metric)]
        second, name = max(rivals)
        gain = getattr(ours, metric) - second
        if abs(gain - getattr(gains, metric)) > 2 * _HALF:
            found.append(f"{metric} is {gain:.2f} above {name}, not {getattr(gains, metric):.2f}")
    return found


def result_faults(result: dict, split: str) -> list[str]:
    """What cannot be true of the scores of a result file, which are not rounded, in either mode."""
    given = result["metrics"][split]
    positives, rows = sum(relation["support"] for relation in given["per_relation"].values()), given["rows"]
    found = _faults_of_scores(given, split, positives, rows)
    if unknown := given.get(UNKNOWN_SCORES):
        found += [f"direction unknown: {fault}" for fault in _faults_of_scores(unknown, split, positives, rows)]
    return found


def _faults_of_scores(scores: dict, split: str, positives: int, rows: int) -> list[str]:
    """Old files hold no scores of each relation where the direction is unknown."""
    figures = (round(100 * scores[name], 2) for name in ("accuracy", "precision", "recall", "f1"))
    found = faults(ReportedRow(split, *figures), positives, rows - positives, one_run=True)
    if "per_relation" in scores:
        hits = [relation["recall"] * relation["support"] for relation in scores["per_relation"].values()]
        if any(abs(count - round(count)) > _EXACT for count in hits):
            found.append("the recall of a relation gives no whole number of hits")
        if abs(sum(hits) - scores["recall"] * positives) > _EXACT:
            found.append(f"the relations have {sum(hits):.2f} hits, recall gives {scores['recall'] * positives:.2f}")
    right = scores["accuracy"] * rows
    if abs(right - round(right)) > _EXACT:
        found.append(f"accuracy gives {right:.2f} right rows of {rows}")
    return found


def own_faults(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """Each result file below a folder by name, with what cannot be true of it or does not fit its predictions."""
    for path in sorted(folder.glob("*/*.json")):
        result = json.loads(path.read_text(encoding="utf-8"))
        if "metrics" not in result:
            continue
        found = [f"{split}: {fault}" for split in result["metrics"] for fault in result_faults(result, split)]
        if predictions_path(path).is_file():
            found += differences(read_predictions(predictions_path(path)), result)
        yield f"{path.parent.name}/{path.stem}", found


def main(results: Path = RESULTS) -> int:
    """Prints what cannot be true; the exit code is 1 if that concerns a result of our own."""
    for title, rows in (("Table 1", MAIN_MNRE), ("Table 2", ABLATIONS_MNRE)):
        print(f"\n{title}, MNRE")
        for row in rows:
            found = faults(row, *MNRE_TEST)
            alone = one_run_faults(row, *MNRE_TEST)
            single = f" (no single run: {'; '.join(alone)})" if alone else ""
            print(f"  {row.name}: {'; '.join(found) or 'possible'}{single}")
    _print_more()
    for name, rows, gains in (("MNRE", MAIN_MNRE, GAINS_MNRE), ("MORE", MAIN_MORE, GAINS_MORE)):
        print(f"\nArrows of Table 1, {name}: {'; '.join(false_gains(rows, gains)) or 'as the table says'}")
    print("\nOur result files")
    ours = dict(own_faults(results))
    for name, found in ours.items():
        print(f"  {name}: {'; '.join(found) or 'possible'}")
    return int(any(ours.values()))


def _print_more() -> None:
    possible = np.ones(len(SHARES), dtype=bool)
    for title, rows in (("Table 1", MAIN_MORE), ("Table 2", ABLATIONS_MORE)):
        print(f"\n{title}, MORE")
        for row in rows:
            shares = positive_shares(row)
            possible &= shares
            verdict = [*f1_faults(row), f"possible if {_range(shares)} of the pairs hold a relation"]
            print(f"  {row.name}: {'; '.join(verdict)}")
    print(f"  all of them at once: {_range(possible)}")


def _range(shares: np.ndarray) -> str:
    if not shares.any():
        return "no share"
    return f"{100 * SHARES[shares].min():.1f} to {100 * SHARES[shares].max():.1f} %"


if __name__ == "__main__":
    argparse.ArgumentParser(
        prog="python -m vmhan.evaluation.consistency", description=__doc__.splitlines()[0]
    ).parse_args()
    sys.exit(main())
