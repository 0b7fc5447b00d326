"""How well a score tells right answers from wrong ones, and what another score adds to it.

The area under the ROC curve (AUROC) is the probability that a right answer has a higher score than a wrong one, ties
counted half: a statistic of ranks (Hanley and McNeil, 1982), 0.5 by chance. A score that should rise where answers are
wrong, such as a variance or an entropy, is ranked from high to low. What it adds to the confidence is the area of a
logistic regression of both, fitted on one split and read on another, less that of the confidence alone.

Example: of four answers with confidences 0.9, 0.7, 0.7 and 0.2 the first and the third are right. Of the four pairs of
a right and a wrong answer three are in order and one is tied: the area is 3.5 / 4.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import entropy

from vmhan.evaluation.bootstrap import LEVEL

#: Draws of the interval of what a score adds.
SAMPLES = 2_000
_BATCH = 250  # draws that are in memory together
_LEAST_DOUBT = 1e-6  # where a confidence is cut off before its logarithm


@dataclass
class Answers:
    """Answers of a model to the pairs of a split in one mode; every array begins with `(pairs,)`.

    Args:
        scores: `(pairs, labels)`, the probabilities that are shown.
        right: Whether the answer is right, its direction included.
        named: Whether it names a relation.
        sentence: Number of its sentence.
        doubts: Further columns, higher for answers that are more doubtful.
    """

    scores: np.ndarray
    right: np.ndarray
    named: np.ndarray
    sentence: np.ndarray
    doubts: Mapping[str, np.ndarray]

    @property
    def confidence(self) -> np.ndarray:
        """The probability of the answer."""
        return self.scores.max(axis=-1)

    def select(self, rows: np.ndarray) -> "Answers":
        """Selects some of the rows."""
        of_rows = {name: doubt[rows] for name, doubt in self.doubts.items()}
        return Answers(self.scores[rows], self.right[rows], self.named[rows], self.sentence[rows], of_rows)


class Added(NamedTuple):
    """Area of confidence and a doubt together, its gain over the confidence alone, and the interval of the gain."""

    auroc: float
    gain: float
    low: float
    high: float


def auroc(score: ArrayLike, right: ArrayLike) -> float | None:
    """Computes the area under the ROC curve of a score; None where all answers are right, or all wrong.

    Args:
        score: `(pairs,)`, higher for answers that are surer.
        right: `(pairs,)`, bool.

    Raises:
        ValueError: The two differ in length, or a score is no number.
    """
    score, right = np.asarray(score, dtype=float), np.asarray(right, dtype=bool)
    if score.shape != right.shape:
        raise ValueError(f"{len(score)} scores for {len(right)} answers; pass one for each.")
    if np.isnan(score).any():
        raise ValueError(f"The score of row {np.flatnonzero(np.isnan(score))[0]} is no number.")
    area = weighted_auroc(score, right, np.ones((1, len(right))))[0]
    return None if np.isnan(area) else float(area)


def weighted_auroc(score: np.ndarray, right: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Computes the area with weighted rows, such as those of bootstrap draws.

    Args:
        score, right: `(pairs,)`, as of `auroc`.
        weights: `(draws, pairs)`, how often each row counts.

    Returns:
        `(draws,)`; NaN where all answers are right, or all wrong.
    """
    if not len(score):
        return np.full(len(weights), np.nan)
    order = np.argsort(score, kind="stable")
    first_of_ties = np.flatnonzero(np.diff(score[order], prepend=-np.inf))  # (distinct scores,)
    of_right, of_wrong = (
        np.add.reduceat(weights[:, order] * kept[order], first_of_ties, axis=1) for kept in (right, ~right)
    )  # (draws, distinct scores)
    wrong_below = of_wrong.cumsum(axis=1) - of_wrong / 2
    pairs = of_right.sum(axis=1) * of_wrong.sum(axis=1)  # (draws,)
    with np.errstate(invalid="ignore"):
        return np.where(pairs > 0, (of_right * wrong_below).sum(axis=1), np.nan) / np.where(pairs > 0, pairs, 1)


