"""The modules of Table 2 against loops over nodes and hyperedges, in double precision."""

from itertools import product
from math import exp, sqrt

import pytest
import torch
from tiny import tiny_config

from vmhan.structure_encoders import STRUCTURE_ENCODERS, GATLayer, GCNLayer, HGNNLayer, VariationalGCNLayer, adjacency
from vmhan.vhan import Gaussian

PAIRS, NODES, HYPEREDGES, HIDDEN = 2, 6, 5, 8
REPLACEMENTS = ["hgnn", "gcn", "gat", "variational_gcn"]


@pytest.fixture
def incidence() -> torch.Tensor:
    """The second pair lacks its last two nodes and has an empty hyperedge."""
    generator = torch.Generator().manual_seed(3)
    members = torch.rand(PAIRS, NODES, HYPEREDGES, generator=generator) < 0.5
    members[..., 0] = True
    members[1, 4:] = False
    members[1, :, 4] = False
    return members


@pytest.fixture
def nodes() -> Gaussian:
    generator = torch.Generator().manual_seed(4)
    mean = torch.randn(PAIRS, NODES, HIDDEN, generator=generator, dtype=torch.float64)
    return Gaussian(mean, torch.rand(PAIRS, NODES, HIDDEN, generator=generator, dtype=torch.float64) + 0.1)


def build(kind, **settings) -> torch.nn.Module:
    torch.manual_seed(0)
    config = tiny_config(hidden_size=HIDDEN, num_attention_heads=2, **settings)
    module = kind(config).double().eval()
    for parameter in module.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    return module


def shared_hyperedges(incidence, pair, i, j) -> float:
    if i == j:
        return float(incidence[pair, i].any())
    return float(sum(incidence[pair, i, e] and incidence[pair, j, e] for e in range(HYPEREDGES)))


def spread_by_loop(incidence, pair):
    """D^-1/2 A D^-1/2 as a list of rows."""
    weights = [[shared_hyperedges(incidence, pair, i, j) for j in range(NODES)] for i in range(NODES)]
    degrees = [sum(row) for row in weights]
    return [
        [weights[i][j] / sqrt(degrees[i] * degrees[j]) if weights[i][j] else 0.0 for j in range(NODES)]
        for i in range(NODES)
    ]


def rows(matrix, weight, bias=None):
    """matrix @ weight.T + bias, with loops."""
    bias = [0.0] * len(weight) if bias is None else bias
    return [
        [sum(x * w for x, w in zip(row, out, strict=True)) + b for out, b in zip(weight, bias, strict=True)]
        for row in matrix
    ]


def relu(x):
    return max(x, 0.0)


def elu(x):
    return x if x > 0 else exp(x) - 1


def check(layer, nodes, incidence, expected_mean, expected_variance=None):
    out, _ = layer(nodes, incidence)
    for pair, i in product(range(PAIRS), range(NODES)):
        torch.testing.assert_close(out.mean[pair, i].tolist(), expected_mean(pair)[i], rtol=0, atol=1e-10)
        variance = nodes.variance[pair, i].tolist() if expected_variance is None else expected_variance(pair)[i]
        torch.testing.assert_close(out.variance[pair, i].tolist(), variance, rtol=0, atol=1e-10)


@torch.no_grad()
def test_gcn_is_the_normalised_adjacency_times_the_nodes(nodes, incidence):
    layer = build(GCNLayer)

    def expected(pair):
        values = rows(nodes.mean[pair].tolist(), layer.linear.weight.tolist(), layer.linear.bias.tolist())
        spread = spread_by_loop(incidence, pair)
        return [
            [
                nodes.mean[pair, i, d].item() + relu(sum(spread[i][j] * values[j][d] for j in range(NODES)))
                for d in range(HIDDEN)
            ]
            for i in range(NODES)
        ]

    check(layer, nodes, incidence, expected)


@torch.no_grad()
def test_hgnn_goes_by_way_of_the_hyperedges(nodes, incidence):
    layer = build(HGNNLayer)

    def expected(pair):
        values = rows(nodes.mean[pair].tolist(), layer.linear.weight.tolist(), layer.linear.bias.tolist())
        degree = [int(incidence[pair, i].sum()) for i in range(NODES)]
        size = [int(incidence[pair, :, e].sum()) for e in range(HYPEREDGES)]
        out = nodes.mean[pair].tolist()
        for i, d in product(range(NODES), range(HIDDEN)):
            message = 0.0
            for e, j in product(range(HYPEREDGES), range(NODES)):
                if incidence[pair, i, e] and incidence[pair, j, e]:
                    message += values[j][d] / size[e] / sqrt(degree[i] * degree[j])
            out[i][d] += relu(message)
        return out

    check(layer, nodes, incidence, expected)


