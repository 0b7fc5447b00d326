"""Reading the detection data, and which boxes are reliable."""

import hashlib

import pytest
import torch
from detection_fixture import write_data

from train.detector.data import (
    DetectionRow,
    checksums,
    choose_classes,
    count_boxes,
    hold_out_faces,
    read_split,
    reliable_targets,
)


def row(*objects, complete=(), source="flickr8k"):
    """A row of (category, box, origin, score)."""
    categories, boxes, origins, scores = zip(*objects, strict=True)
    return DetectionRow(
        source=source,
        complete=frozenset(complete),
        boxes=torch.tensor(boxes, dtype=torch.float32),
        categories=list(categories),
        by_people=torch.tensor([origin == "human" for origin in origins]),
        scores=torch.tensor(scores),
        index=0,
    )


def test_boxes_are_corners_and_images_are_those_of_their_rows(tmp_path):
    split = read_split(write_data(tmp_path), "validation")
    assert len(split) == 16
    first, image = split.rows[3], split.image(3)
    assert first.source == "fddb" and first.complete == {"person", "face"}
    x0, y0, x1, y1 = first.boxes[0].tolist()
    assert 0 <= x0 < x1 <= image.width and 0 <= y0 < y1 <= image.height
    red, green, _ = image.getpixel((int(x0 + x1) // 2, int(y0 + y1) // 2))
    assert red > 180 > green  # the square that the box is around


def test_every_second_image_of_faces_is_held_out_and_nothing_else(tmp_path):
    validation = read_split(write_data(tmp_path), "validation")
    chosen_by, held_out = hold_out_faces(validation)
    assert [row.index for row in held_out.rows] == [3, 7, 11, 15]
    assert {row.source for row in held_out.rows} == {"fddb"}
    assert sorted(row.index for split in (chosen_by, held_out) for row in split.rows) == list(range(16))
    assert held_out.image(0).tobytes() == validation.image(3).tobytes()


def test_limit_keeps_the_first_rows(tmp_path):
    split = read_split(write_data(tmp_path), "train", limit=3)
    assert [row.index for row in split.rows] == [0, 1, 2]


def test_checksum_is_of_the_file(tmp_path):
    name = "test-00000-of-00001.parquet"
    assert checksums(write_data(tmp_path))[name] == hashlib.sha256((tmp_path / name).read_bytes()).hexdigest()


def test_folder_without_a_split_is_named(tmp_path):
    write_data(tmp_path)
    (tmp_path / "test-00000-of-00001.parquet").unlink()
    with pytest.raises(FileNotFoundError, match=r"test-\*\.parquet.*--data_dir"):
        read_split(tmp_path, "train")


def test_class_needs_enough_boxes_and_a_teacher_who_knows_it():
    box = (0, 0, 9, 9)
    rows = [
        row(("hat", box, "human", 1.0), ("cat", box, "human", 1.0), ("dog", box, "teacher", 0.9)),
        row(("hat", box, "human", 1.0), ("cat", box, "teacher", 0.8), ("person", box, "human", 1.0)),
        row(("cat", box, "human", 1.0), ("dog", box, "human", 0.8)),
    ]
    assert choose_classes(rows, least_boxes=2) == ["cat", "dog"]
    assert count_boxes(rows, ["cat"]) == {"cat": {"people": 2, "teachers": 1}}
    with pytest.raises(ValueError, match="least_boxes"):
        choose_classes(rows, least_boxes=9)


def test_teachers_box_is_doubted_where_it_is_unsure():
    box = (0, 0, 9, 9)
    targets = reliable_targets(
        row(("cat", box, "teacher", 0.4), ("cat", (20, 20, 29, 29), "teacher", 0.6)), ["cat"], 0.5
    )
    assert targets.counts.tolist() == [False, True]


def test_teachers_box_is_doubted_where_people_labelled_its_class_exhaustively():
    objects = [("face", (0, 0, 9, 9), "teacher", 0.9), ("person", (20, 0, 29, 9), "teacher", 0.9)]
    assert reliable_targets(row(*objects, complete=["face"]), ["person", "face"], 0.5).counts.tolist() == [False, True]
    assert reliable_targets(row(*objects, complete=["*coco80"]), ["person", "face"], 0.5).counts.tolist() == [
        True,
        False,
    ]


def test_teachers_box_is_doubted_on_what_people_call_something_else_that_is_learned():
    objects = [
        ("horse", (0, 0, 10, 10), "human", 1.0),
        ("sheep", (0, 0, 10, 9), "teacher", 0.9),
        ("sheep", (0, 0, 10, 3), "teacher", 0.9),
    ]
    assert reliable_targets(row(*objects), ["horse", "sheep"], 0.5).counts.tolist() == [True, False, True]
    assert reliable_targets(row(*objects), ["sheep"], 0.5).counts.tolist() == [True, True]


def test_boxes_of_people_are_never_doubted():
    objects = [("horse", (0, 0, 10, 10), "human", 0.1), ("sheep", (0, 0, 10, 10), "human", 0.1)]
    targets = reliable_targets(row(*objects, complete=["horse"]), ["sheep", "horse"], 0.5)
    assert targets.counts.all() and targets.labels.tolist() == [1, 0]


def test_image_without_learned_objects_has_empty_targets():
    targets = reliable_targets(row(("hat", (0, 0, 9, 9), "human", 1.0)), ["cat"], 0.5)
    assert targets.boxes.shape == (0, 4) and targets.labels.shape == (0,) and targets.counts.shape == (0,)
