"""The hypergraph of a pair as an SVG: what the model joined, and how much each member counted.

Every hyperedge is a dot in its own colour, with a stroke to each of its members whose width is in proportion to the
attention of the hyperedge on it (equation 5). Entities and phrases of the text stand on the left, the image and its
objects on the right. Pointing at a node, a hyperedge or a stroke dims whatever has nothing to do with it, and so does
reaching a node or a hyperedge with the keyboard. Nothing is fetched, and no script runs.
"""

import html
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from vmhan.hypergraph import HYPEREDGE_KINDS

#: Of each kind of hyperedge; Okabe and Ito's colours.
COLOURS = {"global": "#0072B2", "intra_modal": "#009E73", "inter_modal": "#D55E00"}
_NAMES = {
    "global": "everything",
    "textual": "within the text",
    "visual": "within the picture",
    "head_visual": "head and picture",
    "tail_visual": "tail and picture",
}
#: Of each kind of node: a path around (0, 0), for there are as many kinds as colours would have to be told apart.
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
_ROW, _TOP = 46, 34
_GAP = 92  # between the nodes of the text, the hyperedges and the nodes of the image
_LETTER, _MARGIN = 8.2, 20  # pixels that a letter of a bold name takes at most, and that are left beside names
_WIDEST, _THINNEST = 9.0, 0.5  # pixels of a stroke that has all the attention, and the least that is drawn
_EVEN = 0.01  # so far from equal shares, attention prefers nothing that a reader should make much of
_LONGEST_NAME = 19  # letters
_SMALLEST, _LARGEST = 0.7, 1.15  # of a web page's pixels that a pixel of ours may be: letters stay readable


@dataclass
class GraphNode:
    """A node: its name, and its kind as in `NODE_TYPES`."""

    name: str
    kind: str


@dataclass
class Hyperedge:
    """A hyperedge: its type as in `HYPEREDGE_TYPES`, and the share of attention of each member, by node number."""

    type: str
    attention: dict[int, float]


def nearly_even(shares: Collection[float]) -> bool:
    """Whether several shares are all within one percentage point of their mean."""
    mean = sum(shares) / max(len(shares), 1)
    return len(shares) > 1 and all(abs(share - mean) <= _EVEN for share in shares)


def hypergraph_svg(nodes: Sequence[GraphNode], hyperedges: Sequence[Hyperedge]) -> str:
    """Draws nodes and hyperedges; an SVG of its own, that scales to where it is put.

    Raises:
        ValueError: A hyperedge has a member that is no node, or a type of its own.
    """
    for edge in hyperedges:
        if edge.type not in HYPEREDGE_KINDS or not all(0 <= node < len(nodes) for node in edge.attention):
            raise ValueError(
                f"{edge} is no hyperedge of {len(nodes)} nodes, of a type out of {list(HYPEREDGE_KINDS)}."
            )
    textual = [number for number, node in enumerate(nodes) if node.kind in ("head", "tail", "text_phrase")]
    visual = [number for number in range(len(nodes)) if number not in textual]
    height = _TOP + _ROW * max(len(textual), len(visual), len(hyperedges)) + 10
    left = _room_for([nodes[number] for number in textual])
    middle, right = left + _GAP, left + 2 * _GAP
    width = right + _room_for([nodes[number] for number in visual])
    places = {**_column(textual, left, height), **_column(visual, right, height)}
    dots = list(_column(range(len(hyperedges)), middle, height).values())
    strokes = [
        _stroke(number, edge.type, dots[number], node, places[node], share)
        for number, edge in enumerate(hyperedges)
        for node, share in sorted(edge.attention.items(), key=lambda member: -member[1])
    ]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="group" class="hypergraph"'
            f' style="min-width: {_SMALLEST * width:.0f}px; max-width: {_LARGEST * width:.0f}px"'
            ' font-family="sans-serif" font-size="14" fill="currentColor">',
            f"<title>{_title(nodes, hyperedges)}</title>",
            f"<style>{_style(len(nodes), hyperedges)}</style>",
            f'<text x="{left}" y="18" text-anchor="end" opacity="0.7">Text</text>',
            f'<text x="{middle}" y="18" text-anchor="middle" opacity="0.7">Hyperedges</text>',
            f'<text x="{right}" y="18" opacity="0.7">Picture</text>',
            *strokes,
            *(_dot(number, edge, nodes, dots[number]) for number, edge in enumerate(hyperedges)),
            *(_node(number, node, places[number], hyperedges, number in textual) for number, node in enumerate(nodes)),
            "</svg>",
        ]
    )


def _room_for(nodes: Sequence[GraphNode]) -> int:
    """Pixels that the names of a column and its head take."""
    return _MARGIN + round(_LETTER * max([len("Picture"), *(len(_short(node.name)) for node in nodes)]))


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"


