"""Pairs as rows of the model's batch, and what the model says of each."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch

from .configuration_vmhan import VMHANConfig
from .extraction_request import ExtractionRequest
from .hypergraph import HEAD, IMAGE, OBJECT, TAIL, VISUAL_PHRASE, is_visual
from .hypergraph_output import node_names, pair_hypergraph
from .node_selection import NodeSelection
from .temperature import calibrated_scores


@dataclass
class PairScores:
    """What the model says of a row.

    Args:
        scores: Probability of each relation, (labels,), calibrated.
        unrelated: Probability that there is none, before calibration, which judges a pair by its own likeliest label
            and so says nothing of which direction of it is likelier.
        variance: Mean variance of the Gaussians of head and tail.
        objects: The visual nodes of the pair, those looked at most first.
        hypergraph: As `pair_hypergraph` makes it, or None.
    """

    scores: torch.Tensor
    unrelated: float | None
    variance: float
    objects: list[dict]
    hypergraph: dict | None = None


@dataclass
class PairRow:
    """One pair of a request in one direction.

    Args:
        request: The request.
        number: Of the pair, an index into the pairs of the request.
        pair: (head, tail) indices into the mentions of the request.
        direction_given: Whether head and tail are known to stand this way round.
        selection: The nodes selected for the pair.
        result: What the model says, once it was asked.
    """

    request: ExtractionRequest
    number: int
    pair: tuple[int, int]
    direction_given: bool
    selection: NodeSelection = field(default_factory=NodeSelection)
    result: PairScores | None = None


def pair_rows(request: ExtractionRequest, both_directions: bool) -> list[PairRow]:
    """Makes the rows of a request. A pair whose tail is an object of the image has one direction alone."""
    rows = []
    for number, pair in enumerate(request.pairs):
        both = both_directions and not request.is_object(pair[1])
        rows += [PairRow(request, number, way, not both) for way in ([pair, pair[::-1]] if both else [pair])]
    return rows


def read_output(output, rows: Sequence[PairRow], config: VMHANConfig, with_hypergraph: bool = False) -> None:
    """Fills in the results of rows.

    Args:
        output: Of `VMHANForRelationExtraction` for these rows, with attentions, and hidden states for hypergraphs.
    """
    logits = output.logits.float().cpu()
    scores = calibrated_scores(logits, torch.tensor([row.direction_given for row in rows]), config)
    none = config.label2id.get(config.no_relation)
    unrelated = logits.softmax(dim=-1)[:, none].tolist() if none is not None else [None] * len(rows)
    variances = output.pair_variance.float().tolist()
    attention = visual_attention(output).float().cpu()
    kinds = output.node_types[is_visual(output.node_types)].tolist()
    for index, row in enumerate(rows):
        seen = _attended(row.request, row.selection, kinds, attention[index])
        hypergraph = pair_hypergraph(output, index, _names(row)) if with_hypergraph else None
        row.result = PairScores(scores[index], unrelated[index], variances[index], seen, hypergraph)


def visual_attention(output) -> torch.Tensor:
    """How much a pair looks at its image and each object, (pairs, 1 + objects); rows sum to one, to zero without any.

    What head and tail drew from their visual nodes in the last layer, on average.
    """
    visual = is_visual(output.node_types)
    if output.node_flow is None:  # a structure without attention looks at nothing
        return output.logits.new_zeros(len(output.logits), int(visual.sum()))
    drawn = output.node_flow[:, [HEAD, TAIL]][..., visual].float().mean(dim=1)
    return drawn / drawn.sum(dim=-1, keepdim=True).clamp(min=torch.finfo(drawn.dtype).tiny)


def entity_fields(request: ExtractionRequest, index: int) -> dict:
    """An entity of a request as the answer names it."""
    if request.is_object(index):
        place = request.mentions[index]
        item = request.visible_objects[place]
        return {"text": item["label"], "start": None, "end": None, "box": item["box"], "object": place}
    start, end = request.mentions[index]
    return {"text": request.text[start:end], "start": start, "end": end}


def _names(row: PairRow) -> dict[int, list[str]]:
    head, tail = (entity_fields(row.request, index)["text"] for index in row.pair)
    return node_names(head, tail, row.request, row.selection)


def _attended(
    request: ExtractionRequest, selection: NodeSelection, kinds: list[int], attention: torch.Tensor
) -> list[dict]:
    """The visual nodes of a pair, those looked at most first; the image counts as one if anything is known of it.

    Args:
        kinds: Index into `NODE_TYPES` of each visual node.
        attention: Of each visual node, (visual nodes,).
    """
    whole = [0.0, 0.0, *map(float, request.image_size)] if request.image_size else None
    nodes = {
        IMAGE: [{"label": "image", "score": 1.0, "box": whole}],
        OBJECT: request.visible_objects,
        VISUAL_PHRASE: [{"label": phrase, "score": 1.0, "box": None} for phrase in selection.visual_phrases],
    }
    seen = []
    for kind, of_kind in nodes.items():
        weights = [float(weight) for weight, other in zip(attention, kinds, strict=True) if other == kind]
        # another request of the batch may have more nodes of the kind: what is too many here is padding
        seen += [{**node, "attention": weight} for node, weight in zip(of_kind, weights, strict=False) if weight > 0]
    return sorted(seen, key=lambda node: -node["attention"])


__all__ = ["PairRow", "PairScores", "entity_fields", "pair_rows", "read_output", "visual_attention"]
