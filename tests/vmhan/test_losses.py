"""Equations 9 to 12 against loops written from the paper, in double precision."""

from math import log

import pytest
import torch
from tiny import tiny_batch, tiny_model

from vmhan.losses import kind_loss, kl_loss, reconstruction_loss, relation_loss
from vmhan.vhan import Gaussian

PAIRS, NODES, HIDDEN = 3, 4, 8
MASK = torch.tensor([[1, 1, 1, 1], [1, 1, 0, 0], [1, 1, 0, 1]]).bool()
REAL = [(pair, node) for pair in range(PAIRS) for node in range(NODES) if MASK[pair, node]]


def gaussians(seed: int, dtype=torch.float64) -> Gaussian:
    generator = torch.Generator().manual_seed(seed)
    mean = torch.randn(PAIRS, NODES, HIDDEN, generator=generator, dtype=torch.float64)
    variance = torch.rand(PAIRS, NODES, HIDDEN, generator=generator, dtype=torch.float64) + 0.1
    return Gaussian(mean.to(dtype), variance.to(dtype))


def squared_distance(ours, true) -> float:
    return sum((a - b) ** 2 for a, b in zip(ours.tolist(), true.tolist(), strict=True))


def with_garbage(nodes: Gaussian) -> Gaussian:
    """The same Gaussians where there are nodes, garbage in the padding."""
    return Gaussian(*(part.masked_fill(~MASK[..., None], 1e6) for part in nodes))


def test_equation_10_equals_its_loop():
    nodes, target = gaussians(1), gaussians(2)
    total = sum(
        squared_distance(nodes.mean[place], target.mean[place])
        + squared_distance(nodes.variance[place], target.variance[place])
        for place in REAL
    )
    assert abs(reconstruction_loss(nodes, target, MASK, "sum").item() - total / len(REAL)) < 1e-10


def test_equation_11_equals_its_loop():
    nodes = gaussians(1)
    total = 0
    for place in REAL:
        for mean, variance in zip(nodes.mean[place].tolist(), nodes.variance[place].tolist(), strict=True):
            total += (variance + mean**2 - 1 - log(variance)) / 2
    assert abs(kl_loss(nodes, MASK, "sum").item() - total / len(REAL)) < 1e-10


def test_kl_agrees_with_torch():
    nodes = gaussians(1)
    normal = torch.distributions.Normal(nodes.mean, nodes.variance.sqrt())
    standard = torch.distributions.Normal(torch.zeros_like(nodes.mean), torch.ones_like(nodes.mean))
    expected = torch.distributions.kl_divergence(normal, standard)[MASK].mean()
    assert abs(kl_loss(nodes, MASK) - expected) < 1e-10


def test_kl_is_zero_for_standard_normal():
    standard = Gaussian(torch.zeros(PAIRS, NODES, HIDDEN), torch.ones(PAIRS, NODES, HIDDEN))
    assert kl_loss(standard, MASK) == 0
    assert kl_loss(gaussians(1), MASK) > 0


def test_reconstruction_of_the_target_is_zero():
    assert reconstruction_loss(gaussians(1), gaussians(1), MASK) == 0


def test_the_sum_is_the_mean_times_the_width():
    nodes, target = gaussians(1), gaussians(2)
    assert torch.isclose(kl_loss(nodes, MASK, "sum"), HIDDEN * kl_loss(nodes, MASK, "mean"))
    total, mean = (reconstruction_loss(nodes, target, MASK, how) for how in ("sum", "mean"))
    assert torch.isclose(total, HIDDEN * mean)


def test_masked_nodes_are_left_out():
    nodes, target = gaussians(1), gaussians(2)
    assert kl_loss(with_garbage(nodes), MASK) == kl_loss(nodes, MASK)
    expected = reconstruction_loss(nodes, target, MASK)
    assert reconstruction_loss(with_garbage(nodes), with_garbage(target), MASK) == expected


