import pytest
import torch

from vmhan.hypergraph import (
    ALL_KINDS,
    HEAD,
    HYPEREDGE_KINDS,
    HYPEREDGE_TYPES,
    IMAGE,
    NODE_TYPES,
    OBJECT,
    TAIL,
    TEXT_PHRASE,
    VISUAL_PHRASE,
    build_incidence,
    is_visual,
)


def members(types: list[int], mask: list[int] | None = None) -> dict[str, set[int]]:
    """The nodes of each hyperedge of one pair."""
    mask = [1] * len(types) if mask is None else mask
    incidence = build_incidence(torch.tensor(types), torch.tensor([mask]).bool())
    assert incidence.dtype == torch.bool and incidence.shape == (1, len(types), len(HYPEREDGE_TYPES))
    return {name: set(incidence[0, :, j].nonzero().flatten().tolist()) for j, name in enumerate(HYPEREDGE_TYPES)}


def test_the_example_of_the_module_is_equations_1_to_3():
    assert members([HEAD, TAIL, IMAGE, OBJECT]) == {
        "global": {0, 1, 2, 3},
        "textual": {0, 1},
        "visual": {2, 3},
        "head_visual": {0, 2, 3},
        "tail_visual": {1, 2, 3},
    }


def test_every_object_joins_what_the_image_joins():
    for name, nodes in members([HEAD, TAIL, IMAGE, OBJECT, OBJECT, OBJECT]).items():
        assert nodes & {2, 3, 4, 5} == (set() if name == "textual" else {2, 3, 4, 5})


def test_text_phrases_join_the_global_and_the_textual_hyperedge():
    joined = {name for name, nodes in members([HEAD, TAIL, TEXT_PHRASE, IMAGE]).items() if 2 in nodes}
    assert joined == {"global", "textual"}


def test_visual_phrases_join_what_objects_join():
    for nodes in members([HEAD, TAIL, IMAGE, OBJECT, VISUAL_PHRASE]).values():
        assert (3 in nodes) == (4 in nodes)


def test_padding_nodes_join_no_hyperedge():
    nodes = members([HEAD, TAIL, TEXT_PHRASE, IMAGE, OBJECT, OBJECT], mask=[1, 1, 0, 1, 1, 0])
    assert nodes == {
        "global": {0, 1, 3, 4},
        "textual": {0, 1},
        "visual": {3, 4},
        "head_visual": {0, 3, 4},
        "tail_visual": {1, 3, 4},
    }


@pytest.mark.parametrize("mask", [[1, 1, 1, 0, 0], [1, 1, 0, 0, 0]])
def test_without_visual_nodes_only_the_global_and_the_textual_hyperedge_have_members(mask):
    nodes = members([HEAD, TAIL, TEXT_PHRASE, IMAGE, OBJECT], mask=mask)
    textual = {i for i in range(3) if mask[i]}
    assert nodes == {
        "global": textual,
        "textual": textual,
        "visual": set(),
        "head_visual": set(),
        "tail_visual": set(),
    }


def test_objects_without_the_whole_image_are_an_image():
    assert members([HEAD, TAIL, IMAGE, OBJECT], mask=[1, 1, 0, 1])["head_visual"] == {0, 3}


def test_pairs_of_a_batch_do_not_mix():
    types = torch.tensor([HEAD, TAIL, IMAGE, OBJECT])
    masks = torch.tensor([[1, 1, 1, 1], [1, 1, 0, 0], [1, 1, 1, 0]]).bool()
    together = build_incidence(types, masks)
    for pair, mask in enumerate(masks):
        assert torch.equal(together[pair], build_incidence(types, mask[None])[0])


def test_nodes_from_the_image_are_visual():
    visual = is_visual(torch.arange(len(NODE_TYPES))).tolist()
    assert [name for name, yes in zip(NODE_TYPES, visual, strict=True) if yes] == ["image", "object", "visual_phrase"]


def test_each_hyperedge_has_one_of_the_paper_s_kinds():
    assert list(HYPEREDGE_KINDS) == list(HYPEREDGE_TYPES)
    assert set(HYPEREDGE_KINDS.values()) == {"global", "intra_modal", "inter_modal"}


@pytest.mark.parametrize("left_out", ["global", "intra_modal", "inter_modal"])
def test_a_kind_of_hyperedges_can_be_left_out(left_out):
    types, mask = torch.tensor([HEAD, TAIL, IMAGE, OBJECT]), torch.ones(1, 4, dtype=torch.bool)
    kept = [kind for kind in ALL_KINDS if kind != left_out]
    whole, part = build_incidence(types, mask), build_incidence(types, mask, kept)
    for column, name in enumerate(HYPEREDGE_TYPES):
        expected = torch.zeros(4, dtype=torch.bool) if HYPEREDGE_KINDS[name] == left_out else whole[0, :, column]
        assert torch.equal(part[0, :, column], expected)


def test_pairwise_edges_join_every_two_nodes_that_are_there():
    types = torch.tensor([HEAD, TAIL, IMAGE, OBJECT])
    mask = torch.tensor([[True] * 4, [True, True, False, True]])
    edges = build_incidence(types, mask, ["pairwise"])
    joined = [{tuple(edge.nonzero().flatten().tolist()) for edge in of_pair.T} - {()} for of_pair in edges]
    assert joined[0] == {(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)}
    assert joined[1] == {(0, 1), (0, 3), (1, 3)}
