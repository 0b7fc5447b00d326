"""Equations 4 to 8 against loops over nodes and hyperedges, written from the paper, in double precision."""

from itertools import product
from math import exp, log, sqrt

import pytest
import torch
from tiny import tiny_config

from vmhan.vhan import (
    VARIANCE_FLOOR,
    VHAN,
    AttentionScores,
    Gaussian,
    GaussianNodes,
    HyperedgeAttention,
    HyperedgeInit,
    VHANLayer,
    masked_softmax,
)

PAIRS, NODES, HYPEREDGES, HIDDEN = 3, 6, 5, 8

SETTINGS = [
    {},
    {"num_attention_heads": 1, "mean_activation": "relu"},
    {"num_attention_heads": 4, "update": "sequential"},
    {"tie_scores": False, "mean_activation": "tanh"},
    {"tie_scores": False, "update": "sequential", "variance_weight": "nonneg"},
    {"variance_weight": "squared_mean", "hyperedge_init": "zero"},
    {"mean_activation": "none", "hyperedge_init": "type_embedding", "layer_norm": True},
    {"hyperedge_init": "mean+type", "num_layers": 3, "update": "sequential", "layer_norm": True},
]
each_setting = pytest.mark.parametrize("settings", SETTINGS, ids=str)

MEAN_ACTIVATIONS = {
    "elu": lambda x: x if x > 0 else exp(x) - 1,
    "relu": lambda x: max(x, 0.0),
    "tanh": lambda x: (exp(x) - exp(-x)) / (exp(x) + exp(-x)),
    "none": lambda x: x,
}
VARIANCE_ACTIVATIONS = {
    "softplus": lambda x: log(1 + exp(x)),
    "relu": lambda x: max(x, 0.0),
    "exp": exp,
    "elu1": lambda x: x + 1 if x > 0 else exp(x),
}


# Ingredients


def build(module_class, *arguments, seed: int = 0, training: bool = False, **settings):
    """A module in double precision, in eval mode and with random norms, out of settings of the config."""
    torch.manual_seed(seed)
    settings = {"hidden_size": HIDDEN, "num_attention_heads": 2, "message_dropout": 0.5, **settings}
    module = module_class(tiny_config(**settings), *arguments).double()
    for name, parameter in module.named_parameters():
        if "norm" in name:
            torch.nn.init.normal_(parameter, mean=1)
    return module.train(training)


def gaussians(items: int, seed: int) -> Gaussian:
    generator = torch.Generator().manual_seed(seed)
    mean = torch.randn(PAIRS, items, HIDDEN, dtype=torch.float64, generator=generator)
    return Gaussian(mean, torch.rand(PAIRS, items, HIDDEN, dtype=torch.float64, generator=generator) + 0.1)


@pytest.fixture
def nodes() -> Gaussian:
    return gaussians(NODES, seed=1)


@pytest.fixture
def hyperedges() -> Gaussian:
    return gaussians(HYPEREDGES, seed=2)


@pytest.fixture
def incidence() -> torch.Tensor:
    """Random memberships, with a hyperedge that is empty in all pairs, one in some, and padding nodes."""
    incidence = torch.rand(PAIRS, NODES, HYPEREDGES, generator=torch.Generator().manual_seed(3)) < 0.6
    incidence[:, 0, 0] = incidence[:, 1, 2] = True
    incidence[:, :, 4] = False
    incidence[0, :, 3] = False
    incidence[1, 4:] = False
    incidence[2, 5:] = False
    return incidence


def assert_close(ours, loops):
    """Tensors, or Gaussians, that differ by less than 1e-10."""
    for one, other in zip(ours, loops, strict=True):
        assert (one - other).abs().max() < 1e-10


def head_slices(config) -> list[slice]:
    width = config.hidden_size // config.num_attention_heads
    return [slice(head * width, (head + 1) * width) for head in range(config.num_attention_heads)]


def apply(function, values: torch.Tensor) -> torch.Tensor:
    """`function` of each number of a vector."""
    return torch.stack([values.new_tensor(function(float(value))) for value in values])


# The equations as loops


def loop_nodes(module: GaussianNodes, states: torch.Tensor, activation: str) -> Gaussian:
    """Equation 4."""
    mean, variance = torch.zeros_like(states), torch.zeros_like(states)
    for pair, node in product(range(PAIRS), range(states.shape[1])):
        x = states[pair, node]
        mean[pair, node] = module.mean.weight @ x
        variance[pair, node] = apply(VARIANCE_ACTIVATIONS[activation], module.variance.weight @ x) + VARIANCE_FLOOR
    return Gaussian(mean, variance)