@torch.no_grad()
def test_gat_weighs_neighbours_by_its_softmax(nodes, incidence):
    layer = build(GATLayer)
    width = HIDDEN // 2

    def expected(pair):
        values = rows(nodes.mean[pair].tolist(), layer.linear.weight.tolist())
        out = nodes.mean[pair].tolist()
        for head, i in product(range(2), range(NODES)):
            part = slice(head * width, (head + 1) * width)
            neighbours = [j for j in range(NODES) if shared_hyperedges(incidence, pair, i, j)]
            scores = {}
            for j in neighbours:
                score = sum(a * x for a, x in zip(layer.receiver.weight[head].tolist(), values[i][part], strict=True))
                score += sum(a * x for a, x in zip(layer.sender.weight[head].tolist(), values[j][part], strict=True))
                scores[j] = exp(score if score > 0 else 0.2 * score)
            for d in range(head * width, (head + 1) * width):
                mixed = sum(scores[j] * values[j][d] for j in neighbours) / sum(scores.values()) if neighbours else 0.0
                out[i][d] += elu(mixed)
        return out

    check(layer, nodes, incidence, expected)


@torch.no_grad()
def test_variational_gcn_trusts_nodes_less_that_vary_more(nodes, incidence):
    layer = build(VariationalGCNLayer)

    def spread_out(pair, values, weight, power, activation, start):
        trusted = rows(values, weight.tolist())
        spread = spread_by_loop(incidence, pair)
        return [
            [
                start[i][d] + activation(sum(spread[i][j] ** power * trusted[j][d] for j in range(NODES)))
                for d in range(HIDDEN)
            ]
            for i in range(NODES)
        ]

    def moments(pair, power):
        return [
            [
                (v if power == 2 else m) * exp(-v) ** power
                for m, v in zip(nodes.mean[pair, i].tolist(), nodes.variance[pair, i].tolist(), strict=True)
            ]
            for i in range(NODES)
        ]

    check(
        layer,
        nodes,
        incidence,
        lambda pair: spread_out(pair, moments(pair, 1), layer.mean.weight, 1, elu, nodes.mean[pair].tolist()),
        lambda pair: spread_out(pair, moments(pair, 2), layer.variance.weight, 2, relu, nodes.variance[pair].tolist()),
    )


def test_neighbours_are_the_nearer_the_more_hyperedges_they_share(incidence):
    weights = adjacency(incidence, torch.float64)
    for pair, i, j in product(range(PAIRS), range(NODES), range(NODES)):
        assert weights[pair, i, j] == shared_hyperedges(incidence, pair, i, j)


@pytest.mark.parametrize("name", REPLACEMENTS)
@torch.no_grad()
def test_padding_sends_nothing(name, nodes, incidence):
    encoder = build(STRUCTURE_ENCODERS[name])
    out = encoder(nodes, incidence)
    noise = Gaussian(nodes.mean.clone(), nodes.variance.clone())
    noise.mean[1, 4:] = 1e3
    changed = encoder(noise, incidence)
    torch.testing.assert_close(out.nodes[-1].mean[1, :4], changed.nodes[-1].mean[1, :4])
    assert not out.node_flow[1, :, 4:].any()


@pytest.mark.parametrize("name", REPLACEMENTS)
@torch.no_grad()
def test_what_a_node_drew_sums_to_one(name, nodes, incidence):
    flow = build(STRUCTURE_ENCODERS[name])(nodes, incidence).node_flow
    torch.testing.assert_close(flow.sum(dim=-1), incidence.any(dim=-1).double())


@pytest.mark.parametrize("name", REPLACEMENTS)
@torch.no_grad()
def test_no_layers_leave_the_nodes_alone(name, nodes, incidence):
    out = build(STRUCTURE_ENCODERS[name], num_layers=0)(nodes, incidence)
    assert len(out.nodes) == 1 and out.node_flow is None
