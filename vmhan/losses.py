"""Losses: equations 9 to 11, and their weighted sum, equation 12.

Means over nodes leave padding out; `reduction` says whether the hidden width is averaged ("mean") or summed ("sum").
"""

from typing import NamedTuple

import torch
from torch.nn import functional as F

from .configuration_vmhan import VMHANConfig
from .model_outputs import VMHANModelOutput
from .vhan import Gaussian


class RelationTargets(NamedTuple):
    """Targets of equation 9.

    Args:
        labels: Gold relations, (pairs,), or a probability for each relation, (pairs, labels), such as a teacher gives.
        candidates: True for the labels that the gold one may be, (pairs, labels), where annotators mark but some
            labels; by default the gold one alone. Probabilities hold them already.
        direction_given: As in `VMHANForRelationExtraction.forward`, (pairs,).
        weight: Weight of each pair, (pairs,); by default 1.
    """

    labels: torch.Tensor
    candidates: torch.Tensor | None = None
    direction_given: torch.Tensor | None = None
    weight: torch.Tensor | None = None


def relation_loss(
    logits: torch.Tensor,
    labels: torch.Tensor,
    weight: torch.Tensor | None = None,
    smoothing: float = 0.0,
    candidates: torch.Tensor | None = None,
) -> torch.Tensor:
    """Computes equation 9, the cross-entropy, averaged over the pairs.

    With candidates it is that of partial labels, `-log` of the probability of all candidates together (Jin and
    Ghahramani, 2002, "Learning with Multiple Labels").

    Args:
        logits: (pairs, labels).
        labels, candidates: As in `RelationTargets`.
        weight: Weight of each pair, (pairs,); by default equal.
        smoothing: Share of the target distribution that is spread evenly over all labels.
    """
    logits = _at_least_float32(logits)
    if candidates is None or labels.is_floating_point():
        target = labels.to(logits.dtype) if labels.is_floating_point() else labels
        losses = F.cross_entropy(logits, target, reduction="none", label_smoothing=smoothing)  # (pairs,)
    else:
        log_scores = logits.log_softmax(dim=-1)  # (pairs, labels)
        of_candidates = log_scores.masked_fill(~candidates, -torch.inf).logsumexp(dim=-1)  # (pairs,)
        losses = -(1 - smoothing) * of_candidates - smoothing * log_scores.mean(dim=-1)
    if weight is None:
        return losses.mean()
    weight = weight.to(losses.dtype)
    # pairs that all weigh nothing lose nothing
    return (weight * losses).sum() / weight.sum().clamp(min=torch.finfo(weight.dtype).tiny)


def reconstruction_loss(
    nodes: Gaussian, target: Gaussian, node_mask: torch.Tensor, reduction: str = "mean"
) -> torch.Tensor:
    """Computes equation 10, the squared error of means and variances, averaged over real nodes.

    Args:
        nodes: Predicted Gaussians, (pairs, nodes, hidden).
        target: The "true" Gaussians of the same shape. No gradient flows into them.
        node_mask: True where a node is real, (pairs, nodes).
        reduction: As in `VMHANConfig.loss_reduction`.
    """
    mean_error = (_at_least_float32(nodes.mean) - _at_least_float32(target.mean).detach()).square()
    variance_error = (_at_least_float32(nodes.variance) - _at_least_float32(target.variance).detach()).square()
    return _average_over_nodes(mean_error + variance_error, node_mask, reduction)


def kl_loss(nodes: Gaussian, node_mask: torch.Tensor, reduction: str = "mean") -> torch.Tensor:
    """Computes equation 11, the KL divergence from a standard normal, averaged over real nodes.

    Args:
        nodes: (pairs, nodes, hidden).
        node_mask: True where a node is real, (pairs, nodes).
        reduction: As in `VMHANConfig.loss_reduction`.
    """
    mean, variance = _at_least_float32(nodes.mean), _at_least_float32(nodes.variance)
    divergence = 0.5 * (variance + mean.square() - 1 - variance.log())  # (pairs, nodes, hidden)
    return _average_over_nodes(divergence, node_mask, reduction)


