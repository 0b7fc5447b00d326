"""Rows of the model's batch: one for each pair of a request and direction, and their scores."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import torch

from .configuration_vmhan import VMHANConfig
from .extraction_request import ExtractionRequest
from .hypergraph import HEAD, IMAGE, OBJECT, TAIL, VISUAL_PHRASE, is_visual
from .hypergraph_output import node_names, pair_hypergraph
from .node_selection import NodeSelection
from .object_detection import ImageObject
from .temperature import calibrated_scores, no_relation_index

#: "given" is known to be the direction of the relation; of the others both are scored.
Direction = Literal["given", "forward", "reverse"]


class AttendedObject(ImageObject):
    """A visual node of a pair, with the attention on it; the whole image has the label "image".

    Attributes:
        attention: Share of what head and tail drew from visual nodes; sums to one over a pair.
    """

    attention: float


@dataclass
class PairScores:
    """Scores of a row.

    Args:
        probabilities: Calibrated probability of each label, (labels,).
        no_relation: Probability that there is no relation, 0 without such a label. It is not calibrated: calibration
            depends on the likeliest label of a row, and so does not compare directions.
        variance: Mean variance of the Gaussians of head and tail.
        objects: The visual nodes of the pair, by falling attention.
        hypergraph: As `pair_hypergraph` builds it, or None.
    """

    probabilities: torch.Tensor
    no_relation: float
    variance: float
    objects: list[AttendedObject]
    hypergraph: dict | None = None


@dataclass
class PairRow:
    """A pair of a request in one direction.

    Args:
        request: The request.
        number: Index into the pairs of the request; equal for both directions of a pair.
        pair: (head, tail) indices into the mentions of the request.
        direction: Whether the direction is given, or which of both it is.
        selection: Nodes selected for the pair.
        scores: Scores, once the model has run.
    """

    request: ExtractionRequest
    number: int
    pair: tuple[int, int]
    direction: Direction
    selection: NodeSelection = field(default_factory=NodeSelection)
    scores: PairScores = field(init=False, repr=False, compare=False)


def pair_rows(request: ExtractionRequest, both_directions: bool) -> list[PairRow]:
    """Builds the rows of a request. A pair whose tail is an object of the image has one direction alone."""
    rows = []
    for number, (head, tail) in enumerate(request.pairs):
        if both_directions and not request.is_object(tail):
            rows.append(PairRow(request, number, (head, tail), "forward"))
            rows.append(PairRow(request, number, (tail, head), "reverse"))
        else:
            rows.append(PairRow(request, number, (head, tail), "given"))
    return rows


def read_scores(
    output: Any, rows: Sequence[PairRow], config: VMHANConfig, with_hypergraph: bool = False
) -> list[PairScores]:
    """Reads the scores of rows from the model's output.

    Args:
        output: `VMHANRelationOutput` of these rows, with attentions, and hidden states for hypergraphs.
        rows: Rows, in the order of the output.
        config: Config of the model.
        with_hypergraph: Whether to build the hypergraph of each row.
    """
    logits = output.logits.float().cpu()  # (pairs, labels)
    direction_given = torch.tensor([row.direction == "given" for row in rows])
    styles = torch.tensor([config.find_annotation_style(row.request.annotation_style) for row in rows])
    probabilities = calibrated_scores(logits, direction_given, config, styles)
    none = no_relation_index(config)
    no_relation = [0.0] * len(rows) if none is None else logits.softmax(dim=-1)[:, none].tolist()
    variances = output.pair_variance.float().tolist()
    attention = visual_attention(output).float().cpu()  # (pairs, visual nodes)
    node_types = output.node_types[is_visual(output.node_types)].cpu()  # (visual nodes,)
    return [
        PairScores(
            probabilities[index],
            no_relation[index],
            variances[index],
            attended_objects(row.request, row.selection, node_types, attention[index]),
            pair_hypergraph(output, index, _node_names(row)) if with_hypergraph else None,
        )
        for index, row in enumerate(rows)
    ]


def visual_attention(output: Any) -> torch.Tensor:
    """Computes the attention of each pair on its image and each object, (pairs, 1 + objects).

    It is what head and tail drew from their visual nodes in the last layer, on average. Rows sum to one, or to zero
    without visual nodes.
    """
    visual = is_visual(output.node_types)  # (nodes,)
    if output.node_flow is None:  # a structure without attention
        return output.logits.new_zeros(len(output.logits), int(visual.sum()))
    drawn = output.node_flow[:, [HEAD, TAIL]][..., visual].float().mean(dim=1)  # (pairs, visual nodes)
    return drawn / drawn.sum(dim=-1, keepdim=True).clamp(min=torch.finfo(drawn.dtype).tiny)


def attended_objects(
    request: ExtractionRequest, selection: NodeSelection, node_types: torch.Tensor, attention: torch.Tensor
) -> list[AttendedObject]:
    """Builds the visual nodes of a pair with positive attention, by falling attention.

    Args:
        request, selection: Request of the pair, and its selected nodes.
        node_types: Index into `NODE_TYPES` of each visual node, (visual nodes,).
        attention: Attention on each visual node, (visual nodes,).
    """
    whole = [0.0, 0.0, *map(float, request.image_size)] if request.image_size else None
    objects: dict[int, list[ImageObject]] = {
        IMAGE: [{"label": "image", "score": 1.0, "box": whole}],
        OBJECT: request.visible_objects,
        VISUAL_PHRASE: [{"label": phrase, "score": 1.0, "box": None} for phrase in selection.visual_phrases],
    }
    attended: list[AttendedObject] = []
    for node_type, of_type in objects.items():
        weights = attention[node_types == node_type].tolist()
        # another request of the batch may have more nodes of the type: the rest is padding
        for item, weight in zip(of_type, weights, strict=False):
            if weight > 0:
                attended.append({**item, "attention": weight})
    return sorted(attended, key=lambda item: -item["attention"])


def _node_names(row: PairRow) -> dict[int, Sequence[str]]:
    head, tail = row.pair
    start, end = row.request.span(head)
    return {**node_names(row.request.text[start:end], row.request.entity_text(tail), row.request, row.selection)}


__all__ = [
    "AttendedObject",
    "Direction",
    "PairRow",
    "PairScores",
    "attended_objects",
    "pair_rows",
    "read_scores",
    "visual_attention",
]
