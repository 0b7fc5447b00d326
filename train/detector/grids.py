"""Grids of four images of a split, in place of larger images, which show more objects.

The images of the detection data are 288 pixels wide or high at most, those of users are not. In a grid of four the
same objects are half as large to a detector that resizes its input, so its input size is chosen on both.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from PIL import Image

from train.detector.data import DetectionRow, DetectionSplit
from vmhan.detector_network import MEAN_COLOR

_SIDE = 2  # images across, and down


@dataclass
class Grids:
    """Every four images of a split, those in one grid far apart in it; at most three are left over.

    Args:
        split: The images.
    """

    split: DetectionSplit

    def __post_init__(self):
        self.name = f"{self.split.name} in fours"
        count = len(self.split) // _SIDE**2
        self.members = [range(index, count * _SIDE**2, count) for index in range(count)]
        self.rows = [self._row(index) for index in range(count)]

    def __len__(self) -> int:
        return len(self.rows)

    def image(self, index: int) -> Image.Image:
        """Draws the four images of a grid side by side."""
        images = [self.split.image(member) for member in self.members[index]]
        width, height = _cell(images)
        grid = Image.new("RGB", (_SIDE * width, _SIDE * height), MEAN_COLOR)
        for image, corner in zip(images, _corners(width, height), strict=True):
            grid.paste(image, corner)
        return grid

    def _row(self, index: int) -> DetectionRow:
        """Joins the boxes of all four; people labeled a class exhaustively if they did so in each."""
        rows = [self.split.rows[member] for member in self.members[index]]
        width, height = _cell([self.split.image(member) for member in self.members[index]])
        named = set().union(*(row.complete for row in rows), *(row.categories for row in rows))
        corners = [torch.tensor([*corner, *corner]) for corner in _corners(width, height)]
        return DetectionRow(
            source=rows[0].source,
            complete=frozenset(name for name in named if all(row.is_complete(name) for row in rows)),
            boxes=torch.cat([row.boxes + corner for row, corner in zip(rows, corners, strict=True)]),
            categories=[category for row in rows for category in row.categories],
            by_people=torch.cat([row.by_people for row in rows]),
            scores=torch.cat([row.scores for row in rows]),
            index=index,
        )


def _cell(images: Sequence[Image.Image]) -> tuple[int, int]:
    return max(image.width for image in images), max(image.height for image in images)


def _corners(width: int, height: int) -> list[tuple[int, int]]:
    """Lists the upper left corners of the images of a grid."""
    return [(x, y) for y in (0, height) for x in (0, width)]
