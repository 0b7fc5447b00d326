"""`vmhan/evaluation/metrics.py` against hand counts, a plain loop and the printed rows of Table 1."""

import numpy as np
import pytest

from vmhan.evaluation.metrics import WRONG_DIRECTION, per_relation_metrics, relation_metrics

NAMES = ["None", "born_in", "works_for", "part_of"]


def divide(numerator, denominator):
    return numerator / denominator if denominator else 0.0


def scores_by_loop(predictions, labels, relations):
    """Precision, recall and F1 over the ids in `relations`, one row after the other."""
    hits = predicted = gold = 0
    for prediction, label in zip(predictions, labels, strict=True):
        hits += prediction == label and label in relations
        predicted += prediction in relations
        gold += label in relations
    precision, recall = divide(hits, predicted), divide(hits, gold)
    return precision, recall, divide(2 * precision * recall, precision + recall)


def random_rows(seed, rows=60):
    generator = np.random.default_rng(seed)
    return generator.integers(len(NAMES), size=rows), generator.integers(len(NAMES), size=rows)


def test_no_relation_left_out_of_micro_f1():
    labels = [0, 0, 0, 1, 1, 2]
    predictions = [0, 0, 1, 1, 2, 0]
    metrics = relation_metrics(predictions, labels, NAMES)
    assert metrics["accuracy"] == pytest.approx(3 / 6)
    assert metrics["precision"] == pytest.approx(1 / 3)  # rows 2, 3 and 4 are predicted to hold a relation
    assert metrics["recall"] == pytest.approx(1 / 3)  # rows 3, 4 and 5 hold one
    assert metrics["f1"] == pytest.approx(1 / 3)


def test_relation_found_the_wrong_way_round_is_a_false_alarm_but_no_relation_of_its_own():
    labels, found = [1, 2, 0], [1, 4, 4]
    names = [*NAMES, WRONG_DIRECTION]
    metrics = relation_metrics(found, labels, names)
    assert metrics["precision"] == pytest.approx(1 / 3) and metrics["recall"] == pytest.approx(1 / 2)
    assert metrics["macro_f1"] == pytest.approx((1 + 0) / 2), "of the two relations that occur"
    assert list(per_relation_metrics(found, labels, names)) == NAMES[1:]


def test_none_accuracy_forgives_the_wrong_relation_but_no_false_alarm_and_no_miss():
    assert relation_metrics([0, 1, 2, 0], [0, 0, 1, 1], NAMES)["none_accuracy"] == pytest.approx(2 / 4)


@pytest.mark.parametrize(
    ("hits", "wrong", "missed", "false_alarms", "printed"),
    [
        pytest.param(296, 81, 263, 135, (70.32, 57.81, 46.25, 51.39), id="Glove+CNN"),
        pytest.param(318, 69, 253, 119, (72.67, 62.85, 49.69, 55.49), id="PCNN"),
        pytest.param(370, 34, 236, 170, (72.73, 64.46, 57.81, 60.96), id="MTB"),
        pytest.param(438, 58, 144, 183, (76.15, 64.51, 68.44, 66.41), id="MEGA"),
    ],
)
def test_published_counts_on_mnre_reproduce(hits, wrong, missed, false_alarms, printed):
    positives, negatives = 640, 974
    labels = [1] * positives + [0] * negatives
    predictions = [1] * hits + [2] * wrong + [0] * missed + [1] * false_alarms + [0] * (negatives - false_alarms)
    metrics = relation_metrics(predictions, labels, NAMES)
    scores = [100 * metrics[key] for key in ("accuracy", "precision", "recall", "f1")]
    assert scores == pytest.approx(printed, abs=0.0101)  # print rounds some values and truncates others


@pytest.mark.parametrize("no_relation", NAMES)
@pytest.mark.parametrize("seed", range(3))
def test_micro_scores_equal_a_plain_loop_whichever_id_means_no_relation(seed, no_relation):
    predictions, labels = random_rows(seed)
    metrics = relation_metrics(predictions, labels, NAMES, no_relation)
    relations = set(range(len(NAMES))) - {NAMES.index(no_relation)}
    expected = scores_by_loop(predictions, labels, relations)
    assert (metrics["precision"], metrics["recall"], metrics["f1"]) == pytest.approx(expected)


