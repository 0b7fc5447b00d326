"""Intervals from the scores of result files."""

import json
from pathlib import Path

import numpy as np
import pytest

from train.intervals import SAMPLES, difference_interval, f1_interval, outcome_counts
from train.metrics import per_relation_metrics, relation_metrics

NAMES = ["None", "a", "b", "c"]


def metrics_of(gold, predicted):
    return {
        "rows": len(gold),
        **relation_metrics(predicted, gold, NAMES),
        "per_relation": per_relation_metrics(predicted, gold, NAMES),
    }


def random_split(rows=400, right=0.6, seed=0):
    random = np.random.default_rng(seed)
    gold = random.choice(4, size=rows, p=[0.55, 0.2, 0.15, 0.1])
    return gold, np.where(random.random(rows) < right, gold, random.integers(0, 4, rows))


@pytest.mark.parametrize("seed", range(5))
def test_counts_are_those_of_the_rows(seed):
    gold, predicted = random_split(right=[0, 0.3, 0.6, 0.9, 1][seed], seed=seed)
    related, got = gold > 0, predicted > 0
    expected = [
        np.sum(related & (gold == predicted)),
        np.sum(related & got & (gold != predicted)),
        np.sum(~related & got),
        np.sum(related & ~got),
        np.sum(~related & ~got),
    ]
    assert outcome_counts(metrics_of(gold, predicted)).tolist() == expected


def test_counts_without_any_hit():
    gold, predicted = np.array([0, 1, 2, 0, 1, 3]), np.array([1, 2, 0, 0, 0, 1])
    assert outcome_counts(metrics_of(gold, predicted)).tolist() == [0, 2, 1, 2, 1]
    assert outcome_counts(metrics_of(gold, np.zeros(6, dtype=int))).tolist() == [0, 0, 0, 4, 2]


def test_scores_of_no_whole_rows_are_refused():
    metrics = {**metrics_of(*random_split()), "precision": 0.5123}
    with pytest.raises(ValueError, match="No counts of 400 rows"):
        outcome_counts(metrics)


def test_interval_is_that_of_drawing_the_rows_themselves():
    gold, predicted = random_split()
    random = np.random.default_rng(1)
    drawn = []
    for _ in range(2000):
        rows = random.integers(0, len(gold), len(gold))
        drawn.append(relation_metrics(predicted[rows], gold[rows], NAMES)["f1"])
    low, high = f1_interval([metrics_of(gold, predicted)])
    assert (low, high) == pytest.approx(tuple(np.quantile(drawn, [0.025, 0.975])), abs=0.006)


def test_several_seeds_do_not_make_the_test_rows_more():
    split = metrics_of(*random_split())
    assert f1_interval([split] * 3) == pytest.approx(f1_interval([split]), abs=0.004)


def test_difference_leaves_zero_out_only_if_it_is_large():
    good, same, bad = (metrics_of(*random_split(right=right)) for right in (0.8, 0.79, 0.4))
    low, high = difference_interval([bad], [good])
    assert low < high < 0
    low, high = difference_interval([same], [good])
    assert low < 0 < high
    assert SAMPLES >= 10_000


def test_result_files_of_ours_have_such_counts():
    for path in sorted(Path("assets/results").glob("mnre-*/*.json")):
        test = json.loads(path.read_text(encoding="utf-8"))["metrics"]["test"]
        hits, wrong, alarms, misses, _ = outcome_counts(test)
        assert test["f1"] == pytest.approx(2 * hits / (2 * hits + 2 * wrong + alarms + misses))
