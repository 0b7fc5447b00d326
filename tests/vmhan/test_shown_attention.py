"""Attention that is drawn or listed took part in the answer: forcing it onto one node moves the scores."""

from contextlib import contextmanager

import pytest
import torch
from tiny import tiny_batch, tiny_model

from vmhan import vhan
from vmhan.hypergraph import HEAD, HYPEREDGE_TYPES, NODE_TYPES, TAIL
from vmhan.hypergraph_output import pair_hypergraph
from vmhan.pair_rows import visual_attention

ROW = 0  # the pair that is shown; its image has three objects
NAMES = dict.fromkeys(range(len(NODE_TYPES)), ["x"] * 9)
START = -1  # in place of the number of a layer: what hyperedges are made of before the first
DRAWN = ["global", "textual", "head_visual", "tail_visual"]  # that within the image is read last by its nodes alone
STRUCTURES = [
    *({"update": update, "num_layers": layers} for update in ("sync", "sequential") for layers in (1, 2, 3)),
    {"update": "sync", "num_layers": 2, "tie_scores": False},
    {"update": "sequential", "num_layers": 2, "tie_scores": False},
    {"update": "sync", "num_layers": 1, "hyperedge_init": "mean+type"},
    {"update": "sync", "num_layers": 2, "hyperedge_init": "zero"},
]
each_structure = pytest.mark.parametrize("settings", STRUCTURES, ids=str)


def build(**settings):
    return tiny_model(visual_features=["pixels", "text", "box"], **settings).double()


@pytest.fixture(scope="module")
def batch() -> dict[str, torch.Tensor]:
    tensors = tiny_batch()
    del tensors["labels"]
    return {name: values.double() if values.is_floating_point() else values for name, values in tensors.items()}


def onto_the_last(weights: torch.Tensor) -> torch.Tensor:
    """All the weight on the last of the members, which are along the last axis."""
    members = weights > 0
    last = (members * torch.arange(1, members.shape[-1] + 1)).argmax(dim=-1, keepdim=True)
    return torch.zeros_like(weights).scatter(-1, last, 1.0) * members


@contextmanager
def forced(monkeypatch, layer: int, hyperedge: int | None = None, node: int | None = None):
    """Equation 5 of a hyperedge, or equation 7 of a node, of one layer is all on one of its members.

    With `layer` START it is what the hyperedge takes of its members before the first layer.
    """
    softmax, shares, calls = vhan.masked_softmax, vhan.member_shares, {-1: 0, -2: 0}

    def one_sided(scores, mask, dim):
        weights, number = softmax(scores, mask, dim), calls[dim]
        calls[dim] += 1
        if number != layer:
            return weights
        if dim == -1 and hyperedge is not None:
            weights[:, :, hyperedge] = onto_the_last(weights[:, :, hyperedge])
        if dim == -2 and node is not None:
            weights[..., node] = onto_the_last(weights[..., node])
        return weights

    def one_sided_start(incidence, dtype):
        weights = shares(incidence, dtype)
        if layer == START and hyperedge is not None:
            weights[:, hyperedge] = onto_the_last(weights[:, hyperedge])
        return weights

    with monkeypatch.context() as patch:
        patch.setattr(vhan, "masked_softmax", one_sided)
        patch.setattr(vhan, "member_shares", one_sided_start)
        yield


@torch.no_grad()
def answer(model, batch) -> tuple[dict[str, list[float]], list[float], list[float]]:
    """Of one pair the attention of each hyperedge that is drawn, that on each visual node, and the logits."""
    output = model(**batch, output_attentions=True, output_hidden_states=True)
    graph = pair_hypergraph(output, ROW, NAMES)
    drawn = {edge["type"]: edge["attention"] for edge in graph["hyperedges"]}
    return drawn, visual_attention(output)[ROW].tolist(), output.logits[ROW].tolist()


@each_structure
def test_a_hyperedge_is_drawn_with_the_attention_that_moves_the_scores(settings, batch, monkeypatch):
    model = build(**settings)
    drawn, on_objects, logits = answer(model, batch)
    followed = set()
    for layer in range(START, settings["num_layers"]):
        for number, name in enumerate(HYPEREDGE_TYPES):
            with forced(monkeypatch, layer, hyperedge=number):
                now, now_on_objects, now_logits = answer(model, batch)
            if now != drawn or now_on_objects != on_objects:
                assert now_logits != logits, f"{name} of layer {layer} is shown and changes no score"
            if name in now and sorted(now[name]) == [*[0.0] * (len(now[name]) - 1), 1.0]:
                followed.add(name)
    assert [*drawn] == DRAWN and followed == {*DRAWN}


@each_structure
def test_attention_on_objects_is_what_head_and_tail_drew(settings, batch, monkeypatch):
    model, last = build(**settings), settings["num_layers"] - 1
    _, on_objects, logits = answer(model, batch)
    assert sum(on_objects) == pytest.approx(1, abs=1e-5)
    for node in range(6):
        with forced(monkeypatch, last, node=node):
            _, now, now_logits = answer(model, batch)
        is_entity = node in (HEAD, TAIL)
        assert (now_logits != logits) == is_entity
        assert is_entity or now == on_objects, "what another node drew last reaches no score"


@pytest.mark.parametrize("init", ["zero", "type_embedding"])
def test_hyperedges_that_hold_nothing_of_their_members_show_no_attention(init, batch):
    drawn, on_objects, _ = answer(build(num_layers=1, hyperedge_init=init), batch)
    assert [*drawn] == DRAWN and not any(sum(shares) for shares in drawn.values()) and not any(on_objects)


@pytest.mark.parametrize("structure", ["none", "gcn", "gat", "variational_gcn"])
def test_a_structure_that_gathers_nothing_in_hyperedges_draws_none(structure, batch):
    drawn, _, _ = answer(build(structure_encoder=structure), batch)
    assert drawn == {}


def test_hyperedges_of_hgnn_are_drawn_with_what_they_gather(batch):
    """A node counts by one over the root of the number of hyperedges that hold it."""
    with torch.no_grad():
        output = build(structure_encoder="hgnn")(**batch, output_attentions=True, output_hidden_states=True)
    graph = pair_hypergraph(output, ROW, NAMES)
    held = [output.incidence[ROW, column].sum().item() for column in output.node_mask[ROW].nonzero().flatten()]
    for edge in graph["hyperedges"]:
        gathered = [held[member] ** -0.5 for member in edge["members"]]
        assert edge["attention"] == pytest.approx([share / sum(gathered) for share in gathered], abs=1e-6)
    assert len(set(held)) > 1
