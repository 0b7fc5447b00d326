"""What the model computed for a pair: attention on the image, the hypergraph, the scores and the variances."""

from dataclasses import dataclass

from page.labels import is_related, relation_words
from page.render.bars import Bar, attention_bars, score_bars
from page.render.explanations import attention_note, entropy_note, hyperedge_note, no_nodes_note, variance_note
from page.render.gaussians import CurvesLayout, curves_layout
from page.render.image_svg import ImageLayout, boxed_nodes, image_layout
from vmhan.visualization.hypergraph_drawing import GraphNode, Hyperedge, HypergraphLayout
from vmhan.visualization.hypergraph_layout import COLORS, SHAPES, hypergraph_layout

_KINDS = {"global": "global hyperedge", "intra_modal": "intra-modal", "inter_modal": "inter-modal"}


@dataclass(frozen=True)
class Legend:
    """What shapes and colors of the hypergraph stand for: paths and colors by name."""

    shapes: dict[str, str]
    colors: dict[str, str]


LEGEND = Legend(SHAPES, {name: COLORS[kind] for kind, name in _KINDS.items()})


@dataclass(frozen=True)
class PairDetails:
    """Drawings, bars and sentences of one pair.

    Args:
        mark: "A" or "B" where two pairs are compared, else empty.
        image: None without an image.
        attention: Empty without a visual node.
        hypergraph, hyperedge_note: None for a model that has no hypergraph.
        curves: None for a model that keeps no variance.
    """

    mark: str
    head: str
    tail: str
    relation: str
    is_related: bool
    image: ImageLayout | None
    has_boxes: bool
    attention: list[Bar]
    attention_note: str
    scores: list[Bar]
    entropy_note: str
    hypergraph: HypergraphLayout | None
    hyperedge_note: str | None
    curves: CurvesLayout | None
    variance_note: str


def pair_details(answer: dict, number: int, mark: str = "") -> PairDetails:
    """Collects what is shown of one pair.

    Args:
        answer: `"pairs"`, `"objects"` and `"description"` of the pipeline, `"source"` of the objects in words, and
            `"image"`: None, or its `"address"` and `"size"`.
        number: The index of the pair.
        mark: "A" or "B" where two pairs are compared.
    """
    pair, image = answer["pairs"][number], answer["image"]
    attention, hypergraph = attention_bars(pair, answer["objects"]), hypergraph_of(pair)
    return PairDetails(
        mark=mark,
        head=pair["head"]["text"],
        tail=pair["tail"]["text"],
        relation=relation_words(pair),
        is_related=is_related(pair),
        image=image_layout(image, pair, answer["objects"], f"{mark or 0}{number}") if image else None,
        has_boxes=bool(boxed_nodes(pair)),
        attention=attention,
        attention_note=f"{attention_note(pair)} {answer['source']}" if attention else no_nodes_note(answer),
        scores=score_bars(pair),
        entropy_note=entropy_note(pair),
        hypergraph=hypergraph,
        hyperedge_note=hyperedge_note(pair) if hypergraph else None,
        curves=curves_layout(pair),
        variance_note=variance_note(pair),
    )


def hypergraph_of(pair: dict) -> HypergraphLayout | None:
    """Computes the drawing of a pair's hypergraph; None for a model that gathers nothing in hyperedges."""
    graph = pair.get("hypergraph")
    if not graph or not graph["hyperedges"]:
        return None
    nodes = [
        GraphNode("whole image" if node["kind"] == "image" else node["name"], node["kind"]) for node in graph["nodes"]
    ]
    hyperedges = [
        Hyperedge(edge["type"], dict(zip(edge["members"], edge["attention"], strict=True)))
        for edge in graph["hyperedges"]
    ]
    return hypergraph_layout(nodes, hyperedges)