def loop_scores(config, scores: AttentionScores, hyperedges: Gaussian, nodes: Gaussian) -> torch.Tensor:
    """What stands under the softmax of equations 5 and 7, (pairs, heads, hyperedges, nodes)."""
    heads = head_slices(config)
    result = torch.zeros(PAIRS, len(heads), hyperedges.mean.shape[1], nodes.mean.shape[1], dtype=torch.float64)
    for pair, head, j, i in product(*map(range, result.shape)):
        part = heads[head]
        hyperedge = (scores.hyperedge.weight @ hyperedges.mean[pair, j])[part]
        node = (scores.node.weight @ nodes.mean[pair, i])[part]
        result[pair, head, j, i] = sum(a * b for a, b in zip(hyperedge, node, strict=True)) / sqrt(len(node))
    return result


def loop_edge_attention(scores: torch.Tensor, incidence: torch.Tensor) -> torch.Tensor:
    """Equation 5: softmax over the nodes of each hyperedge."""
    attention = torch.zeros_like(scores)
    for pair, head, j in product(*map(range, scores.shape[:3])):
        members = [i for i in range(incidence.shape[1]) if incidence[pair, i, j]]
        total = sum(exp(scores[pair, head, j, i]) for i in members)
        for i in members:
            attention[pair, head, j, i] = exp(scores[pair, head, j, i]) / total
    return attention


def loop_node_attention(scores: torch.Tensor, incidence: torch.Tensor) -> torch.Tensor:
    """Equation 7: softmax over the hyperedges of each node."""
    attention = torch.zeros_like(scores)
    for pair, head, i in product(range(PAIRS), range(scores.shape[1]), range(scores.shape[3])):
        joined = [j for j in range(incidence.shape[2]) if incidence[pair, i, j]]
        total = sum(exp(scores[pair, head, j, i]) for j in joined)
        for j in joined:
            attention[pair, head, j, i] = exp(scores[pair, head, j, i]) / total
    return attention


def loop_messages(config, messages: HyperedgeAttention, attention, senders: Gaussian, receivers: Gaussian) -> Gaussian:
    """Equations 6 and 8; `attention` is (pairs, heads, receivers, senders)."""
    mean_weight = messages.mean.weight
    if config.variance_weight == "squared_mean":
        variance_weight = mean_weight * mean_weight
    else:
        variance_weight = messages.variance.weight
        if config.variance_weight == "nonneg":
            variance_weight = variance_weight.abs()
    activation = MEAN_ACTIVATIONS[config.mean_activation]
    mean, variance = torch.zeros_like(receivers.mean), torch.zeros_like(receivers.variance)
    for pair, r in product(*map(range, mean.shape[:2])):
        mean_sum, variance_sum = mean.new_zeros(HIDDEN), mean.new_zeros(HIDDEN)
        for s, (head, part) in product(range(senders.mean.shape[1]), enumerate(head_slices(config))):
            alpha = attention[pair, head, r, s]
            mean_sum[part] += alpha * (mean_weight @ senders.mean[pair, s])[part]
            variance_sum[part] += alpha * alpha * (variance_weight @ senders.variance[pair, s])[part]
        mean[pair, r] = apply(activation, mean_sum) + receivers.mean[pair, r]
        variance[pair, r] = apply(lambda x: max(x, 0.0), variance_sum) + receivers.variance[pair, r]
    return Gaussian(mean, variance)


def loop_norm(norm: torch.nn.Module, gaussian: Gaussian) -> Gaussian:
    """Layer normalisation of the means, if there is one."""
    if isinstance(norm, torch.nn.Identity):
        return gaussian
    mean = torch.zeros_like(gaussian.mean)
    for pair, item in product(*map(range, mean.shape[:2])):
        x = gaussian.mean[pair, item]
        centre = sum(x) / len(x)
        spread = sum((value - centre) ** 2 for value in x) / len(x)
        mean[pair, item] = (x - centre) / sqrt(spread + norm.eps) * norm.weight + norm.bias
    return Gaussian(mean, gaussian.variance)


def loop_layer(config, layer: VHANLayer, nodes: Gaussian, hyperedges: Gaussian, incidence: torch.Tensor):
    """Equations 5 to 8, as `VHANLayer.forward`."""
    attention = loop_edge_attention(loop_scores(config, layer.scores, hyperedges, nodes), incidence)
    new_hyperedges = hyperedges
    if layer.updates_hyperedges:
        messages = loop_messages(config, layer.to_hyperedges, attention, nodes, hyperedges)
        new_hyperedges = loop_norm(layer.hyperedge_norm, messages)
    read = new_hyperedges if config.update == "sequential" else hyperedges
    scores = loop_scores(config, layer.node_scores or layer.scores, read, nodes)
    node_attention = loop_node_attention(scores, incidence)
    new_nodes = loop_messages(config, layer.to_nodes, node_attention.transpose(-1, -2), read, nodes)
    return loop_norm(layer.node_norm, new_nodes), new_hyperedges, attention, node_attention


