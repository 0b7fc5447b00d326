"""The multi-modal hypergraph of one entity pair (equations 1 to 3).

Nodes stand in a fixed order: head, tail, the m text phrases, the image, its k objects, the n visual phrases. A
hyperedge joins any number of them. Everything here is a pure function of masks; nothing is learned.

Example: head, tail, the image and one object are nodes 0 to 3. Then `incidence` has shape (4, 5):

    global {0, 1, 2, 3}   textual {0, 1}   visual {2, 3}   head-visual {0, 2, 3}   tail-visual {1, 2, 3}
"""

from collections.abc import Sequence

import torch

NODE_TYPES = ("head", "tail", "text_phrase", "image", "object", "visual_phrase")
HYPEREDGE_TYPES = ("global", "textual", "visual", "head_visual", "tail_visual")
#: The paper's words for its three kinds of hyperedges.
HYPEREDGE_KINDS = {
    "global": "global",
    "textual": "intra_modal",
    "visual": "intra_modal",
    "head_visual": "inter_modal",
    "tail_visual": "inter_modal",
}

ALL_KINDS = ("global", "intra_modal", "inter_modal")
PAIRWISE = "pairwise"

HEAD, TAIL, TEXT_PHRASE, IMAGE, OBJECT, VISUAL_PHRASE = range(len(NODE_TYPES))
_TEXTUAL = (HEAD, TAIL, TEXT_PHRASE)
_VISUAL = (IMAGE, OBJECT, VISUAL_PHRASE)
_MEMBERS = {
    "global": _TEXTUAL + _VISUAL,
    "textual": _TEXTUAL,
    "visual": _VISUAL,
    "head_visual": (HEAD, *_VISUAL),
    "tail_visual": (TAIL, *_VISUAL),
}


def is_visual(types: torch.Tensor) -> torch.Tensor:
    """Computes which nodes come from the image, (nodes,)."""
    return types >= IMAGE


def build_incidence(types: torch.Tensor, node_mask: torch.Tensor, kinds: Sequence[str] = ALL_KINDS) -> torch.Tensor:
    """Computes the incidence matrix of every pair, equations 1 to 3.

    Without any visual node the three visual hyperedges are empty: a pair without an image keeps the global and the
    textual one.

    Args:
        types: Index into `NODE_TYPES`, (nodes,).
        node_mask: True where a node is real, (pairs, nodes).
        kinds: Kinds of hyperedges, as in `ALL_KINDS`; the others stay empty. `("pairwise",)` is Table 2's "w/o
            Multi-Modal Hypergraph": an edge between every two nodes.

    Returns:
        Bool tensor (pairs, nodes, hyperedges); hyperedges as in `HYPEREDGE_TYPES`, or every two nodes.
    """
    if tuple(kinds) == (PAIRWISE,):
        return pairwise_incidence(node_mask)
    columns = [torch.isin(types, torch.tensor(_MEMBERS[name], device=types.device)) for name in HYPEREDGE_TYPES]
    members = node_mask[:, :, None] & torch.stack(columns, dim=-1)  # (pairs, nodes, hyperedges)
    has_image = (node_mask & is_visual(types)).any(dim=1)  # (pairs,)
    needs_image = torch.tensor([name.endswith("visual") for name in HYPEREDGE_TYPES], device=types.device)
    in_use = torch.tensor([HYPEREDGE_KINDS[name] in kinds for name in HYPEREDGE_TYPES], device=types.device)
    exists = in_use & (has_image[:, None] | ~needs_image)  # (pairs, hyperedges)
    return members & exists[:, None, :]


def pairwise_incidence(node_mask: torch.Tensor) -> torch.Tensor:
    """Computes the incidence matrix of edges between every two nodes, (pairs, nodes, edges)."""
    nodes = node_mask.shape[1]
    first, second = torch.triu_indices(nodes, nodes, offset=1, device=node_mask.device)  # (edges,)
    indices = torch.arange(nodes, device=node_mask.device)[:, None]
    ends = (indices == first) | (indices == second)  # (nodes, edges)
    exists = node_mask[:, first] & node_mask[:, second]  # (pairs, edges)
    return ends & exists[:, None, :]