def _column(items: Sequence[int], x: float, height: float) -> dict[int, tuple[float, float]]:
    """Places of items below each other, in the middle of the height."""
    top = _TOP + (height - _TOP - _ROW * len(items)) / 2 + _ROW / 2
    return {item: (x, top + _ROW * place) for place, item in enumerate(items)}


def _stroke(edge: int, kind: str, dot, node: int, place, share: float) -> str:
    (x0, y0), (x1, y1) = dot, place
    bend = f"{(x0 + x1) / 2:.0f}"
    return (
        f'<path class="part e{edge} n{node}" d="M{x0:.0f} {y0:.0f} C{bend} {y0:.0f} {bend} {y1:.0f} {x1:.0f} {y1:.0f}"'
        f' fill="none" stroke="{COLOURS[HYPEREDGE_KINDS[kind]]}" stroke-opacity="0.75"'
        f' stroke-width="{max(_THINNEST, _WIDEST * share):.2f}"><title>{_NAMES[kind]}: {share:.0%}</title></path>'
    )


def _dot(number: int, edge: Hyperedge, nodes: Sequence[GraphNode], place) -> str:
    x, y = place
    shares = ", ".join(f"{nodes[node].name} {share:.0%}" for node, share in edge.attention.items())
    told = f"Hyperedge {_NAMES[edge.type]}: {shares or 'no member'}"
    return (
        f'<g class="part edge e{number} {" ".join(f"n{node}" for node in edge.attention)}" tabindex="0" role="img"'
        f' aria-label="{html.escape(told)}"><title>{html.escape(told)}</title><circle cx="{x:.0f}" cy="{y:.0f}" r="8"'
        f' fill="{COLOURS[HYPEREDGE_KINDS[edge.type]]}"/>'
        f'<text x="{x:.0f}" y="{y - 13:.0f}" text-anchor="middle" font-size="12" paint-order="stroke"'
        f' stroke-width="4" stroke-linejoin="round" style="stroke: var(--body-background-fill, white)">'
        f"{_NAMES[edge.type]}</text></g>"
    )


def _node(number: int, node: GraphNode, place, hyperedges: Sequence[Hyperedge], on_the_left: bool) -> str:
    x, y = place
    side, anchor = (-14, "end") if on_the_left else (14, "start")
    weight = ' font-weight="600"' if node.kind in ("head", "tail") else ""
    holders = " ".join(f"e{edge}" for edge, hyperedge in enumerate(hyperedges) if number in hyperedge.attention)
    name, told = html.escape(_short(node.name)), html.escape(f"{node.name} ({node.kind.replace('_', ' ')})")
    return (
        f'<g class="part node n{number} {holders}" tabindex="0" role="img" aria-label="{told}">'
        f'<path d="{SHAPES[_SHAPE_OF[node.kind]]}" transform="translate({x:.0f} {y:.0f})"/>'
        f'<text x="{x + side:.0f}" y="{y + 5:.0f}" text-anchor="{anchor}"{weight}>{name}</text>'
        f"<title>{told}</title></g>"
    )


def _style(nodes: int, hyperedges: Sequence[Hyperedge]) -> str:
    """Dims all parts but what is pointed at and what has its class: members, those that hold it, and strokes."""
    lit = {f".node.n{number}": f".n{number}" for number in range(nodes)}
    for number, edge in enumerate(hyperedges):
        lit[f".edge.e{number}"] = f".e{number}"
        for node in edge.attention:
            lit[f"path.e{number}.n{node}"] = f"path.e{number}.n{node},.edge.e{number},.node.n{node}"
    rules = (
        f".hypergraph:has({part}:is(:hover,:focus-visible)) .part:not({stays}){{opacity:.12}}"
        for part, stays in lit.items()
    )
    return ".hypergraph .part{transition:opacity .15s}" + "".join(rules)


def _title(nodes: Sequence[GraphNode], hyperedges: Sequence[Hyperedge]) -> str:
    strongest = [f"{_NAMES[edge.type]}: {_strongest(nodes, edge)}" for edge in hyperedges if edge.attention]
    return f"Hypergraph of {len(nodes)} nodes; the strongest member of each hyperedge is {', '.join(strongest)}"


def _strongest(nodes: Sequence[GraphNode], edge: Hyperedge) -> str:
    if nearly_even(edge.attention.values()):
        return "none, all but even"
    return html.escape(nodes[max(edge.attention, key=edge.attention.get)].name)


__all__ = ["COLOURS", "SHAPES", "GraphNode", "Hyperedge", "hypergraph_svg", "nearly_even"]