def loop_hyperedge_init(init: HyperedgeInit, kind: str, nodes: Gaussian, incidence: torch.Tensor) -> Gaussian:
    """Hyperedges before the first layer."""
    shape = (PAIRS, incidence.shape[2], HIDDEN)
    mean, variance = torch.zeros(shape).double(), torch.full(shape, VARIANCE_FLOOR).double()
    for pair, j in product(*map(range, shape[:2])):
        members = [i for i in range(incidence.shape[1]) if incidence[pair, i, j]]
        if "mean" in kind and members:
            mean[pair, j] = sum(nodes.mean[pair, i] for i in members) / len(members)
            variance[pair, j] = sum(nodes.variance[pair, i] for i in members) / len(members) ** 2
        if "type" in kind:
            mean[pair, j] += init.type_embedding.weight[j]
    return Gaussian(mean, variance)


# Each equation


@pytest.mark.parametrize("activation", VARIANCE_ACTIVATIONS)
@torch.no_grad()
def test_equation_4_equals_its_loop(activation):
    module = build(GaussianNodes, variance_activation=activation)
    states = gaussians(NODES, seed=1).mean
    ours = module(states)
    assert_close(ours, loop_nodes(module, states, activation))
    assert (ours.variance > 0).all()


@pytest.mark.parametrize("kind", ["mean", "zero", "type_embedding", "mean+type"])
@torch.no_grad()
def test_hyperedges_start_as_their_loop_says(kind, nodes, incidence):
    init = build(HyperedgeInit, hyperedge_init=kind)
    ours = init(nodes, incidence)
    expected = loop_hyperedge_init(init, kind, nodes, incidence)
    assert_close([x.expand_as(y) for x, y in zip(ours, expected, strict=True)], expected)


@pytest.mark.parametrize("heads", [1, 2, 8])
@torch.no_grad()
def test_equations_5_and_7_equal_their_loops(heads, nodes, hyperedges, incidence):
    layer = build(VHANLayer, False, num_attention_heads=heads)
    _, _, attention, node_attention = layer(nodes, hyperedges, incidence)
    scores = loop_scores(tiny_config(hidden_size=HIDDEN, num_attention_heads=heads), layer.scores, hyperedges, nodes)
    assert_close(attention, loop_edge_attention(scores, incidence))
    assert_close(node_attention, loop_node_attention(scores, incidence))


@pytest.mark.parametrize("heads", [1, 4])
@pytest.mark.parametrize("weights", ["free", "nonneg", "squared_mean"])
@pytest.mark.parametrize("activation", MEAN_ACTIVATIONS)
@torch.no_grad()
def test_equations_6_and_8_equal_their_loop(heads, weights, activation, nodes, hyperedges):
    settings = {"num_attention_heads": heads, "variance_weight": weights, "mean_activation": activation}
    messages = build(HyperedgeAttention, **settings)
    attention = torch.rand(PAIRS, heads, HYPEREDGES, NODES, dtype=torch.float64)
    config = tiny_config(hidden_size=HIDDEN, **settings)
    assert_close(messages(attention, nodes, hyperedges), loop_messages(config, messages, attention, nodes, hyperedges))
    attention = attention.transpose(-1, -2)
    assert_close(messages(attention, hyperedges, nodes), loop_messages(config, messages, attention, hyperedges, nodes))