def test_no_gradient_reaches_the_target_of_the_reconstruction():
    nodes, target = (Gaussian(*(part.requires_grad_() for part in gaussians(seed))) for seed in (1, 2))
    reconstruction_loss(nodes, target, MASK).backward()
    assert all(part.grad is None for part in target)
    assert all(part.grad[MASK].any() and not part.grad[~MASK].any() for part in nodes)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_gives_finite_losses(dtype):
    large = Gaussian(torch.full((PAIRS, NODES, HIDDEN), 300.0).to(dtype), torch.full((PAIRS, NODES, HIDDEN), 1e-6))
    losses = [
        kl_loss(large, MASK, "sum"),
        reconstruction_loss(large, gaussians(1, dtype), MASK, "sum"),
        relation_loss(torch.tensor([[3e4, -3e4]], dtype=dtype), torch.tensor([1])),
        relation_loss(torch.tensor([[3.0, -3.0]], dtype=dtype), torch.tensor([1]), torch.tensor([0.5]).to(dtype)),
    ]
    assert all(loss.isfinite() and loss.dtype == torch.float32 for loss in losses)


def test_equation_9_is_the_negative_log_probability_of_the_label():
    logits, labels = torch.randn(4, 5, dtype=torch.float64), torch.tensor([0, 3, 3, 4])
    probabilities = logits.exp() / logits.exp().sum(dim=1, keepdim=True)
    expected = sum(-log(probabilities[pair, label]) for pair, label in enumerate(labels)) / 4
    assert abs(relation_loss(logits, labels) - expected) < 1e-10


def test_pairs_count_as_much_as_they_weigh():
    logits, labels = torch.randn(4, 3, dtype=torch.float64), torch.tensor([0, 1, 2, 0])
    losses = [relation_loss(logits[[pair]], labels[[pair]]) for pair in range(4)]
    weights = torch.tensor([0.25, 1.0, 0.5, 0.0])
    expected = (0.25 * losses[0] + losses[1] + 0.5 * losses[2]) / 1.75
    assert abs(relation_loss(logits, labels, weights) - expected) < 1e-10
    assert torch.isclose(relation_loss(logits, labels, torch.ones(4)), relation_loss(logits, labels))


@pytest.mark.parametrize("weights", [None, torch.ones(4)])
def test_label_smoothing_spreads_its_share_over_all_labels(weights):
    logits, labels = torch.randn(4, 5, dtype=torch.float64), torch.tensor([0, 3, 3, 4])
    expected = 0
    for pair, label in enumerate(labels):
        for other in range(5):
            target = 0.9 * (other == int(label)) + 0.1 / 5
            expected -= target * logits[pair].log_softmax(dim=0)[other] / 4
    assert abs(relation_loss(logits, labels, weights, smoothing=0.1) - expected) < 1e-10


def test_pairs_that_all_weigh_nothing_lose_nothing():
    logits = torch.randn(2, 3, requires_grad=True)
    loss = relation_loss(logits, torch.tensor([0, 0]), torch.zeros(2))
    loss.backward()
    assert loss == 0 and not logits.grad.any()


# Through the model

ALL_KNOWN = {"visual_features": ["pixels", "text", "box"]}


@pytest.mark.parametrize("reduction", ["mean", "sum"])
@pytest.mark.parametrize("weights", [(1.0, 0.1, 0.001), (0.5, 2.0, 3.0), (1.0, 0.0, 0.0)])
def test_equation_12_is_the_weighted_sum_of_the_parts(weights, reduction):
    names = ("relation_weight", "reconstruction_weight", "kl_weight")
    settings = dict(zip(names, weights, strict=True), loss_reduction=reduction)
    output = tiny_model(**ALL_KNOWN, **settings)(**tiny_batch())
    parts = (output.relation_loss, output.reconstruction_loss, output.kl_loss)
    assert torch.isclose(output.loss, sum(weight * part for weight, part in zip(weights, parts, strict=True)))
    assert all(part > 0 for part in parts)


def test_without_labels_there_is_no_loss():
    batch = tiny_batch()
    del batch["labels"]
    output = tiny_model(**ALL_KNOWN)(**batch)
    assert output.loss is None and output.kl_loss is None


