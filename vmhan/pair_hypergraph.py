"""The hypergraph of each pair as plain numbers: its nodes, its hyperedges, attention and variances."""

from collections.abc import Sequence

import torch

from .hypergraph import HEAD, HYPEREDGE_TYPES, IMAGE, NODE_TYPES, OBJECT, TAIL, TEXT_PHRASE, VISUAL_PHRASE
from .vhan import member_shares

_NAMELESS = "object"  # of the image, that a user gave by its box alone


def pair_hypergraph(output, row: int, names: dict[int, Sequence[str]]) -> dict | None:
    """The hypergraph of one pair, ready for JSON, or None where the model has edges of two nodes alone.

    Args:
        output: Of `VMHANForRelationExtraction`, with attentions and hidden states.
        row: Of the pair.
        names: Of the nodes of each type, an index into `NODE_TYPES`, in the order of the batch.

    Returns:
        `"nodes"`, each with its `"name"`, its `"kind"` out of `NODE_TYPES`, and the mean `"variance"` of its Gaussian
        after the last layer and before the first (`"initial_variance"`, equation 4); and `"hyperedges"` that have
        members, each with its `"type"` out of `HYPEREDGE_TYPES`, its `"members"` as places in `"nodes"` and the
        `"attention"` on each in the last layer (equation 5, on average over the heads), which sums to one. A structure
        without hyperedge attention gives every member the same.
    """
    if output.incidence.shape[-1] != len(HYPEREDGE_TYPES):
        return None
    kinds, real = output.node_types.tolist(), output.node_mask[row].tolist()
    final, initial = (output.node_variances[layer][row].float().mean(dim=-1).tolist() for layer in (-1, 0))
    places, nodes = {}, []
    seen = dict.fromkeys(range(len(NODE_TYPES)), 0)
    for column, kind in enumerate(kinds):
        number, seen[kind] = seen[kind], seen[kind] + 1
        if real[column]:
            places[column] = len(nodes)
            variances = {"variance": final[column], "initial_variance": initial[column]}
            nodes.append({"name": names[kind][number], "kind": NODE_TYPES[kind], **variances})
    shares = _shares(output, row)
    hyperedges = []
    for type, members, attention in zip(HYPEREDGE_TYPES, output.incidence[row].T.tolist(), shares, strict=True):
        columns = [column for column, is_member in enumerate(members) if is_member]
        if columns:
            weights = [attention[column] for column in columns]
            numbers = [places[column] for column in columns]
            hyperedges.append({"type": type, "members": numbers, "attention": weights})
    return {"nodes": nodes, "hyperedges": hyperedges}


def node_names(head: str, tail: str | None, request, selection) -> dict[int, list[str]]:
    """Names of a pair's nodes by type, as `pair_hypergraph` takes them, from what the pipeline knows."""
    return {
        HEAD: [head],
        TAIL: [tail or _NAMELESS],
        TEXT_PHRASE: [request.text[start:end] for start, end in selection.text_phrases],
        IMAGE: ["image"],
        OBJECT: [item["label"] or _NAMELESS for item in request.visible_objects],
        VISUAL_PHRASE: list(selection.visual_phrases),
    }


def _shares(output, row: int) -> list[list[float]]:
    """Attention of each hyperedge on each node, (hyperedges, nodes)."""
    if output.attentions:
        return output.attentions[-1][row].float().mean(dim=0).tolist()
    return member_shares(output.incidence[row : row + 1], torch.float32)[0].tolist()


__all__ = ["node_names", "pair_hypergraph"]
