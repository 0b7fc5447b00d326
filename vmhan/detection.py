"""Object detectors: what finds the objects of an image that become nodes of the hypergraph.

A detector takes upright RGB images and gives, for each, its objects with label, score and box. Boxes are pixel corners
of that image: (x0, y0, x1, y1), x0 < x1, y0 < y1, inside it.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from PIL import Image


class DetectedObject(NamedTuple):
    """An object in an image.

    Args:
        label: What it is, in words: "person".
        score: How sure the detector is, 0 to 1.
        box: (x0, y0, x1, y1) in pixels of the image.
    """

    label: str
    score: float
    box: tuple[float, float, float, float]


class ObjectDetector(Protocol):
    """Whatever finds objects."""

    def detect(self, images: Sequence[Image.Image]) -> list[list[DetectedObject]]:
        """The objects of each image, the surest first."""
        ...
