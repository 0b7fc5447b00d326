"""Positions, widths, colors and texts of a drawn hypergraph; `hypergraph_svg` renders them."""

from collections.abc import Collection, Sequence

from vmhan.hypergraph import HYPEREDGE_KINDS
from vmhan.visualization.hypergraph_drawing import (
    GraphNode,
    Hyperedge,
    HyperedgeLayout,
    HypergraphLayout,
    NodeLayout,
    Point,
    StrokeLayout,
)

#: Of each kind of hyperedge; Okabe and Ito's colors.
COLORS = {"global": "#0072B2", "intra_modal": "#009E73", "inter_modal": "#D55E00"}
_NAMES = {
    "global": "everything",
    "textual": "within the text",
    "visual": "within the image",
    "head_visual": "head and image",
    "tail_visual": "tail and image",
}
#: Of each kind of node: a path around (0, 0), for there are as many kinds as colors would have to be told apart.
SHAPES = {
    "entity": "M-6 0a6 6 0 1 0 12 0a6 6 0 1 0 -12 0z",
    "phrase": "M-3 -5.5H3V5.5H-3z",
    "image": "M-8 -6H8V6H-8z",
    "object": "M0 -7.5L7.5 0L0 7.5L-7.5 0z",
}
_SHAPE_OF = {
    "head": "entity", "tail": "entity", "text_phrase": "phrase",
    "image": "image", "object": "object", "visual_phrase": "phrase",
}  # fmt: skip
_TEXTUAL = ("head", "tail", "text_phrase")
_ROW, _TOP = 46, 34
_GAP = 92  # between the nodes of the text, the hyperedges and the nodes of the image
_LETTER, _MARGIN = 8.2, 20  # pixels that a letter of a bold name takes at most, and that are left beside names
_WIDEST, _THINNEST = 9.0, 0.5  # pixels of a stroke that has all the attention, and the least that is drawn
_EVEN = 0.01  # so far from equal shares, attention prefers nothing that a reader should make much of
_LONGEST_NAME, _LEAST_LETTERS = 19, 7  # of a name, and that a column has room for, its heading too


def nearly_even(shares: Collection[float]) -> bool:
    """Checks that several shares are all within one percentage point of their mean."""
    mean = sum(shares) / max(len(shares), 1)
    return len(shares) > 1 and all(abs(share - mean) <= _EVEN for share in shares)


def hypergraph_layout(nodes: Sequence[GraphNode], hyperedges: Sequence[Hyperedge]) -> HypergraphLayout:
    """Computes where nodes and hyperedges stand and how wide the strokes between them are.

    Raises:
        ValueError: A hyperedge has a member that is no node, or a type of its own.
    """
    _check_hyperedges(nodes, hyperedges)
    textual = [number for number, node in enumerate(nodes) if node.kind in _TEXTUAL]
    visual = [number for number in range(len(nodes)) if number not in textual]
    height = _TOP + _ROW * max(len(textual), len(visual), len(hyperedges)) + 10
    text_x = _column_width([nodes[number] for number in textual])
    hyperedge_x, image_x = text_x + _GAP, text_x + 2 * _GAP
    node_centers = {**_column(textual, text_x, height), **_column(visual, image_x, height)}
    edge_centers = _column(range(len(hyperedges)), hyperedge_x, height)
    return HypergraphLayout(
        width=image_x + _column_width([nodes[number] for number in visual]),
        height=height,
        text_x=text_x,
        hyperedge_x=hyperedge_x,
        image_x=image_x,
        title=_title(nodes, hyperedges),
        nodes=[_place_node(number, node, node_centers[number], hyperedges) for number, node in enumerate(nodes)],
        hyperedges=[
            _place_hyperedge(number, edge, edge_centers[number], nodes) for number, edge in enumerate(hyperedges)
        ],
        strokes=[
            stroke
            for number, edge in enumerate(hyperedges)
            for stroke in _place_strokes(number, edge, edge_centers[number], node_centers)
        ],
    )


def _check_hyperedges(nodes: Sequence[GraphNode], hyperedges: Sequence[Hyperedge]) -> None:
    for edge in hyperedges:
        if edge.type not in HYPEREDGE_KINDS or not all(0 <= node < len(nodes) for node in edge.attention):
            raise ValueError(
                f"{edge} is no hyperedge of {len(nodes)} nodes, of a type out of {list(HYPEREDGE_KINDS)}."
            )


def _column_width(nodes: Sequence[GraphNode]) -> int:
    """Computes the pixels that the names of a column and its heading take."""
    return _MARGIN + round(_LETTER * max([_LEAST_LETTERS, *(len(_short(node.name)) for node in nodes)]))


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"


def _column(items: Sequence[int], x: float, height: float) -> dict[int, Point]:
    """Places items below each other, in the middle of the height."""
    top = _TOP + (height - _TOP - _ROW * len(items)) / 2 + _ROW / 2
    return {item: Point(x, top + _ROW * row) for row, item in enumerate(items)}


def _place_node(number: int, node: GraphNode, center: Point, hyperedges: Sequence[Hyperedge]) -> NodeLayout:
    return NodeLayout(
        number=number,
        center=center,
        shape=SHAPES[_SHAPE_OF[node.kind]],
        name=_short(node.name),
        title=f"{node.name} ({node.kind.replace('_', ' ')})",
        is_textual=node.kind in _TEXTUAL,
        is_entity=node.kind in ("head", "tail"),
        hyperedges=[index for index, edge in enumerate(hyperedges) if number in edge.attention],
    )


def _place_hyperedge(number: int, edge: Hyperedge, center: Point, nodes: Sequence[GraphNode]) -> HyperedgeLayout:
    shares = ", ".join(f"{nodes[node].name} {share:.0%}" for node, share in edge.attention.items())
    return HyperedgeLayout(
        number=number,
        center=center,
        color=COLORS[HYPEREDGE_KINDS[edge.type]],
        name=_NAMES[edge.type],
        title=f"Hyperedge {_NAMES[edge.type]}: {shares or 'no member'}",
        members=list(edge.attention),
    )


def _place_strokes(number: int, edge: Hyperedge, start: Point, ends: dict[int, Point]) -> list[StrokeLayout]:
    """Places the strokes of a hyperedge, the widest first, so that thin ones lie on top."""
    return [
        StrokeLayout(
            hyperedge=number,
            node=node,
            start=start,
            end=ends[node],
            color=COLORS[HYPEREDGE_KINDS[edge.type]],
            width=max(_THINNEST, _WIDEST * share),
            title=f"{_NAMES[edge.type]}: {share:.0%}",
        )
        for node, share in sorted(edge.attention.items(), key=lambda member: -member[1])
    ]


def _title(nodes: Sequence[GraphNode], hyperedges: Sequence[Hyperedge]) -> str:
    strongest = [f"{_NAMES[edge.type]}: {_strongest(nodes, edge)}" for edge in hyperedges if edge.attention]
    return f"Hypergraph of {len(nodes)} nodes; the strongest member of each hyperedge is {', '.join(strongest)}"


def _strongest(nodes: Sequence[GraphNode], edge: Hyperedge) -> str:
    if nearly_even(edge.attention.values()):
        return "none, nearly uniform"
    return nodes[max(edge.attention, key=lambda node: edge.attention[node])].name


__all__ = ["COLORS", "SHAPES", "hypergraph_layout", "nearly_even"]
