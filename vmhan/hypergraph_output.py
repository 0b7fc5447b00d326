"""The hypergraph of each pair as plain numbers: its nodes, its hyperedges, attention and variances."""

from collections.abc import Iterator, Sequence

from .hypergraph import HEAD, HYPEREDGE_TYPES, IMAGE, NODE_TYPES, OBJECT, TAIL, TEXT_PHRASE, VISUAL_PHRASE

_NAMELESS = "object"  # of the image, that a user gave by its box alone


def pair_hypergraph(output, row: int, names: dict[int, Sequence[str]]) -> dict | None:
    """The hypergraph of one pair, ready for JSON, or None where the model has edges of two nodes alone.

    Args:
        output: Of `VMHANForRelationExtraction`, with attentions and hidden states.
        row: Of the pair.
        names: Of the nodes of each type, an index into `NODE_TYPES`, in the order of the batch.

    Returns:
        `"nodes"`, each with its `"name"`, its `"kind"` out of `NODE_TYPES`, and the mean `"variance"` of its Gaussian
        after the last layer and before the first (`"initial_variance"`, equation 4); and `"hyperedges"`, each with its
        `"type"` out of `HYPEREDGE_TYPES`, its `"members"` as places in `"nodes"` and the `"attention"` on each: its
        share in the hyperedge that was read last (`read_attention`, on average over the heads). It sums to one, or to
        zero where the hyperedge holds nothing of its members.

        Only hyperedges that head or tail read last are listed: what only other nodes read then reaches no score, as
        that within the image. A structure that gathers nothing in hyperedges has none.
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
    entities = {column for column, kind in enumerate(kinds) if kind in (HEAD, TAIL)}
    hyperedges = []
    for type, members, attention in _read_hyperedges(output, row):
        columns = [column for column, is_member in enumerate(members) if is_member]
        if not entities.isdisjoint(columns):
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


def _read_hyperedges(output, row: int) -> Iterator[tuple[str, list[bool], list[float]]]:
    """Type, membership of each node and share of each node of the hyperedges that gathered any."""
    if output.read_attention is None:
        return
    shares = output.read_attention[row].float().mean(dim=0).tolist()
    yield from zip(HYPEREDGE_TYPES, output.incidence[row].T.tolist(), shares, strict=True)


__all__ = ["node_names", "pair_hypergraph"]
