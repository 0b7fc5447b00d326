"""Objects of an image: their types, the interface of detectors, and what all detectors share.

A detector takes upright RGB images and returns, for each, its objects with label, score and box. Boxes are pixel
corners of that image: (x0, y0, x1, y1), x0 < x1, y0 < y1, inside it.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple, Protocol, TypedDict

from PIL import Image

Box = tuple[float, float, float, float]
NO_DETECTOR = "none"  # the name that stands for no detector, wherever one is optional


class ImageObject(TypedDict):
    """An object of an image, as requests and answers hold it.

    Attributes:
        label: Its name; None where a user gave an entity by its box alone.
        score: Confidence of the detector, 0 to 1; 1 where a user named the object.
        box: [left, top, right, bottom] in pixels of the upright image, or None.
    """

    label: str | None
    score: float
    box: list[float] | None


class DetectedObject(NamedTuple):
    """An object in an image, as detectors return it and node selectors read it.

    Args:
        label: Its name, such as "person"; empty where a selector reads an object without one.
        score: Confidence of the detector, 0 to 1.
        box: (x0, y0, x1, y1) in pixels of the image; None only where a selector reads an object without one.
    """

    label: str
    score: float
    box: Sequence[float] | None


class ObjectDetector(Protocol):
    """Interface of object detectors."""

    def detect(self, images: Sequence[Image.Image]) -> list[list[DetectedObject]]:
        """Detects the objects of each image, by falling score, boxes in pixels of the upright image."""
        ...


class DetectorUnavailable(OSError):
    """A detector whose weights or library are unavailable here; the message says what was tried and what to do.

    The code of a model from the Hub is another module than the installed package: code that may run on both sides
    catches `OSError`.
    """


def build_objects(
    labels: Iterable[str], scores: Iterable[float], boxes: Iterable[Sequence[float]], size: tuple[int, int]
) -> list[DetectedObject]:
    """Builds objects from the raw output of a network, by falling score.

    Boxes are cut at the border of the image of `size` (width, height) pixels; what lies outside is dropped.
    """
    width, height = map(float, size)
    found = []
    for label, score, (x0, y0, x1, y1) in zip(labels, scores, boxes, strict=True):
        box = (max(float(x0), 0.0), max(float(y0), 0.0), min(float(x1), width), min(float(y1), height))
        if box[0] < box[2] and box[1] < box[3]:  # also drops NaN
            found.append(DetectedObject(str(label), float(score), box))
    return sorted(found, key=lambda item: -item.score)


__all__ = [
    "NO_DETECTOR",
    "Box",
    "DetectedObject",
    "DetectorUnavailable",
    "ImageObject",
    "ObjectDetector",
    "build_objects",
]
