"""Calibration: bins of confidence, and their distance from accuracy."""

import numpy as np
import pytest

from vmhan.evaluation.calibration import (
    calibration_of,
    describe_confidence,
    expected_calibration_error,
    fit_temperatures,
    reliability,
)
from vmhan.evaluation.predictions import SplitPredictions


def test_error_of_two_rows_by_hand():
    assert expected_calibration_error(reliability([0.9, 0.9], [True, False])) == pytest.approx(0.4)
    assert expected_calibration_error(reliability([0.9, 0.1], [True, False])) == pytest.approx(0.1)


def test_perfectly_calibrated_answers_have_no_error():
    random = np.random.default_rng(0)
    confidence = random.random(200_000)
    correct = random.random(200_000) < confidence
    assert expected_calibration_error(reliability(confidence, correct)) < 0.01


def test_every_row_is_in_one_bin_and_upper_edges_belong_to_it():
    bins = reliability([0.0, 0.2, 0.4, 1.0], [True] * 4, bins=5)
    assert [of_bin["rows"] for of_bin in bins] == [2, 1, 0, 0, 1]
    assert bins[2]["accuracy"] is None


def test_error_weighs_bins_by_their_rows():
    confidence, correct = [0.95] * 9 + [0.15], [True] * 9 + [True]
    expected = 0.9 * 0.05 + 0.1 * 0.85
    assert expected_calibration_error(reliability(confidence, correct)) == pytest.approx(expected)


def test_no_rows_have_no_error():
    assert expected_calibration_error(reliability([], [])) == 0.0


def test_logits_are_refused():
    with pytest.raises(ValueError, match=r"row 1 is 3\.2"):
        reliability([0.5, 3.2], [True, True])
    with pytest.raises(ValueError, match="row 0 is nan"):
        reliability([float("nan")], [True])
    with pytest.raises(ValueError, match="pass one for each"):
        reliability([0.5], [True, True])


def test_fitted_temperatures_make_relations_and_their_absence_as_sure_as_they_are_right():
    """Relations are answered too surely and "None" too shyly: one temperature could not mend both."""
    random = np.random.default_rng(0)
    true = random.normal(size=(40_000, 4)) * 2
    none_id = 1
    chance = np.exp(true) / np.exp(true).sum(axis=1, keepdims=True)
    gold = (chance.cumsum(axis=1) < random.random((len(true), 1))).sum(axis=1)
    predicted = true.argmax(axis=1)
    logits = true * np.where(predicted == none_id, 0.7, 1.6)[:, None]
    fitted = fit_temperatures(logits, predicted, gold, none_id)
    assert fitted["relation"]["temperature"] == pytest.approx(1.6, rel=0.05)
    assert fitted["no_relation"]["temperature"] == pytest.approx(0.7, rel=0.05)
    assert [of_kind["bias"] for of_kind in fitted.values()] == pytest.approx([0, 0], abs=0.1)


def test_too_few_pairs_leave_the_scores_alone():
    unchanged = {"temperature": 1.0, "bias": 0.0}
    fitted = fit_temperatures(np.eye(4), [0, 1, 2, 3], [0, 0, 0, 0], 0)
    assert fitted == {"no_relation": unchanged, "relation": unchanged}


def test_bias_makes_answers_that_are_seldom_right_less_sure():
    random = np.random.default_rng(0)
    logits = random.normal(size=(20_000, 3)) * 2
    predicted = logits.argmax(axis=1)
    chance = np.exp(logits).max(axis=1) / np.exp(logits).sum(axis=1)
    odds = chance / (1 - chance) * np.exp(-0.7)  # right less often than they say, at every confidence
    gold = np.where(random.random(len(logits)) < odds / (1 + odds), predicted, (predicted + 1) % 3)
    fitted = fit_temperatures(logits, predicted, gold, none_id=0)
    assert fitted["relation"]["bias"] == pytest.approx(-0.7, abs=0.15)


def test_answers_are_described_by_their_mean_confidence_and_accuracy():
    told = describe_confidence([0.9, 0.7], [True, False])
    assert (told["rows"], told["confidence"], told["accuracy"]) == (2, pytest.approx(0.8), 0.5)
    assert told["expected_error"] == pytest.approx((0.1 + 0.7) / 2) and sum(b["rows"] for b in told["bins"]) == 2
    nothing = describe_confidence([], [])
    assert (nothing["rows"], nothing["confidence"], nothing["accuracy"]) == (0, None, None)


def rows_of(predicted, gold, confidence, uncalibrated=None) -> SplitPredictions:
    rows, top = np.arange(len(gold)), np.array(predicted)[:, None]
    return SplitPredictions(rows + 1, rows, np.array(gold), top, confidence, uncalibrated=uncalibrated)


def test_relations_that_are_named_are_described_apart_from_other_answers():
    rows = rows_of([1, 2, 0, 0], [1, 1, 0, 2], np.array([[0.8], [0.9], [0.6], [0.7]]))
    told = calibration_of(rows, none_id=0)["calibrated"]
    assert told["relations"]["confidence"] == pytest.approx(0.85) and told["relations"]["accuracy"] == 0.5
    assert told["no_relation"]["confidence"] == pytest.approx(0.65) and told["no_relation"]["rows"] == 2
    assert told["all"]["rows"] == 4 and told["all"]["confidence"] == pytest.approx(0.75)


def test_error_without_the_temperatures_is_told_beside_that_with_them():
    before = np.array([0.9, 0.9])
    told = calibration_of(rows_of([1, 1], [1, 2], np.array([[0.5], [0.5]]), before), none_id=0)
    assert told["calibrated"]["relations"]["expected_error"] == pytest.approx(0)
    assert told["uncalibrated"]["relations"]["expected_error"] == pytest.approx(0.4)
    plain = calibration_of(rows_of([1, 1], [1, 2], np.array([[0.5], [0.5]])), none_id=0)
    assert plain.keys() == {"calibrated"}, "an old file does not tell"


def test_without_scores_there_is_no_calibration():
    assert calibration_of(rows_of([1], [1], None), none_id=0) is None
