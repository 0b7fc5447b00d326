"""Objects of an image: what a detector is, and what all of them do alike.

A detector takes upright RGB images and gives, for each, its objects with label, score and box. Boxes are pixel corners
of that image: (x0, y0, x1, y1), x0 < x1, y0 < y1, inside it.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol

from PIL import Image

Box = tuple[float, float, float, float]
NO_DETECTOR = "none"  # the name that stands for looking with nothing, wherever a detector is optional


class DetectedObject(NamedTuple):
    """An object in an image.

    Args:
        label: What it is, in words: "person".
        score: How sure the detector is, 0 to 1.
        box: (x0, y0, x1, y1) in pixels of the image.
    """

    label: str
    score: float
    box: Box


class ObjectDetector(Protocol):
    """Whatever finds objects."""

    def detect(self, images: Sequence[Image.Image]) -> list[list[DetectedObject]]:
        """The objects of each image, the surest first, boxes in pixels of the upright image."""
        ...


class DetectorUnavailable(OSError):
    """A detector whose weights or library cannot be had here; the message says what was tried and what to do."""


def tidy_objects(
    labels: Iterable[str], scores: Iterable[float], boxes: Iterable[Sequence[float]], size: tuple[int, int]
) -> list[DetectedObject]:
    """Objects out of the raw output of a network, the surest first.

    Boxes are cut at the border of the image of `size` (width, height) pixels; what lies outside is dropped.
    """
    width, height = map(float, size)
    found = []
    for label, score, (x0, y0, x1, y1) in zip(labels, scores, boxes, strict=True):
        box = (max(float(x0), 0.0), max(float(y0), 0.0), min(float(x1), width), min(float(y1), height))
        if box[0] < box[2] and box[1] < box[3]:  # also drops NaN
            found.append(DetectedObject(str(label), float(score), box))
    return sorted(found, key=lambda item: -item.score)
