"""What all detectors do alike."""

import math

from vmhan.object_detection import DetectedObject, build_objects


def test_the_surest_object_comes_first():
    found = build_objects(["dog", "person"], [0.4, 0.9], [(0, 0, 5, 5), (1, 1, 6, 6)], (10, 10))
    assert found == [DetectedObject("person", 0.9, (1, 1, 6, 6)), DetectedObject("dog", 0.4, (0, 0, 5, 5))]


def test_boxes_are_cut_at_the_border_of_the_image():
    (found,) = build_objects(["tie"], [0.5], [(-3.0, 2.0, 30.0, 40.0)], (20, 10))
    assert found.box == (0.0, 2.0, 20.0, 10.0)


def test_boxes_without_an_area_inside_are_dropped():
    nowhere = [(3, 3, 3, 9), (9, 3, 4, 8), (30, 0, 40, 5), (math.nan, 0, 5, 5)]
    assert build_objects(["x"] * 4, [0.5] * 4, nowhere, (20, 10)) == []