def measure_auroc(answers: Answers) -> dict[str, dict[str, float | None]]:
    """Computes the areas of confidence, entropy and every doubt.

    Returns:
        By the name of the score that of `all` answers, of those that name a relation, `relations`, and of the others,
        `no_relation`.
    """
    ranked_by = {"confidence": answers.confidence, "entropy": -entropy(answers.scores, axis=-1)}
    ranked_by |= {name: -doubt for name, doubt in answers.doubts.items()}
    kinds = {"all": np.ones_like(answers.named), "relations": answers.named, "no_relation": ~answers.named}
    return {
        name: {kind: auroc(score[kept], answers.right[kept]) for kind, kept in kinds.items()}
        for name, score in ranked_by.items()
    }


def added_to_confidence(
    fitted: Sequence[Answers], read: Sequence[Answers], doubt: str, samples: int = SAMPLES, seed: int = 0
) -> Added | None:
    """Computes what a doubt adds to the confidence.

    The interval is that of a bootstrap over sentences and, with several runs, over runs.

    Args:
        fitted: Answers of each run on the split on which the regression is fitted.
        read: Those on the split on which it is read.
        doubt: Name of the column.
        samples, seed: Number of draws, and their seed.

    Returns:
        None where all answers of a split are right, or all wrong.
    """
    if any(answers.right.all() or not answers.right.any() for answers in (*fitted, *read)):
        return None
    combined = [_combine(of_fit, of_read, doubt) for of_fit, of_read in zip(fitted, read, strict=True)]
    return _gain(read, combined, samples, seed)


def added_across_halves(answers: Sequence[Answers], doubt: str, samples: int = SAMPLES, seed: int = 0) -> Added | None:
    """Computes what a doubt adds to the confidence on one split: fitted on half of the sentences, read on the others.

    Arguments and results are those of `added_to_confidence`.
    """
    combined = []
    for of_run in answers:
        odd = of_run.sentence % 2 == 1
        of_odd, of_even = of_run.select(odd), of_run.select(~odd)
        if any(half.right.all() or not half.right.any() for half in (of_odd, of_even)):
            return None
        score = np.empty(len(odd))
        score[odd], score[~odd] = _combine(of_even, of_odd, doubt), _combine(of_odd, of_even, doubt)
        combined.append(score)
    return _gain(answers, combined, samples, seed)


def _combine(fitted: Answers, read: Answers, doubt: str) -> np.ndarray:
    """Fits a logistic regression of confidence and doubt; returns its log-odds of the rows to read, `(pairs,)`."""
    from sklearn.linear_model import LogisticRegression  # here: result files are read without scikit-learn

    known = np.sort(fitted.doubts[doubt])

    def features(answers: Answers) -> np.ndarray:
        confidence = np.clip(answers.confidence, _LEAST_DOUBT, 1 - _LEAST_DOUBT)
        rank = np.searchsorted(known, answers.doubts[doubt]) / len(known)  # the unit of a doubt says nothing
        return np.stack([np.log(confidence / (1 - confidence)), rank], axis=1)  # (pairs, 2)

    return LogisticRegression().fit(features(fitted), fitted.right).decision_function(features(read))


def _gain(read: Sequence[Answers], combined: Sequence[np.ndarray], samples: int, seed: int) -> Added:
    """Computes the mean area of combined scores, less that of confidences, with its interval."""
    random = np.random.default_rng(seed)
    sentences = np.unique(np.concatenate([answers.sentence for answers in read]))
    number = len(sentences)

    def areas(counts: np.ndarray) -> np.ndarray:
        """`(2, runs, draws)`: of the combined scores and of the confidences, with sentences `counts` times."""
        found = []
        for score, answers in zip(combined, read, strict=True):
            weights = counts[:, np.searchsorted(sentences, answers.sentence)].astype(float)  # (draws, pairs)
            found.append([weighted_auroc(s, answers.right, weights) for s in (score, answers.confidence)])
        return np.array(found).swapaxes(0, 1)

    together, alone = areas(np.ones((1, number)))[..., 0].mean(axis=1)
    gains = []
    for start in range(0, samples, _BATCH):
        draws = min(_BATCH, samples - start)
        counts = random.multinomial(number, np.full(number, 1 / number), size=draws)  # (draws, sentences)
        drawn_runs = random.integers(len(read), size=(len(read), draws))
        with_doubt, without = areas(counts)  # (runs, draws)
        gains.append(np.take_along_axis(with_doubt - without, drawn_runs, axis=0).mean(axis=0))
    low, high = np.nanquantile(np.concatenate(gains), [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Added(float(together), float(together - alone), float(low), float(high))