@torch.no_grad()
def test_one_head_is_the_formula_as_printed(nodes, hyperedges, incidence):
    layer = build(VHANLayer, False, num_attention_heads=1)
    new_nodes, new_hyperedges, _, _ = layer(nodes, hyperedges, incidence)
    for pair, j in product(range(PAIRS), range(HYPEREDGES)):
        members = incidence[pair, :, j].nonzero().flatten()
        x, variance = nodes.mean[pair, members], nodes.variance[pair, members]
        e = hyperedges.mean[pair, j]
        alpha = ((x @ layer.scores.node.weight.T) @ (layer.scores.hyperedge.weight @ e) / sqrt(HIDDEN)).softmax(0)
        mean = torch.nn.functional.elu((alpha[:, None] * x @ layer.to_hyperedges.mean.weight.T).sum(0)) + e
        spread = (alpha[:, None] ** 2 * variance @ layer.to_hyperedges.variance.weight.T).sum(0).clamp(min=0)
        assert_close(
            (new_hyperedges.mean[pair, j], new_hyperedges.variance[pair, j]),
            (mean, spread + hyperedges.variance[pair, j]),
        )
    for pair, i in product(range(PAIRS), range(NODES)):
        joined = incidence[pair, i].nonzero().flatten()
        e, variance = hyperedges.mean[pair, joined], hyperedges.variance[pair, joined]
        x = nodes.mean[pair, i]
        alpha = ((e @ layer.scores.hyperedge.weight.T) @ (layer.scores.node.weight @ x) / sqrt(HIDDEN)).softmax(0)
        mean = torch.nn.functional.elu((alpha[:, None] * e @ layer.to_nodes.mean.weight.T).sum(0)) + x
        spread = (alpha[:, None] ** 2 * variance @ layer.to_nodes.variance.weight.T).sum(0).clamp(min=0)
        assert_close((new_nodes.mean[pair, i], new_nodes.variance[pair, i]), (mean, spread + nodes.variance[pair, i]))


# Layers together


@each_setting
@torch.no_grad()
def test_all_layers_equal_their_loops(settings, nodes, incidence):
    vhan = build(VHAN, **settings)
    config = tiny_config(**{"hidden_size": HIDDEN, **settings})
    output = vhan(nodes, incidence)
    hyperedges = loop_hyperedge_init(vhan.hyperedge_init, config.hyperedge_init, nodes, incidence)
    for number, layer in enumerate(vhan.layers):
        nodes, hyperedges, attention, node_attention = loop_layer(config, layer, nodes, hyperedges, incidence)
        assert_close(output.nodes[number + 1], nodes)
        if layer.updates_hyperedges:
            assert_close(output.hyperedges[number + 1], hyperedges)
        assert_close(output.attentions[number], attention)
        assert_close(output.node_attentions[number], node_attention)


@each_setting
@torch.no_grad()
def test_attention_sums_to_one_where_there_is_something_to_attend_to(settings, nodes, incidence):
    output = build(VHAN, **settings)(nodes, incidence)
    has_member = incidence.any(dim=1)[:, None].double()
    has_hyperedge = incidence.any(dim=2)[:, None].double()
    for attention, node_attention in zip(output.attentions, output.node_attentions, strict=True):
        assert_close(attention.sum(dim=-1), has_member.expand(attention.shape[:3]))
        assert_close(node_attention.sum(dim=-2), has_hyperedge.expand_as(node_attention.sum(dim=-2)))
        outside = ~incidence.transpose(1, 2)[:, None].expand_as(attention)
        assert not attention[outside].any() and not node_attention[outside].any()


@each_setting
@torch.no_grad()
def test_variances_are_positive_in_every_layer(settings, nodes, incidence):
    output = build(VHAN, **settings)(nodes, incidence)
    for gaussian in (*output.nodes, *output.hyperedges):
        assert (gaussian.variance > 0).all()


@pytest.mark.parametrize("settings", [{}, {"num_layers": 1}, {"num_layers": 3}, {"update": "sequential"}], ids=str)
@torch.no_grad()
def test_node_flow_is_the_product_of_the_attentions_that_were_read(settings, nodes, incidence):
    output = build(VHAN, **settings)(nodes, incidence)
    if settings.get("update") == "sequential":
        read = output.attentions[-1]
    elif settings.get("num_layers") == 1:
        members = incidence.transpose(1, 2)[:, None].double().expand_as(output.attentions[0])
        read = members / members.sum(dim=-1, keepdim=True).clamp(min=1)
    else:
        read = output.attentions[-2]
    flow = torch.zeros(PAIRS, NODES, NODES, dtype=torch.float64)
    heads = read.shape[1]
    for pair, head, to, j, source in product(*map(range, (PAIRS, heads, NODES, HYPEREDGES, NODES))):
        share = output.node_attentions[-1][pair, head, j, to] * read[pair, head, j, source]
        flow[pair, to, source] += share / heads
    assert_close(output.node_flow, flow)
    assert_close(output.node_flow.sum(dim=-1), incidence.any(dim=2).double())


@torch.no_grad()
def test_without_layers_nodes_stay_as_they_are(nodes, incidence):
    output = build(VHAN, num_layers=0)(nodes, incidence)
    assert output.nodes == (nodes,) and output.node_flow is None


