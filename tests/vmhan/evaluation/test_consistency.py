"""Can a reported row be true?"""

import json

import numpy as np
import pytest

from vmhan.evaluation.consistency import MNRE_TEST, main
from vmhan.evaluation.metrics import per_relation_metrics, relation_metrics
from vmhan.evaluation.paper_tables import ABLATIONS_MNRE, GAINS_MNRE, GAINS_MORE, MAIN_MNRE, MAIN_MORE, ReportedRow
from vmhan.evaluation.reported_rows import (
    SHARES,
    accuracy_bounds,
    attainable,
    f1_faults,
    false_gains,
    faults,
    positive_shares,
)
from vmhan.evaluation.result_checks import result_faults

NAMES = ["None", "a", "b", "c"]
PRINTED = {row.name: row for row in (*MAIN_MNRE, *ABLATIONS_MNRE)}


def row_of(predictions, labels) -> ReportedRow:
    scores = relation_metrics(predictions, labels, NAMES)
    return ReportedRow("run", *(round(100 * scores[name], 2) for name in ("accuracy", "precision", "recall", "f1")))


@pytest.mark.parametrize("seed", range(20))
def test_whatever_a_real_run_scores_is_possible(seed):
    random = np.random.default_rng(seed)
    labels = random.integers(0, 4, 200)
    predictions = np.where(random.random(200) < seed / 20, labels, random.integers(0, 4, 200))
    sizes = int((labels != 0).sum()), int((labels == 0).sum())
    assert faults(row_of(predictions, labels), *sizes, one_run=True) == []


def test_a_perfect_and_a_silent_run_are_possible():
    labels = np.array([0, 1, 2, 0])
    for predictions in (labels, np.zeros(4, dtype=int)):
        assert faults(row_of(predictions, labels), 2, 2, one_run=True) == []


def test_an_f1_above_its_precision_and_recall_is_not():
    assert "F1 84.47 exceeds" in faults(PRINTED["DGF-PT"], *MNRE_TEST)[0]
    assert "rounded twice" not in faults(PRINTED["DGF-PT"], *MNRE_TEST)[0]
    assert "rounded twice" in f1_faults(ReportedRow("a", None, 50.0, 50.0, 50.015))[0]


def test_a_mean_f1_may_lie_below_that_of_the_means_but_not_in_one_run():
    assert faults(PRINTED["HVPNet"], *MNRE_TEST) == []
    assert any("F1 81.85 falls below" in fault for fault in faults(PRINTED["HVPNet"], *MNRE_TEST, one_run=True))


@pytest.mark.parametrize(
    ("name", "bound", "value"),
    [
        ("MKGformer", 0, 85.83),
        ("MOREformer", 0, 85.93),
        ("DGF-PT", 0, 87.42),
        ("w/o Variational Representation", 1, 92.48),
        ("w/o KL Loss", 1, 93.68),
    ],
)
def test_accuracy_is_bounded_by_the_false_alarms(name, bound, value):
    assert accuracy_bounds(PRINTED[name], *MNRE_TEST)[bound] == pytest.approx(value, abs=0.02)
    assert any("accuracy" in fault for fault in faults(PRINTED[name], *MNRE_TEST))


def test_rows_that_can_be_counted_are_attainable():
    # 296 of 512 predicted, 370 of 574, 438 of 679: the rows of MEGA's paper
    for name in ("Glove+CNN", "MTB", "MEGA"):
        assert attainable(PRINTED[name], *MNRE_TEST)
    assert not attainable(PRINTED["VM-HAN"], *MNRE_TEST)


def test_our_own_results_are_possible(capsys):
    assert main() == 0
    assert "MKGformer: accuracy 83.36 is not within" in capsys.readouterr().out


def made_result(random) -> dict:
    labels, predictions = random.integers(0, 4, (2, 90))
    scores = relation_metrics(predictions, labels, NAMES)
    return {
        "metrics": {"test": {**scores, "rows": 90, "per_relation": per_relation_metrics(predictions, labels, NAMES)}}
    }


def test_a_result_file_with_a_figure_changed_by_hand_is_found():
    result = made_result(np.random.default_rng(0))
    assert result_faults(result, "test") == []
    for name in ("accuracy", "f1", "recall"):
        changed = {**result["metrics"]["test"], name: result["metrics"]["test"][name] + 0.004}
        assert result_faults({"metrics": {"test": changed}}, "test"), name
    changed = result["metrics"]["test"]
    changed["per_relation"]["a"]["recall"] += 0.01
    assert any("hits" in fault for fault in result_faults(result, "test"))


def test_a_figure_changed_by_hand_is_found_where_the_direction_is_unknown():
    result = made_result(np.random.default_rng(0))
    labels, predictions = np.random.default_rng(0).integers(0, 4, (2, 90))
    found = np.where(predictions == 3, 4, predictions)  # the third relation is found the wrong way round
    unknown = relation_metrics(found, labels, [*NAMES, "wrong direction"])
    for relations in ({}, {"per_relation": per_relation_metrics(found, labels, [*NAMES, "wrong direction"])}):
        result["metrics"]["test"]["direction_unknown"] = {**unknown, **relations}
        assert result_faults(result, "test") == []
    for name in ("accuracy", "f1", "recall"):
        changed = {**unknown, name: unknown[name] + 0.004}
        result["metrics"]["test"]["direction_unknown"] = changed
        assert all(fault.startswith("direction unknown: ") for fault in result_faults(result, "test"))
        assert result_faults(result, "test"), name


def test_sizes_come_from_the_result_file_itself(tmp_path, capsys):
    result = made_result(np.random.default_rng(1))
    (tmp_path / "folder").mkdir()
    path = tmp_path / "folder" / "run.json"
    path.write_text(json.dumps(result))
    assert main(tmp_path) == 0
    result["metrics"]["test"]["f1"] = 0.9
    path.write_text(json.dumps(result))
    assert main(tmp_path) == 1
    assert "folder/run: test: F1 90.0 exceeds" in capsys.readouterr().out


def test_shares_of_relations_that_a_row_allows_hold_the_true_one():
    labels, predictions = np.random.default_rng(2).integers(0, 4, (2, 1000))
    true = np.argmin(np.abs(SHARES - (labels != 0).mean()))
    shares = positive_shares(row_of(predictions, labels))
    assert shares[true] and not shares.all()


def test_rows_of_more_agree_on_a_narrow_share_of_relations():
    shares = SHARES[np.all([positive_shares(row) for row in MAIN_MORE], axis=0)]
    assert shares.min() == pytest.approx(0.365, abs=0.002) and shares.max() == pytest.approx(0.389, abs=0.002)


def test_arrows_of_the_table_are_checked_against_its_rows():
    assert false_gains(MAIN_MNRE, GAINS_MNRE) == [
        "recall is 0.46 above CAMIM, not 1.46",
        "f1 is 1.22 above CAMIM, not 1.73",
    ]
    assert false_gains(MAIN_MORE, GAINS_MORE) == ["recall is 1.86 above HVPNet, not 1.97"]
