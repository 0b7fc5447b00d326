"""The three parts of the loss (equations 9 to 12).

Sums over nodes leave padding out; `reduction` says whether the hidden width is averaged ("mean") or summed ("sum").
"""

import torch
from torch.nn import functional as F

from .vhan import Gaussian


def relation_loss(
    logits: torch.Tensor, labels: torch.Tensor, weight: torch.Tensor | None = None, smoothing: float = 0.0
) -> torch.Tensor:
    """Equation 9: cross-entropy of logits (pairs, labels) and labels, averaged over the pairs.

    Args:
        logits, labels: Scores, and gold relations (pairs,) or a probability for each relation, (pairs, labels).
        weight: How much each pair counts, (pairs,); by default all alike.
        smoothing: Share of the target that is spread evenly over all labels.
    """
    logits = _precise(logits)
    target = labels.to(logits.dtype) if labels.is_floating_point() else labels
    losses = F.cross_entropy(logits, target, reduction="none", label_smoothing=smoothing)
    if weight is None:
        return losses.mean()
    weight = weight.to(losses.dtype)
    # pairs that all weigh nothing lose nothing
    return (weight * losses).sum() / weight.sum().clamp(min=torch.finfo(weight.dtype).tiny)


def reconstruction_loss(
    nodes: Gaussian, target: Gaussian, node_mask: torch.Tensor, reduction: str = "mean"
) -> torch.Tensor:
    """Equation 10: squared error of the means and of the variances, averaged over real nodes.

    Args:
        nodes: Predicted Gaussians, (pairs, nodes, hidden).
        target: The "true" ones of the same shape. No gradient flows into them.
        node_mask: True where a node is real, (pairs, nodes).
    """
    errors = [(_precise(ours) - _precise(true).detach()).square() for ours, true in zip(nodes, target, strict=True)]
    return _over_nodes(sum(errors), node_mask, reduction)


def kl_loss(nodes: Gaussian, node_mask: torch.Tensor, reduction: str = "mean") -> torch.Tensor:
    """Equation 11: divergence of nodes (pairs, nodes, hidden) from a standard normal, averaged over real nodes."""
    mean, variance = _precise(nodes.mean), _precise(nodes.variance)
    divergence = 0.5 * (variance + mean.square() - 1 - variance.log())
    return _over_nodes(divergence, node_mask, reduction)


def _precise(values: torch.Tensor) -> torch.Tensor:
    """At least single precision: squares and logarithms of half-precision numbers leave their range."""
    return values.to(torch.promote_types(values.dtype, torch.float32))


def _over_nodes(values: torch.Tensor, node_mask: torch.Tensor, reduction: str) -> torch.Tensor:
    per_node = values.mean(dim=-1) if reduction == "mean" else values.sum(dim=-1)
    return per_node[node_mask].mean()
