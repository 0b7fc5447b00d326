"""What the model made of a pair, or of two: attention on the picture, the hypergraph, the scores and the variances."""

import math
from html import escape

from page.labels import WHOLE_PICTURE, is_related, node_name, relation_label, relation_words, uncertainty
from page.render.gaussians import gaussians_svg
from page.render.image_svg import boxed_nodes, colour_of, picture_svg
from page.render.pair_table import bars_html
from vmhan.visualization.hypergraph_svg import COLOURS, SHAPES, GraphNode, Hyperedge, hypergraph_svg, nearly_even

SHOWN_SCORES = 5
_AXIS = "<thead><tr><td></td><td class='axis'><span>0%</span><span>100%</span></td><td colspan='3'></td></tr></thead>"
_DASHED = "<p>Dashed is before the hypergraph, solid after it.</p>"
_KINDS = {"global": "global hyperedge", "intra_modal": "intra-modal", "inter_modal": "inter-modal"}


def details_html(answer: dict, chosen: int, other: int | None) -> str:
    """The panel of the chosen pair; with another pair, both side by side and what moved between them.

    Args:
        answer: `"pairs"`, `"objects"` and `"description"` of the pipeline, and `"picture"`: None, or its `"address"`
            and `"size"`.
    """
    if other is None:
        return f'<section class="details">{pair_html(answer, chosen)}</section>'
    return (
        f'<section class="details">{moved_html(answer, chosen, other)}<div class="two">'
        f"{pair_html(answer, chosen, 'A')}{pair_html(answer, other, 'B')}</div></section>"
    )


def pair_html(answer: dict, number: int, mark: str = "") -> str:
    """All that is known of one pair."""
    pair = answer["pairs"][number]
    bars = bars_html([(relation_label(label), score, "") for label, score in likeliest(pair)])
    graph = graph_of(pair)
    curves = gaussians_svg(pair)
    hypergraph = f'<div class="wide">{graph}</div>{_legend()}{_shares_told(pair)}' if graph else ""
    attention = _picture(answer, pair, f"{mark or 0}{number}") + _attention(answer, pair)
    panels = (
        _stack(
            _panel("Attention on the picture", attention),
            _panel("Scores of the relations", f"{bars}<p>{how_sure(pair)}</p>"),
        ),
        _stack(
            _panel("Its hypergraph", hypergraph) if graph else "",
            _panel("Variance of its entities", f"{curves}{_DASHED if curves else ''}<p>{variance_told(pair)}</p>"),
        ),
    )
    return (
        f'<article aria-label="{escape(pair["head"]["text"])} and {escape(pair["tail"]["text"])}">'
        f'{_heading(pair, mark)}<div class="panels">{"".join(panels)}</div></article>'
    )


def likeliest(pair: dict) -> list[tuple[str, float]]:
    """The labels with the highest scores, the highest first."""
    return sorted(pair["scores"].items(), key=lambda item: -item[1])[:SHOWN_SCORES]


def _stack(*panels: str) -> str:
    return f'<div class="stack">{"".join(panels)}</div>'


def _heading(pair: dict, mark: str) -> str:
    badge = f'<span class="badge {mark.lower()}">{mark}</span> ' if mark else ""
    name = escape(relation_words(pair))
    line = f"— {name} →" if is_related(pair) else f"– {name} –"
    return (
        f"<h3>{badge}<bdi>{escape(pair['head']['text'])}</bdi> <em>{line}</em> "
        f"<bdi>{escape(pair['tail']['text'])}</bdi></h3>"
    )


def _panel(title: str, content: str) -> str:
    return f"<section class='panel'><h4>{title}</h4>{content}</section>"


def _picture(answer: dict, pair: dict, name: str) -> str:
    picture = answer["picture"]
    if picture is None:
        return ""
    shown = picture_svg(picture["address"], picture["size"], pair, answer["objects"], name)
    hint = ""
    if not boxed_nodes(pair):
        hint = "<p>No object has a place in the picture. A detector finds them: choose one above.</p>"
    return f"{shown}{hint}"


def _attention(answer: dict, pair: dict) -> str:
    rows = [
        (node_name(node["label"]), node["attention"], colour_of(node["label"], answer["objects"]))
        for node in pair["objects"]
    ]
    if not rows:
        return f"<p>{why_no_nodes(answer)}</p>"
    return f"{bars_html(rows)}<p>{attention_told(pair)} {escape(answer['source'])}</p>"


def attention_told(pair: dict) -> str:
    """What the attention on the visual nodes of a pair says, which is nothing where it is all but even."""
    told = "Of the attention that the two entities gave to the picture, the share of each node."
    if len(pair["objects"]) == 1:
        return f"{told} There is but one, so it has all, whatever it shows."
    among = _even_among(pair)
    return f"{told} On {among} it is all but even: it says nothing about which of them mattered." if among else told


def _even_among(pair: dict) -> str:
    """The visual nodes of a pair that attention does not tell apart, in words; empty if it tells them apart."""
    if nearly_even([node["attention"] for node in pair["objects"]]):
        return "these"
    of_objects = [node["attention"] for node in pair["objects"] if node["label"] != WHOLE_PICTURE]
    return "the objects" if nearly_even(of_objects) else ""


