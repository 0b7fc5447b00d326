"""Which direction is chosen where none is given, and what both modes score."""

import numpy as np
import pytest
from transformers import EvalPrediction

from vmhan.evaluation.metrics import relation_metrics
from vmhan.evaluation.mode_logits import ModeLogits, both_modes_metrics, found_labels, make_compute_metrics

NAMES = ["None", "born_in", "works_for", "part_of"]


def test_direction_is_the_one_in_which_a_relation_is_likelier():
    symmetric = [False, False, False, True]
    wrong_way, unsure, sure = [9, 0, 1, 0], [2, 0, 3, 0], [0, 0, 5, 0]
    as_annotated = np.array([sure, unsure, unsure, wrong_way, wrong_way])
    reverse = np.array([unsure, sure, [0, 0, 0, 5], [0, 0, 0, 5], [5, 0, 0, 0]])
    logits = ModeLogits.choose_direction(as_annotated, as_annotated, reverse, 0)
    assert logits.turned.tolist() == [False, True, True, True, True]
    assert logits.chosen.tolist() == [sure, sure, [0, 0, 0, 5], [0, 0, 0, 5], [5, 0, 0, 0]]
    found = both_modes_metrics(logits, [2, 2, 3, 3, 0], NAMES, "None", symmetric)[2]
    # directed relations hold one way round only, symmetric ones both; no relation is no relation
    assert found.tolist() == [2, 4, 3, 3, 0]


def test_labels_of_a_turned_pair_hold_only_if_they_are_symmetric_or_none():
    labels, turned = np.array([[0, 1, 3], [0, 1, 3]]), np.array([False, True])
    assert found_labels(labels, turned, 0, [False, False, False, True]).tolist() == [[0, 1, 3], [0, 4, 3]]


def test_validation_is_scored_in_both_modes_whatever_the_order_of_its_rows():
    """Against the same scores, computed from rows that nobody has shuffled."""
    generator = np.random.default_rng(0)
    logits, gold = generator.normal(size=(3, 20, len(NAMES))), generator.integers(len(NAMES), size=20)
    symmetric, order = [False, False, True, False], generator.permutation(60)
    modes = ModeLogits.choose_direction(*logits, 0)
    given, unknown, _ = both_modes_metrics(modes, gold, NAMES, "None", symmetric)
    shuffled = np.argsort(order)  # row i of the evaluation is row shuffled[i] of the modes
    compute = make_compute_metrics(NAMES, "None", symmetric, lambda values: np.split(values[order], 3))
    rows, labels = logits.reshape(60, -1)[shuffled], np.tile(gold, 3)[shuffled]
    expected = {**given, **{f"direction_unknown_{name}": value for name, value in unknown.items()}}
    assert compute(EvalPrediction(rows, labels)) == expected
    assert given["f1"] != unknown["f1"], "or the two modes could be mistaken for each other"


@pytest.mark.parametrize("with_other_outputs", [False, True])
def test_compute_metrics_takes_the_best_logit_of_each_pair(with_other_outputs):
    predictions, labels = np.random.default_rng(0).integers(len(NAMES), size=(2, 60))
    logits = np.eye(len(NAMES))[predictions] - 3
    outputs = (logits, np.zeros((2, 5))) if with_other_outputs else logits
    metrics = make_compute_metrics(NAMES)(EvalPrediction(predictions=outputs, label_ids=labels))
    assert metrics == relation_metrics(predictions, labels, NAMES)


def test_unknown_no_relation_is_refused_before_any_training():
    with pytest.raises(ValueError, match=r"no_relation 'none' is not among the label names .*'None'"):
        make_compute_metrics(NAMES, "none")
