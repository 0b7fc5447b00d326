"""AUROC against plain loops, and what a second score adds to the confidence."""

from itertools import product

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from vmhan.evaluation.uncertainty import (
    Answers,
    added_across_halves,
    added_to_confidence,
    auroc,
    measure_auroc,
    weighted_auroc,
)


def auroc_by_loop(score, right) -> float:
    """One pair of a right and a wrong answer after the other; equal scores count half."""
    ordered = pairs = 0.0
    for (s, ok), (t, other) in product(zip(score, right, strict=True), repeat=2):
        if ok and not other:
            pairs += 1
            ordered += 1.0 if s > t else 0.5 if s == t else 0.0
    return ordered / pairs


def test_example_of_the_module():
    assert auroc([0.9, 0.7, 0.7, 0.2], [True, False, True, False]) == pytest.approx(3.5 / 4)


@pytest.mark.parametrize("seed", range(5))
def test_area_equals_a_plain_loop_and_scikit_learn_with_ties(seed):
    random = np.random.default_rng(seed)
    score, right = random.integers(6, size=50) / 6, random.random(50) < 0.6
    assert auroc(score, right) == pytest.approx(auroc_by_loop(score, right))
    assert auroc(score, right) == pytest.approx(roc_auc_score(right, score))


@pytest.mark.parametrize("right", [[True, True], [False, False], []])
def test_where_all_answers_are_alike_there_is_no_area(right):
    assert auroc([0.5] * len(right), right) is None


def test_scores_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="1 scores for 2 answers"):
        auroc([0.5], [True, False])
    with pytest.raises(ValueError, match="row 1 is no number"):
        auroc([0.5, float("nan")], [True, False])


def test_weights_count_rows_as_often():
    random = np.random.default_rng(0)
    score, right = random.integers(5, size=12) / 5, np.arange(12) % 3 > 0
    weights = random.integers(4, size=(7, 12))
    for times, area in zip(weights, weighted_auroc(score, right, weights.astype(float)), strict=True):
        assert area == pytest.approx(auroc_by_loop(np.repeat(score, times), np.repeat(right, times)))
    assert np.isnan(weighted_auroc(score, right, right[None].astype(float))).all(), "no wrong answer was drawn"


def answers_of(confidence, right, doubt, named=None, sentence=None) -> Answers:
    """Of two labels, the first of which is the answer."""
    confidence = np.asarray(confidence, dtype=float)
    rows = np.arange(len(confidence))
    return Answers(
        np.stack([confidence, 1 - confidence], axis=1),
        np.asarray(right, dtype=bool),
        np.ones(len(rows), dtype=bool) if named is None else np.asarray(named, dtype=bool),
        rows if sentence is None else np.asarray(sentence),
        {"variance": np.asarray(doubt, dtype=float)},
    )


def test_doubt_is_ranked_from_high_to_low_and_kinds_of_answers_apart():
    right, named = [True, True, False, False, True, False], [1, 1, 1, 1, 0, 0]
    areas = measure_auroc(answers_of([0.9, 0.8, 0.7, 0.6, 0.9, 0.95], right, [1, 2, 3, 4, 6, 5], named))
    assert areas["confidence"]["relations"] == 1 and areas["confidence"]["no_relation"] == 0
    assert areas["variance"]["relations"] == 1 and areas["variance"]["no_relation"] == 0
    assert areas["confidence"]["all"] == pytest.approx(auroc_by_loop([0.9, 0.8, 0.7, 0.6, 0.9, 0.95], right))
    assert areas["entropy"] == areas["confidence"], "of two labels, they rank alike"


