"""How far F1 would have moved with other test rows, from nothing but the scores in a result file.

F1 depends on how many rows are hits, hold and got different relations, got one without holding one, hold one without
getting it, or neither. Accuracy, precision, recall and "a relation or none?" give these five counts exactly, and
drawing rows with replacement is a draw of the counts from a multinomial distribution (a bootstrap; Efron and
Tibshirani, "An Introduction to the Bootstrap", 1993). What another seed of training would change is not in it. Two
runs are drawn independently here although their rows are the same, so the interval of their difference is rather too
wide.
"""

import numpy as np

SAMPLES = 10_000
LEVEL = 0.95


def outcome_counts(metrics: dict) -> np.ndarray:
    """Rows of a split that are hits, wrong relations, false alarms, misses, and rightly without a relation; `(5,)`.

    Args:
        metrics: Of the split, from a result file.

    Raises:
        ValueError: The scores are not those of whole rows.
    """
    rows = metrics["rows"]
    related = sum(relation["support"] for relation in metrics["per_relation"].values())
    hits = metrics["recall"] * related
    predicted = hits / metrics["precision"] if hits else _predicted_without_hits(metrics, related)
    neither = metrics["accuracy"] * rows - hits
    both = metrics["none_accuracy"] * rows - neither
    counts = np.array([hits, both - hits, predicted - both, related - both, neither])
    whole = counts.round()
    if np.abs(counts - whole).max() > 1e-3 or whole.min() < 0 or whole.sum() != rows:
        raise ValueError(f"No counts of {rows} rows give these scores; they would be {counts.tolist()}.")
    return whole.astype(int)


def _predicted_without_hits(metrics: dict, related: int) -> float:
    """Precision is 0 however many relations are predicted; the other scores still tell."""
    neither = metrics["accuracy"] * metrics["rows"]
    both = metrics["none_accuracy"] * metrics["rows"] - neither
    return metrics["rows"] - neither - (related - both)


def f1_interval(runs: list[dict]) -> tuple[float, float]:
    """The ends of the interval of the mean F1 of runs; `runs` are the metrics of a split, of each run."""
    return _ends(_drawn_f1(runs, np.random.default_rng(0)))


def difference_interval(ours: list[dict], theirs: list[dict]) -> tuple[float, float]:
    """The ends of the interval of mean F1 of `ours` less that of `theirs`; arguments as of `f1_interval`."""
    random = np.random.default_rng(0)
    return _ends(_drawn_f1(ours, random) - _drawn_f1(theirs, random))


def _drawn_f1(runs: list[dict], random: np.random.Generator) -> np.ndarray:
    """Mean F1 in each draw. Seeds share their rows, so a bad draw for one is taken to be bad for all."""
    means = np.zeros(SAMPLES)
    for metrics in runs:
        counts = outcome_counts(metrics)
        drawn = random.multinomial(counts.sum(), counts / counts.sum(), size=SAMPLES)
        hits, wrong, alarms, misses, _ = drawn.T
        means += np.sort(2 * hits / np.maximum(2 * hits + 2 * wrong + alarms + misses, 1))
    return random.permutation(means / len(runs))


def _ends(drawn: np.ndarray) -> tuple[float, float]:
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)
