"""Boxes of drawings."""

from typing import NamedTuple


class Box(NamedTuple):
    """The edges of a box, in pixels of its drawing."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def width(self) -> float:
        """The distance from the left to the right edge."""
        return self.right - self.left

    @property
    def height(self) -> float:
        """The distance from the top to the bottom edge."""
        return self.bottom - self.top

    @property
    def center(self) -> tuple[float, float]:
        """The point in the middle."""
        return (self.left + self.right) / 2, (self.top + self.bottom) / 2

    def overlap(self, other: "Box") -> float:
        """Computes the area that two boxes share."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        return max(width, 0) * max(height, 0)
