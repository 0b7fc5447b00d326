"""Average precision against the boxes of people."""

import pytest
import torch

from train.detector.data import DetectionRow
from train.detector.metrics import detection_metrics
from vmhan.object_detection import DetectedObject

HERE, THERE, ELSEWHERE = (0, 0, 20, 20), (40, 40, 80, 80), (100, 0, 130, 30)


def row(*objects, complete=()):
    """An image of (category, box, by people)."""
    return DetectionRow(
        source="flickr8k",
        complete=frozenset(complete),
        boxes=torch.tensor([box for _, box, _ in objects], dtype=torch.float32).reshape(-1, 4),
        categories=[category for category, _, _ in objects],
        by_people=torch.tensor([people for _, _, people in objects], dtype=torch.bool),
        scores=torch.ones(len(objects)),
        index=0,
    )


def ap50(rows, found, name="dog"):
    return detection_metrics(rows, found, [name])["per_class"][name]["ap50"]


def test_all_found_and_nothing_else_is_perfect():
    rows = [row(("dog", HERE, True), ("dog", THERE, True), complete=["dog"])]
    found = [[DetectedObject("dog", 0.9, HERE), DetectedObject("dog", 0.4, THERE)]]
    metrics = detection_metrics(rows, found, ["dog"])
    assert metrics["ap50"] == metrics["ap50_95"] == pytest.approx(1.0)
    assert metrics["per_class"]["dog"]["boxes"] == 2
    assert metrics["per_class"]["dog"]["best_threshold"] == pytest.approx(0.4)


def test_half_found_is_half():
    rows = [row(("dog", HERE, True), ("dog", THERE, True), complete=["dog"])]
    assert ap50(rows, [[DetectedObject("dog", 0.9, HERE)]]) == pytest.approx(0.5, abs=0.01)


def test_loose_box_counts_at_half_overlap_but_less_on_average():
    rows = [row(("dog", THERE, True), complete=["dog"])]
    scores = detection_metrics(rows, [[DetectedObject("dog", 0.9, (40, 40, 80, 70))]], ["dog"])["per_class"]["dog"]
    assert scores["ap50"] == pytest.approx(1.0) and 0.4 < scores["ap50_95"] < 0.7


def test_surer_wrong_detection_lowers_precision_where_people_labelled_all():
    rows = [row(("dog", HERE, True), complete=["dog"])]
    found = [[DetectedObject("dog", 0.9, ELSEWHERE), DetectedObject("dog", 0.5, HERE)]]
    assert ap50(rows, found) == pytest.approx(0.5, abs=0.01)


def test_detection_on_a_teachers_box_is_neither_right_nor_wrong():
    found = [[DetectedObject("dog", 0.9, ELSEWHERE), DetectedObject("dog", 0.5, HERE)]]
    rows = [row(("dog", HERE, True), ("dog", ELSEWHERE, False))]
    scores = detection_metrics(rows, found, ["dog"])["per_class"]["dog"]
    assert scores["ap50"] == pytest.approx(1.0) and scores["boxes"] == 1


def test_teachers_box_is_no_excuse_where_people_labelled_all():
    found = [[DetectedObject("dog", 0.9, ELSEWHERE), DetectedObject("dog", 0.5, HERE)]]
    rows = [row(("dog", HERE, True), ("dog", ELSEWHERE, False), complete=["dog"])]
    assert ap50(rows, found) == pytest.approx(0.5, abs=0.01)


def test_images_where_nobody_knows_are_not_judged():
    rows = [row(("dog", HERE, True)), row(("cat", HERE, True)), row(("dog", THERE, False))]
    found = [
        [DetectedObject("dog", 0.5, HERE)],
        [DetectedObject("dog", 0.9, HERE)],
        [DetectedObject("dog", 0.8, HERE)],
    ]
    scores = detection_metrics(rows, found, ["dog"])["per_class"]["dog"]
    assert scores["ap50"] == pytest.approx(1.0) and scores["images"] == 1


def test_images_without_the_class_are_judged_where_people_labelled_all():
    rows = [row(("dog", HERE, True)), row(complete=["*coco80"])]
    found = [[DetectedObject("dog", 0.5, HERE)], [DetectedObject("dog", 0.9, HERE)]]
    assert ap50(rows, found) == pytest.approx(0.5, abs=0.01)


def test_all_coco_classes_are_not_faces():
    rows = [row(("face", HERE, False), complete=["*coco80"])]
    assert detection_metrics(rows, [[DetectedObject("face", 0.9, HERE)]], ["face"])["per_class"] == {}


def test_class_that_is_never_found_scores_zero_and_one_without_boxes_is_left_out():
    metrics = detection_metrics([row(("dog", HERE, True))], [[]], ["dog", "cat"])
    assert metrics["per_class"]["dog"]["ap50"] == 0.0 and "cat" not in metrics["per_class"]
    assert metrics["ap50"] == 0.0