@pytest.mark.parametrize("seed", range(3))
def test_scores_are_quotients_of_counts_to_the_last_bit(seed):
    """Result files of all times may be compared with `==`."""
    names = [*NAMES, WRONG_DIRECTION]
    predictions, labels = np.random.default_rng(seed).integers([[len(names)], [len(NAMES)]], size=(2, 40))
    for some in (slice(None), slice(1), slice(0), labels > 1):
        metrics = relation_metrics(predictions[some], labels[some], names)
        hits = int(((predictions == labels) & (labels > 0))[some].sum())
        predicted, gold = int((predictions > 0)[some].sum()), int((labels > 0)[some].sum())
        expected = divide(hits, predicted), divide(hits, gold), divide(2 * hits, predicted + gold)
        assert (metrics["precision"], metrics["recall"], metrics["f1"]) == expected
        assert metrics["accuracy"] == divide(int((predictions == labels)[some].sum()), len(labels[some]))


@pytest.mark.parametrize("seed", range(3))
def test_scores_of_each_relation_equal_a_plain_loop(seed):
    predictions, labels = random_rows(seed)
    per_relation = per_relation_metrics(predictions, labels, NAMES)
    assert list(per_relation) == NAMES[1:]
    for i, name in enumerate(NAMES[1:], start=1):
        scores = per_relation[name]
        expected = scores_by_loop(predictions, labels, {i})
        assert (scores["precision"], scores["recall"], scores["f1"]) == pytest.approx(expected)
        assert scores["support"] == list(labels).count(i)


def test_macro_f1_is_the_mean_over_relations():
    predictions, labels = random_rows(seed=0)
    relation_f1 = [scores["f1"] for scores in per_relation_metrics(predictions, labels, NAMES).values()]
    assert relation_metrics(predictions, labels, NAMES)["macro_f1"] == pytest.approx(np.mean(relation_f1))


def test_macro_f1_counts_a_relation_that_is_only_predicted_and_skips_one_that_never_occurs():
    # born_in is right, works_for is only predicted, part_of never occurs.
    assert relation_metrics([1, 2], [1, 0], NAMES)["macro_f1"] == pytest.approx((1 + 0) / 2)


def test_relation_that_never_occurs_is_listed_with_zeros():
    scores = per_relation_metrics([1, 2], [1, 0], NAMES)["part_of"]
    assert scores == {"precision": 0.0, "recall": 0.0, "f1": 0.0, "support": 0}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(("rows", "accuracy"), [(0, 0.0), (3, 1.0)], ids=["no rows", "only None"])
def test_zero_division_gives_zero(rows, accuracy):
    metrics = relation_metrics([0] * rows, [0] * rows, NAMES)
    zeros = dict.fromkeys(("precision", "recall", "f1", "macro_f1"), 0.0)
    assert metrics == {"accuracy": accuracy, "none_accuracy": accuracy, **zeros}


@pytest.mark.parametrize("score", [relation_metrics, per_relation_metrics])
@pytest.mark.parametrize(
    ("predictions", "labels", "message"),
    [
        pytest.param([0, 1], [0], "2 predictions for 1 labels, so row 1 has no partner", id="unequal lengths"),
        pytest.param([0, 1], [0, -100], "labels holds -100 in row 1; .* from 0 to 3", id="padding"),
        pytest.param([4, 1], [0, 1], "predictions holds 4 in row 0", id="past the end"),
        pytest.param([0.5, 1], [0, 1], "predictions holds 0.5 in row 0", id="not a whole number"),
        pytest.param([[0.5, 0.1]], [0], r"predictions has shape \(1, 2\); .*argmax", id="logits"),
    ],
)
def test_ids_that_name_no_label_are_refused(score, predictions, labels, message):
    with pytest.raises(ValueError, match=message):
        score(predictions, labels, NAMES)


@pytest.mark.parametrize(
    "call",
    [
        lambda: relation_metrics([0], [0], NAMES, "none"),
        lambda: per_relation_metrics([0], [0], NAMES, "none"),
    ],
)
def test_unknown_no_relation_is_refused(call):
    with pytest.raises(ValueError, match=r"no_relation 'none' is not among the label names .*'None'"):
        call()
