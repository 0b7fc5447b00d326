"""Confidence intervals of F1, and paired tests of the difference of two runs, by a bootstrap over sentences.

    python -m vmhan.evaluation.bootstrap assets/results/mnre-mini/a.json .../b.json   # F1 of a less b
    ... --mode given                                    # only with the direction of pairs given; by default both modes

Pairs of one sentence are not independent, so whole sentences are drawn with replacement (a cluster bootstrap; Efron
and Tibshirani, "An Introduction to the Bootstrap", 1993). Two runs are scored on the same draws. The p-value is the
share of draws in which the difference deviates from the observed one by at least its own size: how often chance alone
would bring such a difference if there were none (Berg-Kirkpatrick et al., "An Empirical Investigation of Statistical
Significance in NLP", 2012).

By default only rows are drawn: the variance between seeds of training is not in the interval; several seeds are
averaged. With `draw_runs` the runs of each side are drawn with replacement too, and their deviation from the mean is
stretched by the root of n / (n - 1), since n runs drawn from n vary by so much less than n new ones would.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.stats import bootstrap

from vmhan.evaluation.modes import MODES, has_modes, rows_in
from vmhan.evaluation.predictions import SplitPredictions, predictions_path, read_predictions

DESCRIPTION = "Tests the difference of F1 of two runs."
SAMPLES = 10_000
LEVEL = 0.95
_BATCH = 500  # draws that are in memory together
_SAME = 1e-12


class Difference(NamedTuple):
    """F1 of one side less that of the other, its interval and p-value."""

    f1: float
    low: float
    high: float
    p: float


def f1_interval(
    runs: Sequence[SplitPredictions],
    none_id: int,
    rows: np.ndarray | None = None,
    samples: int = SAMPLES,
    seed: int = 0,
    draw_runs: bool = False,
) -> tuple[float, float, float]:
    """Computes micro F1, the mean of several runs, and its confidence interval.

    Args:
        runs: Predictions of the same rows in one mode, as of `vmhan.evaluation.modes.rows_in`, such as those of
            several seeds.
        none_id: Label id that F1 leaves out.
        rows: `(pairs,)`, bool, the rows to score; by default all.
        samples: Number of draws.
        seed: Of the draws.
        draw_runs: Whether runs are drawn too, so that the variance between them is in the interval.

    Returns:
        F1, and the low and the high end of its interval. With one sentence, both ends are F1.

    Raises:
        ValueError: The runs differ in their rows.
    """
    check_same_rows(runs)
    observed, drawn = _draw(_counts(runs, none_id, rows), _mean_of_runs, samples, seed, draw_runs)
    return observed, *_ends(drawn)


def paired_difference(
    ours: Sequence[SplitPredictions],
    theirs: Sequence[SplitPredictions],
    none_id: int,
    samples: int = SAMPLES,
    seed: int = 0,
    draw_runs: bool = False,
) -> Difference:
    """Computes the mean F1 of `ours` less that of `theirs` on the same draws.

    Arguments and errors are those of `f1_interval`.
    """
    check_same_rows([*ours, *theirs])
    counts = _counts([*ours, *theirs], none_id)

    def difference(f1: np.ndarray, random: np.random.Generator | None) -> np.ndarray:
        return _mean_of_runs(f1[: len(ours)], random) - _mean_of_runs(f1[len(ours) :], random)

    observed, drawn = _draw(counts, difference, samples, seed, draw_runs)
    as_large = int(np.sum(np.abs(drawn - observed) >= abs(observed) - _SAME))
    return Difference(observed, *_ends(drawn), (1 + as_large) / (1 + len(drawn)))


def check_same_rows(runs: Sequence[SplitPredictions]) -> None:
    """Checks that runs were scored on the same rows.

    Raises:
        ValueError: They were not; names the first line that only one of them has.
    """
    for run in runs[1:]:
        ours, theirs = (list(zip(split.line.tolist(), split.gold.tolist(), strict=True)) for split in (runs[0], run))
        if ours != theirs:
            other = sorted(set(ours) ^ set(theirs))
            raise ValueError(
                f"The runs were scored on other rows: {len(ours)} and {len(theirs)}, first at line {other[0][0]}. "
                "Compare runs of the same data without skipped lines."
            )


def _counts(runs: Sequence[SplitPredictions], none_id: int, rows: np.ndarray | None = None) -> np.ndarray:
    """`(3, runs, sentences)`: hits, rows predicted to hold a relation and rows that do."""
    kept = slice(None) if rows is None else rows
    _, sentence = np.unique(runs[0].sentence[kept], return_inverse=True)

    def of_sentences(hold: np.ndarray) -> np.ndarray:
        return np.bincount(sentence[hold[kept]], minlength=sentence.max(initial=-1) + 1)

    return np.array(
        [
            [of_sentences((run.predicted == run.gold) & (run.gold != none_id)) for run in runs],
            [of_sentences(run.predicted != none_id) for run in runs],
            [of_sentences(run.gold != none_id) for run in runs],
        ]
    )


def _mean_of_runs(f1: np.ndarray, random: np.random.Generator | None) -> np.ndarray:
    """Averages F1 over runs, (runs, draws) to (draws,); with `random`, over runs drawn anew for each draw."""
    mean, runs = f1.mean(axis=0), len(f1)
    if random is None or runs < 2:
        return mean
    chosen = random.integers(runs, size=f1.shape)  # (runs, draws)
    deviation = np.take_along_axis(f1, chosen, axis=0).mean(axis=0) - mean  # (draws,)
    return mean + (runs / (runs - 1)) ** 0.5 * deviation


def _draw(
    counts: np.ndarray,
    score: Callable[[np.ndarray, np.random.Generator | None], np.ndarray],
    samples: int,
    seed: int,
    draw_runs: bool,
) -> tuple[float, np.ndarray]:
    """The observed score, and `(draws,)` that of each draw; `score` takes F1, `(runs, draws)`, and what draws runs."""
    runs = np.random.default_rng(seed + 1) if draw_runs else None

    def f1_of(sentences: np.ndarray) -> np.ndarray:
        hits, predicted, gold = counts[..., sentences].sum(axis=-1)  # each (runs, draws)
        return 2 * hits / np.maximum(predicted + gold, 1)

    everything = np.arange(counts.shape[-1])
    observed = float(score(f1_of(everything[None]), None)[0])
    if len(everything) < 2:
        return observed, np.full(samples, observed)
    result = bootstrap(
        (everything,),
        lambda sentences, axis: score(f1_of(sentences), runs),
        n_resamples=samples,
        batch=_BATCH,
        vectorized=True,
        method="percentile",
        rng=np.random.default_rng(seed),
    )
    return observed, result.bootstrap_distribution


def _ends(drawn: np.ndarray) -> tuple[float, float]:
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def main(argv: list[str]) -> None:
    """Prints the difference of two runs, a line for each mode, the main one first."""
    parser = argparse.ArgumentParser(prog="python -m vmhan.evaluation.bootstrap", description=DESCRIPTION)
    parser.add_argument("runs", nargs=2, type=Path, help="result files, whose predictions lie beside them")
    parser.add_argument("--split", default="test", help="validation or test (default: test)")
    parser.add_argument("--mode", choices=MODES, help="whether the direction of pairs is given; by default both")
    parser.add_argument("--samples", type=int, default=SAMPLES, help="draws of the bootstrap")
    parser.add_argument("--seed", type=int, default=0, help="of the draws")
    args = parser.parse_args(argv)
    ours, theirs = (read_predictions(predictions_path(run)) for run in args.runs)
    splits = ours.splits[args.split], theirs.splits[args.split]
    if not all(map(has_modes, splits)):
        if any(map(has_modes, splits)):
            alone = args.runs[[has_modes(rows) for rows in splits].index(False)]
            raise ValueError(f"The pairs of {alone} stand in one direction only; compare it with such a run.")
        print(_compare(splits, ours.none_id, args))
        return
    for mode in [args.mode] if args.mode else MODES:
        rows = [rows_in(split, mode) for split in splits]
        print(f"direction {mode}: {_compare(rows, ours.none_id, args)}")


def _compare(rows: Sequence[SplitPredictions], none_id: int, args: argparse.Namespace) -> str:
    return describe(paired_difference([rows[0]], [rows[1]], none_id, args.samples, args.seed))


def describe(difference: Difference) -> str:
    """Renders a difference as a line of text, in percent."""
    f1, low, high = (f"{100 * value:+.1f}" for value in difference[:3])
    return f"F1 {f1} ({100 * LEVEL:.0f} % interval {low} to {high}), p = {difference.p:.2g}"


if __name__ == "__main__":
    main(sys.argv[1:])
