"""The parts of a drawn hypergraph: where each stands, how wide it is and what it says."""

from dataclasses import dataclass
from typing import NamedTuple

_SMALLEST, _LARGEST = 0.7, 1.15  # of a web page's pixels that a pixel of ours may be: letters stay readable


@dataclass
class GraphNode:
    """A node: its name, and its kind as in `NODE_TYPES`."""

    name: str
    kind: str


@dataclass
class Hyperedge:
    """A hyperedge: its type as in `HYPEREDGE_TYPES`, and the share of attention of each member, by node index."""

    type: str
    attention: dict[int, float]


class Point(NamedTuple):
    """A position in the drawing, in pixels."""

    x: float
    y: float


@dataclass(frozen=True)
class NodeLayout:
    """A node in the drawing: its index, position, shape and texts, and the hyperedges that hold it."""

    number: int
    center: Point
    shape: str
    name: str
    title: str
    is_textual: bool
    is_entity: bool
    hyperedges: list[int]


@dataclass(frozen=True)
class HyperedgeLayout:
    """A hyperedge in the drawing: its index, position, color and texts, and the nodes that it holds."""

    number: int
    center: Point
    color: str
    name: str
    title: str
    members: list[int]


@dataclass(frozen=True)
class StrokeLayout:
    """A line from a hyperedge to one of its members, as wide as the attention is large."""

    hyperedge: int
    node: int
    start: Point
    end: Point
    color: str
    width: float
    title: str


@dataclass(frozen=True)
class HypergraphLayout:
    """The whole drawing: its size in pixels, its three columns, and what stands in them."""

    width: int
    height: int
    text_x: int
    hyperedge_x: int
    image_x: int
    title: str
    nodes: list[NodeLayout]
    hyperedges: list[HyperedgeLayout]
    strokes: list[StrokeLayout]

    @property
    def narrowest(self) -> float:
        """The least width on a web page, in its pixels."""
        return _SMALLEST * self.width

    @property
    def widest(self) -> float:
        """The most width on a web page, in its pixels."""
        return _LARGEST * self.width


__all__ = ["GraphNode", "Hyperedge", "HyperedgeLayout", "HypergraphLayout", "NodeLayout", "Point", "StrokeLayout"]