def invented(seed: int, rows: int, informative: bool) -> Answers:
    """Answers whose doubt knows as much of their being right as the confidence does, or nothing."""
    random = np.random.default_rng(seed)
    known, other = random.normal(size=(2, rows))
    right = random.random(rows) < 1 / (1 + np.exp(-2 * known - 2 * other * informative))
    confidence = 0.5 + 0.5 / (1 + np.exp(-known))
    return answers_of(confidence, right, np.exp(-other), sentence=np.arange(rows) // 2)


def test_a_doubt_that_knows_more_adds_and_one_that_knows_nothing_does_not():
    added = added_to_confidence([invented(0, 600, True)], [invented(1, 600, True)], "variance", samples=200)
    assert added.low > 0.03 and added.low < added.gain < added.high
    nothing = added_to_confidence([invented(0, 600, False)], [invented(1, 600, False)], "variance", samples=200)
    assert nothing.low < 0 < nothing.high + 0.005 and abs(nothing.gain) < 0.02


def test_gain_is_the_area_of_the_regression_less_that_of_the_confidence():
    """With the regression's formula anew: the log-odds of the confidence, and the rank of the doubt in the fit."""
    from sklearn.linear_model import LogisticRegression

    fit, read = invented(0, 80, True), invented(1, 60, True)
    added = added_to_confidence([fit], [read], "variance", samples=50)

    def features(answers):
        ranks = [sum(known < value for known in fit.doubts["variance"]) / 80 for value in answers.doubts["variance"]]
        return [[np.log(c / (1 - c)), rank] for c, rank in zip(answers.confidence, ranks, strict=True)]

    score = LogisticRegression().fit(features(fit), fit.right).predict_proba(features(read))[:, 1]
    assert added.auroc == pytest.approx(auroc_by_loop(score, read.right))
    assert added.gain == pytest.approx(added.auroc - auroc_by_loop(read.confidence, read.right))


def test_units_of_a_doubt_change_nothing():
    fit, read = invented(0, 80, True), invented(1, 60, True)
    first = added_to_confidence([fit], [read], "variance", samples=50)
    for answers in (fit, read):
        answers.doubts = {"variance": 1e6 * answers.doubts["variance"] ** 3}
    assert added_to_confidence([fit], [read], "variance", samples=50) == first


def test_runs_are_averaged_and_drawn():
    fits, reads = [invented(0, 200, True), invented(2, 200, False)], [invented(1, 200, True), invented(3, 200, False)]
    alone = [
        added_to_confidence([fit], [read], "variance", samples=200) for fit, read in zip(fits, reads, strict=True)
    ]
    both = added_to_confidence(fits, reads, "variance", samples=200)
    assert both.gain == pytest.approx((alone[0].gain + alone[1].gain) / 2)
    assert both.low < alone[1].high and both.high > alone[0].low, "drawing runs widens the interval to both"


def test_runs_may_have_answered_other_rows():
    """As those that name a relation are other rows for each run."""
    fit, read = invented(0, 200, True), invented(1, 200, True)
    some = [read.select(np.arange(200) % 3 > 0), read.select(np.arange(200) % 4 > 0)]
    alone = [added_to_confidence([fit], [rows], "variance", samples=20) for rows in some]
    both = added_to_confidence([fit, fit], some, "variance", samples=20)
    assert both.auroc == pytest.approx((alone[0].auroc + alone[1].auroc) / 2)


def test_one_split_is_fitted_and_read_in_turns():
    added = added_across_halves([invented(0, 600, True)], "variance", samples=100)
    assert added.gain > 0.03
    right_by_doubt = answers_of([0.8] * 40, np.arange(40) % 2, [0.1] * 40, sentence=np.arange(40) // 2)
    assert added_across_halves([right_by_doubt], "variance", samples=50).auroc == pytest.approx(0.5)


def test_where_all_answers_are_right_nothing_can_be_added():
    alike, mixed = answers_of([0.9, 0.8], [1, 1], [1, 2]), answers_of([0.9, 0.8], [1, 0], [1, 2])
    assert added_to_confidence([alike], [mixed], "variance") is None
    assert added_to_confidence([mixed], [alike], "variance") is None
    assert added_across_halves([mixed], "variance") is None