@pytest.mark.parametrize("kl_on, layers", [("final", [2]), ("initial", [0]), ("all", [0, 1, 2])])
def test_the_model_penalises_the_layers_of_kl_on(kl_on, layers):
    output = tiny_model(kl_on=kl_on, **ALL_KNOWN)(**tiny_batch(), output_hidden_states=True)
    states = [Gaussian(output.node_means[layer], output.node_variances[layer]) for layer in layers]
    expected = sum(kl_loss(nodes, output.node_mask) for nodes in states) / len(layers)
    assert torch.isclose(output.kl_loss, expected)


def test_the_model_reconstructs_its_initial_nodes_or_its_features():
    model, batch = tiny_model(**ALL_KNOWN), tiny_batch()
    output = model(**batch, output_hidden_states=True)
    first, last = (Gaussian(output.node_means[i], output.node_variances[i]) for i in (0, -1))
    assert torch.isclose(output.reconstruction_loss, reconstruction_loss(last, first, output.node_mask))

    labels = batch.pop("labels")
    features = model.vmhan(**batch).node_features
    model.config.reconstruction_target = "features"
    target = Gaussian(features, torch.ones_like(features))
    expected = reconstruction_loss(last, target, output.node_mask)
    assert torch.isclose(model(**batch, labels=labels).reconstruction_loss, expected)


def test_pairs_without_a_relation_weigh_what_the_config_says():
    batch = tiny_batch()
    batch["labels"][:] = torch.tensor([0, 3, 0, 1, 2])
    output = tiny_model(no_relation_weight=0.25, **ALL_KNOWN)(**batch)
    weights = torch.tensor([0.25, 1.0, 0.25, 1.0, 1.0])
    assert torch.isclose(output.relation_loss, relation_loss(output.logits, batch["labels"], weights))
    assert not torch.isclose(output.relation_loss, relation_loss(output.logits, batch["labels"]))


def test_pairs_without_a_direction_weigh_what_the_config_says():
    batch = tiny_batch()
    given = torch.tensor([True, False, True, False, False])
    model = tiny_model(undirected_weight=0.5, **ALL_KNOWN)
    output = model(**batch, direction_given=given)
    weights = torch.tensor([1.0, 0.5, 1.0, 0.5, 0.5])
    assert torch.isclose(output.relation_loss, relation_loss(output.logits, batch["labels"], weights))
    unsaid = model(**batch)  # who does not say so has nothing of the kind
    assert torch.isclose(unsaid.relation_loss, relation_loss(unsaid.logits, batch["labels"]))


def test_partial_label_loss_is_that_of_all_candidates_together():
    logits, labels = torch.randn(3, 4, dtype=torch.float64), torch.tensor([0, 2, 1])
    candidates = torch.tensor([[1, 0, 1, 1], [0, 0, 1, 0], [0, 1, 1, 0]]).bool()
    expected = 0.0
    for pair in range(3):
        probabilities = logits[pair].softmax(dim=0)
        expected -= log(sum(float(probabilities[label]) for label in range(4) if candidates[pair, label])) / 3
    assert abs(relation_loss(logits, labels, candidates=candidates) - expected) < 1e-10


def test_single_candidate_is_the_plain_cross_entropy():
    logits, labels = torch.randn(5, 3, dtype=torch.float64), torch.tensor([0, 2, 1, 1, 0])
    weight, candidates = torch.rand(5), torch.eye(3).bool()[labels]
    plain = relation_loss(logits, labels, weight, smoothing=0.1)
    assert torch.isclose(relation_loss(logits, labels, weight, 0.1, candidates), plain)


def test_kind_loss_leaves_out_entities_of_unknown_kind():
    logits, kinds = torch.randn(2, 2, 3, dtype=torch.float64), torch.tensor([[0, -100], [2, 1]])
    known = [(0, 0, 0), (1, 0, 2), (1, 1, 1)]
    expected = -sum(float(logits[pair, entity].log_softmax(dim=0)[kind]) for pair, entity, kind in known) / 3
    assert abs(kind_loss(logits, kinds) - expected) < 1e-10
    assert kind_loss(logits, torch.full((2, 2), -100)) == 0
