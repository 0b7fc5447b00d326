"""The hypergraph of each pair in the answers of the pipeline: nodes, hyperedges, attention and variances."""

from collections.abc import Iterator, Sequence

from .extraction_request import ExtractionRequest
from .hypergraph import HEAD, HYPEREDGE_TYPES, IMAGE, NODE_TYPES, OBJECT, TAIL, TEXT_PHRASE, VISUAL_PHRASE
from .model_outputs import VMHANRelationOutput
from .node_selection import NodeSelection

_UNLABELED = "object"  # of the image, that a user gave by its box alone


def pair_hypergraph(output: VMHANRelationOutput, row: int, names: dict[int, Sequence[str]]) -> dict | None:
    """Reads the hypergraph of one pair, ready for JSON; None where the model has edges of two nodes alone.

    Args:
        output: Output with attentions and hidden states.
        row: Row of the pair.
        names: Names of the nodes of each type, an index into `NODE_TYPES`, in the order of the batch.

    Returns:
        `"nodes"`, each with its `"name"`, its `"kind"` out of `NODE_TYPES`, and the mean `"variance"` of its Gaussian
        after the last layer and before the first (`"initial_variance"`, equation 4); and `"hyperedges"`, each with its
        `"type"` out of `HYPEREDGE_TYPES`, its `"members"` as indices into `"nodes"` and the `"attention"` on each: its
        share in the hyperedge that was read last (`read_attention`, on average over the heads). It sums to one, or to
        zero where the hyperedge holds nothing of its members.

        Only hyperedges that head or tail read last are listed: one that only other nodes read then reaches no score,
        as that within the image. A structure that gathers nothing in hyperedges has none.
    """
    if output.incidence.shape[-1] != len(HYPEREDGE_TYPES):
        return None
    nodes = _read_nodes(output, row, names)  # by column of the batch
    index = {column: number for number, column in enumerate(nodes)}
    entities = {column for column, kind in enumerate(output.node_types.tolist()) if kind in (HEAD, TAIL)}
    hyperedges = []
    for name, members, attention in _read_hyperedges(output, row):
        columns = [column for column, is_member in enumerate(members) if is_member]
        if not entities.isdisjoint(columns):
            weights = [attention[column] for column in columns]
            hyperedges.append({"type": name, "members": [index[column] for column in columns], "attention": weights})
    return {"nodes": list(nodes.values()), "hyperedges": hyperedges}


def node_names(
    head: str, tail: str | None, request: ExtractionRequest, selection: NodeSelection
) -> dict[int, list[str]]:
    """Collects the names of a pair's nodes by type, as `pair_hypergraph` takes them."""
    return {
        HEAD: [head],
        TAIL: [tail or _UNLABELED],
        TEXT_PHRASE: [request.text[start:end] for start, end in selection.text_phrases],
        IMAGE: ["image"],
        OBJECT: [item["label"] or _UNLABELED for item in request.visible_objects],
        VISUAL_PHRASE: list(selection.visual_phrases),
    }


def _read_nodes(output: VMHANRelationOutput, row: int, names: dict[int, Sequence[str]]) -> dict[int, dict]:
    """Reads the real nodes of a pair by their column in the batch."""
    layers = output.node_layers()
    final, initial = (layers[layer].variance[row].float().mean(dim=-1).tolist() for layer in (-1, 0))  # (nodes,)
    nodes, of_kind = {}, dict.fromkeys(range(len(NODE_TYPES)), 0)
    kinds, real = output.node_types.tolist(), output.node_mask[row].tolist()
    for column, kind in enumerate(kinds):
        number, of_kind[kind] = of_kind[kind], of_kind[kind] + 1
        if real[column]:
            variances = {"variance": final[column], "initial_variance": initial[column]}
            nodes[column] = {"name": names[kind][number], "kind": NODE_TYPES[kind], **variances}
    return nodes


def _read_hyperedges(output: VMHANRelationOutput, row: int) -> Iterator[tuple[str, list[bool], list[float]]]:
    """Reads type, membership of each node and share of each node of the hyperedges that gathered any."""
    if output.read_attention is None:
        return
    shares = output.read_attention[row].float().mean(dim=0).tolist()  # (hyperedges, nodes)
    yield from zip(HYPEREDGE_TYPES, output.incidence[row].T.tolist(), shares, strict=True)


__all__ = ["node_names", "pair_hypergraph"]
