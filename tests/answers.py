"""Answers of the pipeline as the page shows them, made by hand."""

from xml.etree import ElementTree

SVG = "{http://www.w3.org/2000/svg}"
HYPERGRAPH = {
    "nodes": [
        {"name": "Ada", "kind": "head", "variance": 0.5, "initial_variance": 1.0},
        {"name": "Bob", "kind": "tail", "variance": 0.25, "initial_variance": 1.0},
        {"name": "image", "kind": "image", "variance": 0.5, "initial_variance": 1.0},
    ],
    "hyperedges": [{"type": "global", "members": [0, 1, 2], "attention": [0.5, 0.3, 0.2]}],
}


def make_pair(**changes) -> dict:
    """Builds a pair as the pipeline returns it."""
    pair = {
        "head": {"text": "Ada", "start": 0, "end": 3},
        "tail": {"text": "Bob", "start": 8, "end": 11},
        "relation": "/per/per/peer",
        "score": 0.75,
        "scores": {"/per/per/peer": 0.75, "None": 0.25},
        "entropy": 0.56,
        "variance": 0.8,
        "objects": [],
        "hypergraph": HYPERGRAPH,
    }
    return {**pair, **changes}


def make_nodes(**shares) -> list[dict]:
    """Builds visual nodes with these shares of the attention; all but "crowd" and "image" have a box."""
    boxes = {"image": [0.0, 0.0, 80.0, 60.0], "crowd": None}
    return [
        {"label": label, "score": 1.0, "box": boxes.get(label, [5.0, 5.0, 40.0, 30.0]), "attention": share}
        for label, share in shares.items()
    ]


def make_answer(*pairs: dict, **changes) -> dict:
    """Builds an answer as the page holds it."""
    answer = {"pairs": list(pairs), "entities": [], "objects": [], "description": None}
    answer |= {"image": None, "source": "", "text": "Ada"}
    return {**answer, **changes}


def parse(svg: str) -> ElementTree.Element:
    """Parses an SVG, which must be well formed."""
    return ElementTree.fromstring(svg)
