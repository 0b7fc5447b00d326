"""Grids of four images: each thing is where its box is, and a class is complete only where it is in all four."""

import numpy as np
import pytest
from detection_fixture import write_data

from train.detector.data import read_split
from train.detector.grids import Grids


@pytest.fixture
def validation(tmp_path):
    write_data(tmp_path)
    return read_split(tmp_path, "validation")


def test_grid_holds_four_images_and_each_is_in_one(validation):
    grids = Grids(validation)
    assert len(grids) == len(validation) // 4
    assert sorted(index for members in grids.members for index in members) == list(range(4 * len(grids)))


def test_what_a_box_holds_is_the_same_in_the_grid(validation):
    grids = Grids(validation)
    for number, members in enumerate(grids.members):
        grid, row = grids.image(number), grids.rows[number]
        alone = [(validation.image(index), box) for index in members for box in validation.rows[index].boxes]
        assert len(alone) == len(row.boxes) == len(row.categories) == len(row.by_people) == len(row.scores)
        for (image, box), in_grid in zip(alone, row.boxes, strict=True):
            assert np.array_equal(grid.crop(in_grid.int().tolist()), image.crop(box.int().tolist()))


def test_class_is_complete_only_if_it_is_in_all_four(validation):
    first, *others = (validation.rows[index] for index in Grids(validation).members[0])
    first.complete = frozenset({"face", "dog"})
    for other in others:
        other.complete = frozenset({"face", "*coco80"})
    (row, *_) = Grids(validation).rows
    assert row.is_complete("face") and row.is_complete("dog") and not row.is_complete("cat")
