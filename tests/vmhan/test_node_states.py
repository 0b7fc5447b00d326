import pytest
import torch
from tiny import VISUAL_WIDTH, tiny_config

from vmhan.node_states import MIN_CHUNK_TOKENS, NodeGroup, VisualNodes, box_features, pool_spans, split_by_length

STATES = torch.randn(2, 7, 4, generator=torch.Generator().manual_seed(0))
PAIR_SENTENCE = torch.tensor([0, 1, 1])
SPANS = torch.tensor([[[1, 3], [4, 5]], [[2, 6], [2, 6]], [[1, 7], [4, 5]]])

POOLS = {
    "mean": lambda states, start, end: sum(states[i] for i in range(start, end)) / (end - start),
    "first": lambda states, start, end: states[start],
    "max": lambda states, start, end: torch.stack([max(column[start:end]) for column in states.T]),
    "marker": lambda states, start, end: states[start - 1],
    "mean_marker": lambda states, start, end: POOLS["mean"](states, start, end) + states[start - 1],
}


@pytest.mark.parametrize("how", POOLS)
def test_a_mention_is_pooled_as_its_loop_says(how):
    pooled = pool_spans(STATES, PAIR_SENTENCE, SPANS, how)
    assert pooled.shape == (3, 2, 4)
    for pair, sentence in enumerate(PAIR_SENTENCE.tolist()):
        for index, (start, end) in enumerate(SPANS[pair].tolist()):
            assert torch.allclose(pooled[pair, index], POOLS[how](STATES[sentence], start, end), atol=1e-6)


@pytest.mark.parametrize("how", POOLS)
def test_every_pair_sends_its_gradient_to_a_shared_span(how):
    states = STATES.clone().requires_grad_()
    pool_spans(states, torch.tensor([0, 0, 0]), torch.tensor([[[2, 3]]] * 3), how).sum().backward()
    twice = 2 if how == "mean_marker" else 1
    assert states.grad.sum() == 3 * 4 * twice
    assert not states.grad[1].any()


def test_an_empty_span_pools_to_zero():
    assert not pool_spans(STATES, PAIR_SENTENCE, torch.zeros(3, 1, 2, dtype=torch.long)).any()


def test_boxes_get_an_area_and_a_row_for_the_image():
    boxes, mask = torch.tensor([[[0.5, 0.4, 0.2, 0.5], [0.1, 0.2, 0.3, 0.4]]]), torch.tensor([[True, False]])
    features, known = box_features(boxes, mask)
    expected = torch.tensor([[[0, 0, 0, 0, 0], [0.5, 0.4, 0.2, 0.5, 0.1], [0.1, 0.2, 0.3, 0.4, 0.12]]])
    assert torch.allclose(features, expected)
    assert known.tolist() == [[False, True, False]]


def phrases_of(lengths: list[int]) -> torch.Tensor:
    """Random phrases of these lengths, which must fall, (phrases, 2, tokens)."""
    mask = torch.arange(lengths[0] + 2) < torch.tensor(lengths)[:, None]
    return torch.stack([torch.randint(5, 99, mask.shape) * mask, mask.long()], dim=1)


@pytest.mark.parametrize(
    "lengths, sizes",
    [
        ([5], [1]),
        ([48, 3, 2], [3]),
        ([48] * 6 + [3] * 4, [6, 4]),
        ([48] * 6 + [20] * 13 + [4] * 200, [6, 13, 200]),
        ([48] * 6 + [25] * 20, [26]),
    ],
)
def test_chunks_hold_every_phrase_once_and_are_cut_to_their_longest(lengths, sizes):
    phrases = phrases_of(lengths)
    chunks = split_by_length(phrases)
    assert [len(chunk) for chunk in chunks] == sizes
    rows = [row for chunk in chunks for row in chunk]
    assert len(rows) == len(phrases)
    for row, phrase in zip(rows, phrases, strict=True):
        assert torch.equal(row, phrase[:, : row.shape[1]])
        assert row[1].sum() == phrase[1].sum()
    assert all(chunk[0, 1].all() for chunk in chunks)
    assert all(chunk[:, 1].numel() >= MIN_CHUNK_TOKENS for chunk in chunks[:-1])


def test_a_visual_node_is_the_sum_of_its_features():
    torch.manual_seed(0)
    nodes = VisualNodes(tiny_config(visual_features=["pixels", "text", "box"]))
    widths = {"pixels": VISUAL_WIDTH, "text": 16, "box": 5}
    masks = {
        "pixels": torch.tensor([[1, 0, 1], [0, 0, 0]]).bool(),
        "text": torch.tensor([[1, 1, 0], [1, 0, 0]]).bool(),
        "box": torch.tensor([[0, 1, 0], [0, 1, 0]]).bool(),
    }
    known = {name: (torch.randn(2, 3, widths[name]), masks[name]) for name in widths}
    states, exists = nodes(known)
    assert exists.tolist() == [[True, True, True], [True, True, False]]
    for image in range(2):
        for node in range(3):
            expected = torch.zeros(16)
            for name, (values, mask) in known.items():
                if mask[image, node]:
                    projection = nodes.projections[name]
                    expected += projection.weight @ values[image, node] + projection.bias
            assert torch.allclose(states[image, node], expected, atol=1e-5)


@pytest.mark.parametrize("garbage", [1e30, float("inf"), float("nan")])
def test_masked_features_change_neither_states_nor_gradients(garbage):
    torch.manual_seed(0)
    nodes = VisualNodes(tiny_config(visual_features=["box"]))
    mask = torch.tensor([[True, False]])
    results = []
    for fill in (0.0, garbage):
        nodes.zero_grad()
        states, _ = nodes({"box": (torch.ones(1, 2, 5).masked_fill(~mask[..., None], fill), mask)})
        states.sum().backward()
        results.append([states, nodes.projections["box"].weight.grad.clone()])
    assert all(torch.equal(clean, dirty) for clean, dirty in zip(*results, strict=True))


def test_features_may_be_missing_from_a_batch():
    nodes = VisualNodes(tiny_config(visual_features=["pixels", "text", "box"]))
    states, exists = nodes({"box": (torch.ones(1, 2, 5), torch.tensor([[True, False]]))})
    assert exists.tolist() == [[True, False]]
    assert torch.allclose(states[0, 0], nodes.projections["box"](torch.ones(5)), atol=1e-6)


def test_the_paper_has_pixels_alone():
    nodes = VisualNodes(tiny_config(visual_features=["pixels"]))
    assert [tuple(parameter.shape) for parameter in nodes.parameters()] == [(16, VISUAL_WIDTH), (16,)]


def test_joined_groups_stand_side_by_side():
    groups = [NodeGroup(torch.full((2, n, 3), n), torch.ones(2, n) > 0, torch.full((n,), n)) for n in (1, 2)]
    states, mask, types = NodeGroup.join(groups)
    assert states[0, :, 0].tolist() == [1, 2, 2] and types.tolist() == [1, 2, 2] and mask.shape == (2, 3)
