"""The two modes of a split: what was answered, and what it scores."""

import numpy as np
import pytest

from vmhan.evaluation.modes import GIVEN, MODES, UNKNOWN, has_modes, metrics_in, rows_in, score_rows
from vmhan.evaluation.predictions import RunPredictions, SplitPredictions

NAMES = ["None", "a", "b"]
GOLD = np.array([1, 2, 0, 1])


def split_of(**unknown) -> SplitPredictions:
    """Right where the direction is given."""
    rows, scores = np.arange(len(GOLD)), np.array([[0.9], [0.8], [0.7], [0.6]])
    return SplitPredictions(rows + 1, rows, GOLD, GOLD[:, None], scores, **unknown)


def both_ways() -> SplitPredictions:
    """Where it is unknown, one relation is found the wrong way round and one is missed."""
    top = np.array([[1, 0], [3, 3], [0, 1], [0, 1]])
    scores = np.array([[0.5, 0.4], [0.6, 0.2], [0.7, 0.2], [0.8, 0.1]])
    before = np.array([0.55, 0.65, 0.75, 0.85])
    return split_of(direction_unknown=top[:, 0], unknown_top=top, unknown_scores=scores, unknown_uncalibrated=before)


def test_answers_are_those_of_the_mode():
    unknown, given = (rows_in(both_ways(), mode) for mode in MODES)
    assert unknown.predicted.tolist() == [1, 3, 0, 0] and unknown.confidence.tolist() == [0.5, 0.6, 0.7, 0.8]
    assert unknown.uncalibrated.tolist() == [0.55, 0.65, 0.75, 0.85]
    assert given.predicted.tolist() == GOLD.tolist() and given.confidence.tolist() == [0.9, 0.8, 0.7, 0.6]
    assert given.uncalibrated is None and not has_modes(unknown) and not has_modes(given)


def test_old_files_have_answers_without_scores():
    unknown = rows_in(split_of(direction_unknown=np.array([1, 3, 0, 0])), UNKNOWN)
    assert unknown.predicted.tolist() == [1, 3, 0, 0] and unknown.confidence is None


def test_pairs_with_one_way_round_are_the_same_in_both_modes():
    for mode in MODES:
        rows = rows_in(split_of(), mode)
        assert rows.predicted.tolist() == GOLD.tolist() and rows.confidence.tolist() == [0.9, 0.8, 0.7, 0.6]


def test_scores_are_those_of_the_mode():
    predictions = RunPredictions(NAMES, {}, "", {"test": both_ways()})
    unknown, given = (score_rows(predictions, "test", mode) for mode in MODES)
    assert given["f1"] == 1 and (unknown["precision"], unknown["recall"]) == pytest.approx((1 / 2, 1 / 3))
    assert list(unknown["per_relation"]) == ["a", "b"] and unknown["per_relation"]["b"]["f1"] == 0
    assert unknown["macro_f1"] == pytest.approx((2 / 3 + 0) / 2)


def test_main_scores_of_a_result_file_are_of_the_mode_that_users_get():
    both = {"f1": 0.6, "direction_unknown": {"f1": 0.5}}
    assert metrics_in(both, UNKNOWN)["f1"] == 0.5 and metrics_in(both, GIVEN)["f1"] == 0.6
    assert metrics_in({"f1": 0.6}, UNKNOWN)["f1"] == 0.6 and metrics_in({"f1": 0.6}, GIVEN) is None