def why_no_nodes(answer: dict) -> str:
    """Why the picture had no say in a pair."""
    if answer["objects"]:
        return "This model passes nothing from the picture to the entities, so it went by the sentence alone."
    if answer["description"]:
        return "The model found nothing in the description to look at, so it went by the sentence alone."
    if answer["picture"]:
        return (
            "The picture came without a description, and nothing was found in it, so the model went by the sentence "
            "alone. Say above what the picture shows, and ask again."
        )
    return "No picture and no description were given, so the model went by the sentence alone."


def graph_of(pair: dict) -> str:
    """The hypergraph as an SVG; empty for a model that has none, or gathers nothing in its hyperedges."""
    graph = pair.get("hypergraph")
    if not graph or not graph["hyperedges"]:
        return ""
    nodes = [
        GraphNode("whole picture" if node["kind"] == "image" else node["name"], node["kind"])
        for node in graph["nodes"]
    ]
    edges = [
        Hyperedge(edge["type"], dict(zip(edge["members"], edge["attention"], strict=True)))
        for edge in graph["hyperedges"]
    ]
    return hypergraph_svg(nodes, edges)


def _legend() -> str:
    items = "".join(
        f'<span><i class="dot" style="background: {COLOURS[kind]}"></i>{name}</span>' for kind, name in _KINDS.items()
    )
    shapes = "".join(
        f'<span><svg viewBox="-8 -8 16 16" aria-hidden="true"><path d="{shape}" fill="currentColor"/></svg>{name}'
        "</span>"
        for name, shape in SHAPES.items()
    )
    return (
        f'<p class="legend">{shapes}</p><p class="legend">{items}'
        "<span>width in proportion to attention; point at a part to light it</span></p>"
    )


def _shares_told(pair: dict) -> str:
    """What the strokes of the hypergraph say."""
    shares = [edge["attention"] for edge in pair["hypergraph"]["hyperedges"]]
    told = "Strokes show what each hyperedge that the two entities read last had taken of each of its members."
    if not any(map(sum, shares)):
        told = "The hyperedges that the two entities read last hold nothing of their members."
    elif all(len(of_edge) == 1 or nearly_even(of_edge) for of_edge in shares):
        told += " It is all but even in all of them: it says nothing about which member mattered."
    return f"<p>{told}</p>"


def how_sure(pair: dict) -> str:
    """The entropy of the scores of a pair, with the scale that makes the number readable."""
    most = math.log(len(pair["scores"]))
    return f"Entropy of the scores {pair['entropy']:.2f} nats, {uncertainty(pair):.0%} of the most ({most:.2f})."


def variance_told(pair: dict) -> str:
    """The variance of a pair, and that it is no measure of certainty (assets/results/variance-mnre.json)."""
    if pair["variance"] <= 0:
        return "This model keeps no variance."
    return (
        f"Mean variance of both entities {pair['variance']:.2f}. It has not been found to tell right answers from "
        "wrong ones: for that, see the scores and their entropy."
    )


def moved_html(answer: dict, chosen: int, other: int) -> str:
    """How the attention of two pairs differs: two dots on a line from 0 to 100% for each node, and the difference."""
    first, second = (answer["pairs"][number] for number in (chosen, other))
    shares = [{node["label"]: node["attention"] for node in pair["objects"]} for pair in (first, second)]
    labels = list(dict.fromkeys([*shares[0], *shares[1]]))
    moves = sorted(((label, *(share.get(label, 0.0) for share in shares)) for label in labels),
                   key=lambda move: move[2] - move[1])  # fmt: skip
    rows = "".join(_move(*move) for move in moves)
    body = f"<table class='moves'>{_AXIS}<tbody>{rows}</tbody></table>" if rows else f"<p>{why_no_nodes(answer)}</p>"
    if rows and all(_even_among(pair) for pair in (first, second)):
        body += "<p>In both, that on the objects is all but even: it says nothing about which of them mattered.</p>"
    names = [f"{escape(pair['head']['text'])} and {escape(pair['tail']['text'])}" for pair in (first, second)]
    return (
        "<section class='panel moved'><h4>How the attention moves from one pair to the other</h4>"
        f"<p><span class='badge a'>A</span> <bdi>{names[0]}</bdi> &nbsp; "
        f"<span class='badge b'>B</span> <bdi>{names[1]}</bdi></p>{body}</section>"
    )


def _move(label: str, first: float, second: float) -> str:
    change = 100 * (second - first)
    rail = f"left: {min(first, second):.1%}; width: {abs(change):.1f}%"
    return (
        f"<tr><td>{escape(node_name(label))}</td><td class='track'><i class='rail' style='{rail}'></i>"
        f"<i class='end a' style='left: {first:.1%}'></i>"
        f"<i class='end b' style='left: {second:.1%}'></i></td><td class='percent'>{first:.1%}</td>"
        f"<td class='percent'>{second:.1%}</td><td class='percent'><b>{change:+.1f}</b> points</td></tr>"
    )