def test_the_last_synchronous_layer_has_no_weights_that_nothing_reads():
    first, last = build(VHAN, num_layers=2, tie_scores=False, layer_norm=True).layers
    unread = ("to_hyperedges.", "hyperedge_norm.", "node_scores.")
    names = {name for name, _ in first.named_parameters()}
    assert {name for name, _ in last.named_parameters()} == {name for name in names if not name.startswith(unread)}


@torch.no_grad()
def test_permuting_nodes_permutes_node_states(nodes, incidence):
    vhan = build(VHAN)
    order = torch.tensor([3, 0, 5, 1, 4, 2])
    output = vhan(nodes, incidence)
    permuted = vhan(Gaussian(nodes.mean[:, order], nodes.variance[:, order]), incidence[:, order])
    for ours, theirs in zip(output.nodes, permuted.nodes, strict=True):
        assert_close([part[:, order] for part in ours], theirs)
    for ours, theirs in zip(output.hyperedges, permuted.hyperedges, strict=True):
        assert_close(ours, theirs)


@torch.no_grad()
def test_padding_nodes_change_nothing(nodes, incidence):
    vhan = build(VHAN)
    longer = Gaussian(*(torch.cat([part, 1e3 * part[:, :2]], dim=1) for part in nodes))
    output = vhan(longer, torch.nn.functional.pad(incidence, (0, 0, 0, 2)))
    assert_close((part[:, :NODES] for part in output.nodes[-1]), vhan(nodes, incidence).nodes[-1])


@torch.no_grad()
def test_works_with_more_hyperedges_than_nodes():
    incidence = torch.rand(PAIRS, 3, 11, generator=torch.Generator().manual_seed(4)) < 0.5
    nodes = gaussians(3, seed=1)
    vhan = build(VHAN)
    config = tiny_config(hidden_size=HIDDEN)
    output = vhan(nodes, incidence)
    hyperedges = loop_hyperedge_init(vhan.hyperedge_init, "mean", nodes, incidence)
    for number, layer in enumerate(vhan.layers):
        nodes, hyperedges, *_ = loop_layer(config, layer, nodes, hyperedges, incidence)
        assert_close(output.nodes[number + 1], nodes)


@torch.no_grad()
def test_zero_hyperedges_make_the_first_attention_uniform(nodes, incidence):
    attention = build(VHAN, hyperedge_init="zero")(nodes, incidence).attentions[0]
    members = incidence.transpose(1, 2)[:, None].double()
    assert_close(attention, (members / members.sum(dim=-1, keepdim=True).clamp(min=1)).expand_as(attention))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_softmax_over_nothing_is_zero_and_its_gradient_finite(dtype):
    scores = torch.tensor([[1e4, -1e4, 3.0], [1.0, 2.0, 3.0]], dtype=dtype, requires_grad=True)
    mask = torch.tensor([[True, True, False], [False, False, False]])
    attention = masked_softmax(scores, mask, dim=-1)
    assert attention.tolist() == [[1, 0, 0], [0, 0, 0]]
    attention.sum().backward()
    assert scores.grad.isfinite().all()


# Draws and dropout


@torch.no_grad()
def test_a_draw_has_the_mean_and_variance_of_its_gaussian():
    torch.manual_seed(0)
    gaussian = Gaussian(torch.full((100_000, 2), 3.0), torch.tensor([0.25, 4.0]).expand(100_000, 2))
    draw = gaussian.sample()
    assert torch.equal(draw.variance, gaussian.variance)
    assert torch.allclose(draw.mean.mean(dim=0), torch.tensor([3.0, 3.0]), atol=0.03)
    assert torch.allclose(draw.mean.var(dim=0), torch.tensor([0.25, 4.0]), rtol=0.03)


@torch.no_grad()
def test_layers_draw_only_while_training(nodes, incidence):
    vhan = build(VHAN, sample="every_layer", message_dropout=0)
    without = build(VHAN, sample="none", message_dropout=0)(nodes, incidence).nodes[-1]
    assert torch.equal(vhan(nodes, incidence).nodes[-1].mean, without.mean)
    vhan.train()
    first, second = vhan(nodes, incidence).nodes[-1], vhan(nodes, incidence).nodes[-1]
    assert not torch.equal(first.mean, second.mean)
    assert not torch.equal(first.mean, without.mean)


@torch.no_grad()
def test_dropping_all_messages_leaves_the_nodes_as_they_were(nodes, incidence):
    vhan = build(VHAN, message_dropout=1.0, training=True)
    assert_close(vhan(nodes, incidence).nodes[-1], nodes)
    vhan.eval()
    assert not torch.allclose(vhan(nodes, incidence).nodes[-1].mean, nodes.mean)