def weighted_losses(
    config: VMHANConfig,
    logits: torch.Tensor,
    targets: RelationTargets,
    nodes: VMHANModelOutput,
) -> dict[str, torch.Tensor]:
    """Computes equation 12 as `"loss"`, and its three parts before their weights.

    Args:
        config: Its weights, and what each part is computed from.
        logits: (pairs, labels).
        targets: Of the pairs.
        nodes: With the states of every layer.
    """
    weight = pair_weights(config, targets)
    relation = relation_loss(logits, targets.labels, weight, config.label_smoothing, targets.candidates)
    reconstruction = divergence = logits.new_zeros(())
    if config.variational:
        reconstruction, divergence = _variational_losses(config, nodes)
    loss = config.relation_weight * relation + config.reconstruction_weight * reconstruction
    return {
        "loss": loss + config.kl_weight * divergence,
        "relation_loss": relation,
        "reconstruction_loss": reconstruction,
        "kl_loss": divergence,
    }


def pair_weights(config: VMHANConfig, targets: RelationTargets) -> torch.Tensor:
    """Computes the weight of each pair in equation 9, (pairs,)."""
    labels, direction_given = targets.labels, targets.direction_given
    weights = torch.ones(len(labels), device=labels.device)
    if config.no_relation_weight != 1:
        no_relation = config.find_no_relation_id()
        unrelated = labels[:, no_relation] if labels.is_floating_point() else labels == no_relation  # (pairs,)
        weights = weights - (1 - config.no_relation_weight) * unrelated
    if direction_given is not None:
        weights[~direction_given.bool()] *= config.undirected_weight
    return weights if targets.weight is None else weights * targets.weight


def kind_loss(logits: torch.Tensor, kinds: torch.Tensor) -> torch.Tensor:
    """Computes the cross-entropy of the kinds of head and tail, averaged over those that are known.

    Args:
        logits: (pairs, 2, kinds).
        kinds: Index of each kind, (pairs, 2); -100 where it is not known.
    """
    losses = F.cross_entropy(_at_least_float32(logits).flatten(0, 1), kinds.flatten(), reduction="sum")
    return losses / (kinds != -100).sum().clamp(min=1)


def _variational_losses(config: VMHANConfig, nodes: VMHANModelOutput) -> tuple[torch.Tensor, torch.Tensor]:
    """Computes equations 10 and 11 on the layers that the config names."""
    layers, reduction = nodes.node_layers(), config.loss_reduction
    target = layers[0]
    if config.reconstruction_target == "features":
        target = Gaussian(nodes.node_features, torch.ones_like(nodes.node_features))
    penalized = {"final": layers[-1:], "initial": layers[:1], "all": layers}[config.kl_on]
    divergences = [kl_loss(layer, nodes.node_mask, reduction) for layer in penalized]
    return reconstruction_loss(layers[-1], target, nodes.node_mask, reduction), torch.stack(divergences).mean()


def _at_least_float32(values: torch.Tensor) -> torch.Tensor:
    """Converts half precision to single: squares and logarithms of its numbers leave its range."""
    return values.to(torch.promote_types(values.dtype, torch.float32))


def _average_over_nodes(values: torch.Tensor, node_mask: torch.Tensor, reduction: str) -> torch.Tensor:
    per_node = values.mean(dim=-1) if reduction == "mean" else values.sum(dim=-1)  # (pairs, nodes)
    kept = per_node[node_mask]  # (real nodes,)
    return kept.sum() / max(len(kept), 1)  # a batch of sentences without pairs has none


__all__ = [
    "RelationTargets",
    "kind_loss",
    "kl_loss",
    "pair_weights",
    "reconstruction_loss",
    "relation_loss",
    "weighted_losses",
]
