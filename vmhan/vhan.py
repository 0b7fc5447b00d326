"""V-HAN: nodes and hyperedges as diagonal Gaussians that attend to each other (equations 4 to 8).

A state is a mean and a variance (not a deviation, not its logarithm). Means mix with the attention, variances with its
square, as for a weighted sum of independent Gaussians.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional as F

from .configuration_vmhan import VMHANConfig
from .hypergraph import HYPEREDGE_TYPES

VARIANCE_FLOOR = 1e-6

MEAN_ACTIVATIONS: dict[str, Callable] = {"elu": F.elu, "relu": F.relu, "tanh": torch.tanh, "none": lambda x: x}
VARIANCE_ACTIVATIONS: dict[str, Callable] = {
    "softplus": F.softplus,
    "relu": F.relu,
    "exp": torch.exp,
    "elu1": lambda x: F.elu(x) + 1,
}


class Gaussian(NamedTuple):
    """Diagonal Gaussians: `mean` and `variance`, both (..., hidden)."""

    mean: torch.Tensor
    variance: torch.Tensor

    def sample(self) -> "Gaussian":
        """Draws means by reparametrization; the variance stays."""
        return Gaussian(self.mean + self.variance.sqrt() * torch.randn_like(self.mean), self.variance)


class GaussianNodes(nn.Module):
    """Maps node states to Gaussians, equation 4; `config.variance_activation` makes the variance positive.

    Without `config.variational` the variance is zero.
    """

    def __init__(self, config: VMHANConfig):
        super().__init__()
        self.mean = nn.Linear(config.hidden_size, config.hidden_size, bias=False)
        self.variance = nn.Linear(config.hidden_size, config.hidden_size, bias=False) if config.variational else None
        self.activation = VARIANCE_ACTIVATIONS[config.variance_activation]

    def forward(self, node_states: torch.Tensor) -> Gaussian:
        """Maps states (pairs, nodes, hidden) to means and variances of the same shape."""
        mean = self.mean(node_states)
        if self.variance is None:
            return Gaussian(mean, torch.zeros_like(mean))
        return Gaussian(mean, self.activation(self.variance(node_states)) + VARIANCE_FLOOR)


class HyperedgeInit(nn.Module):
    """Initializes hyperedges before the first layer, which the paper leaves open.

    By the mean of the members, with the variance of a mean of independent Gaussians: the sum of theirs over the square
    of their number, which is equation 6 with uniform attention. Or by zero. A learned vector of the type may join.
    """

    def __init__(self, config: VMHANConfig):
        super().__init__()
        self.averages = "mean" in config.hyperedge_init
        typed = "type" in config.hyperedge_init
        self.type_embedding = nn.Embedding(len(HYPEREDGE_TYPES), config.hidden_size) if typed else None

    def shares(self, incidence: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
        """Computes the share of each node in each hyperedge, (pairs, hyperedges, nodes); zero if from none."""
        return member_shares(incidence, dtype) * self.averages

    def forward(self, nodes: Gaussian, incidence: torch.Tensor) -> Gaussian:
        """Averages nodes (pairs, nodes, hidden) to hyperedges (pairs, hyperedges, hidden)."""
        shares = self.shares(incidence, nodes.mean.dtype)  # (pairs, hyperedges, nodes)
        mean, variance = shares @ nodes.mean, shares.square() @ nodes.variance
        if self.type_embedding is not None:
            mean = mean + self.type_embedding(torch.arange(mean.shape[1], device=mean.device))
        return Gaussian(mean, variance.clamp(min=VARIANCE_FLOOR))


class SquarableLinear(nn.Linear):
    """Applies a linear map, or the one with the squares of its weights.

    No module reads the weights of another: those that `device_map` offloads are there only while their own module is
    called.
    """

    def forward(self, input: torch.Tensor, squared: bool = False) -> torch.Tensor:
        """Maps (..., hidden) to (..., hidden)."""
        return F.linear(input, self.weight.square() if squared else self.weight)


class NonNegativeLinear(nn.Linear):
    """Applies the linear map with the absolute values of its weights."""

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        """Maps (..., hidden) to (..., hidden)."""
        return F.linear(input, self.weight.abs())


class HyperedgeAttention(nn.Module):
    """Adds messages to Gaussians, equations 6 and 8, which differ only in senders and receivers.

    The attention of a head weighs that head's slice of `mean @ W` and, squared, of `variance @ W'`.
    """

    def __init__(self, config: VMHANConfig):
        super().__init__()
        self.mean = SquarableLinear(config.hidden_size, config.hidden_size, bias=False)
        self.variational, self.squares_mean = config.variational, config.variance_weight == "squared_mean"
        if config.variational and not self.squares_mean:
            linear = NonNegativeLinear if config.variance_weight == "nonneg" else nn.Linear
            self.variance = linear(config.hidden_size, config.hidden_size, bias=False)
        self.activation = MEAN_ACTIVATIONS[config.mean_activation]
        self.dropout = nn.Dropout(config.message_dropout)

    def forward(self, attention: torch.Tensor, senders: Gaussian, receivers: Gaussian) -> Gaussian:
        """Adds to each receiver the messages of its senders.

        Args:
            attention: (pairs, heads, receivers, senders).
            senders, receivers: (pairs, senders, hidden) and (pairs, receivers, hidden).
        """
        mean = self.activation(attend(attention, self.mean(senders.mean)))  # (pairs, receivers, hidden)
        kept = self.dropout(torch.ones_like(mean))  # one draw: a message loses the same of mean and variance
        if not self.variational:
            return Gaussian(receivers.mean + kept * mean, receivers.variance)
        sent = self.mean(senders.variance, squared=True) if self.squares_mean else self.variance(senders.variance)
        variance = F.relu(attend(attention.square(), sent))
        return Gaussian(receivers.mean + kept * mean, receivers.variance + kept * variance)


class AttentionScores(nn.Module):
    """Computes the scaled products under the softmax of equations 5 and 7."""

    def __init__(self, config: VMHANConfig):
        super().__init__()
        self.num_heads = config.num_attention_heads
        self.hyperedge = nn.Linear(config.hidden_size, config.hidden_size, bias=False)
        self.node = nn.Linear(config.hidden_size, config.hidden_size, bias=False)

    def forward(self, hyperedge_mean: torch.Tensor, node_mean: torch.Tensor) -> torch.Tensor:
        """Scores hyperedges (pairs, hyperedges, hidden) and nodes (pairs, nodes, hidden).

        Returns:
            (pairs, heads, hyperedges, nodes).
        """
        hyperedge = split_heads(self.hyperedge(hyperedge_mean), self.num_heads)  # (pairs, heads, hyperedges, width)
        node = split_heads(self.node(node_mean), self.num_heads)  # (pairs, heads, nodes, width)
        return hyperedge @ node.transpose(-1, -2) / node.shape[-1] ** 0.5


class VHANLayer(nn.Module):
    """Runs one round of equations 5 to 8.

    With synchronous updates nothing would read the hyperedges of the last layer: it has no weights to update them.
    """

    def __init__(self, config: VMHANConfig, is_last: bool):
        super().__init__()
        self.sequential = config.update == "sequential"
        self.updates_hyperedges = self.sequential or not is_last
        self.scores = AttentionScores(config)
        self.node_scores = AttentionScores(config) if self.updates_hyperedges and not config.tie_scores else None
        self.to_nodes = HyperedgeAttention(config)
        self.node_norm = _norm(config)
        if self.updates_hyperedges:
            self.to_hyperedges = HyperedgeAttention(config)
            self.hyperedge_norm = _norm(config)

    def forward(
        self, nodes: Gaussian, hyperedges: Gaussian, incidence: torch.Tensor
    ) -> tuple[Gaussian, Gaussian, torch.Tensor, torch.Tensor]:
        """Updates nodes and hyperedges.

        Args:
            nodes, hyperedges: (pairs, nodes, hidden) and (pairs, hyperedges, hidden).
            incidence: (pairs, nodes, hyperedges).

        Returns:
            Nodes, hyperedges and the attentions of equations 5 and 7, (pairs, heads, hyperedges, nodes).
        """
        members = incidence.transpose(1, 2)[:, None]  # (pairs, 1, hyperedges, nodes)
        scores = self.scores(hyperedges.mean, nodes.mean)  # (pairs, heads, hyperedges, nodes)
        attention = masked_softmax(scores, members, dim=-1)
        new_hyperedges = self._update_hyperedges(attention, nodes, hyperedges)
        read = new_hyperedges if self.sequential else hyperedges
        if self.sequential or self.node_scores is not None:
            scores = (self.node_scores or self.scores)(read.mean, nodes.mean)
        node_attention = masked_softmax(scores, members, dim=-2)
        new_nodes = self.to_nodes(node_attention.transpose(-1, -2), read, nodes)
        return Gaussian(self.node_norm(new_nodes.mean), new_nodes.variance), new_hyperedges, attention, node_attention

    def _update_hyperedges(self, attention: torch.Tensor, nodes: Gaussian, hyperedges: Gaussian) -> Gaussian:
        if not self.updates_hyperedges:
            return hyperedges
        updated = self.to_hyperedges(attention, nodes, hyperedges)
        return Gaussian(self.hyperedge_norm(updated.mean), updated.variance)


class StructureOutput(NamedTuple):
    """Output of a structure encoder: states before the first and after each layer, attentions of each layer.

    Args:
        nodes, hyperedges: Gaussians of each layer.
        attentions, node_attentions: Equations 5 and 7 of each layer, (pairs, heads, hyperedges, nodes).
        read_attention: The share of each node in the hyperedges that the nodes read last, (pairs, heads, hyperedges,
            nodes): with synchronous updates the equation 5 of the layer before the last, for the last one feeds
            nothing; with one layer the shares that the hyperedges started from, zero if they started from no node;
            with sequential updates the last layer's. None where no hyperedge gathers from nodes.
        node_flow: The share that each node (rows) drew from each node (columns), by way of their hyperedges, when it
            was last updated: (pairs, nodes, nodes). It is the last equation 7 times `read_attention`.
    """

    nodes: tuple[Gaussian, ...]
    hyperedges: tuple[Gaussian, ...] = ()
    attentions: tuple[torch.Tensor, ...] = ()
    node_attentions: tuple[torch.Tensor, ...] = ()
    read_attention: torch.Tensor | None = None
    node_flow: torch.Tensor | None = None


class VHAN(nn.Module):
    """Runs `config.num_layers` rounds of variational hypergraph attention."""

    def __init__(self, config: VMHANConfig):
        super().__init__()
        self.hyperedge_init = HyperedgeInit(config)
        self.layers = nn.ModuleList(
            VHANLayer(config, is_last=index == config.num_layers - 1) for index in range(config.num_layers)
        )
        self.samples = config.sample == "every_layer"
        self.sequential = config.update == "sequential"

    def forward(self, nodes: Gaussian, incidence: torch.Tensor) -> StructureOutput:
        """Passes messages between nodes (pairs, nodes, hidden), by an incidence (pairs, nodes, hyperedges)."""
        hyperedges = self.hyperedge_init(nodes, incidence)
        all_nodes, all_hyperedges, attentions, node_attentions = [nodes], [hyperedges], [], []
        for layer in self.layers:
            nodes, hyperedges, attention, node_attention = layer(nodes, hyperedges, incidence)
            if self.samples and self.training:
                nodes = nodes.sample()
            all_nodes.append(nodes)
            all_hyperedges.append(hyperedges)
            attentions.append(attention)
            node_attentions.append(node_attention)
        read = self._read_attention(attentions, incidence)
        flow = None
        if read is not None:
            flow = (node_attentions[-1].transpose(-1, -2) @ read).mean(dim=1)  # (pairs, nodes, nodes)
        return StructureOutput(
            tuple(all_nodes), tuple(all_hyperedges), tuple(attentions), tuple(node_attentions), read, flow
        )

    def _read_attention(self, attentions: list[torch.Tensor], incidence: torch.Tensor) -> torch.Tensor | None:
        """Returns the attention of the hyperedges that the nodes read last; None without layers."""
        if not attentions:
            return None
        if self.sequential:
            return attentions[-1]
        start = self.hyperedge_init.shares(incidence, attentions[0].dtype)[:, None].expand_as(attentions[0])
        return [start, *attentions][-2]


def member_shares(incidence: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """Computes equal shares of the members of a hyperedge, (pairs, hyperedges, nodes); they sum to one, or zero."""
    members = incidence.transpose(1, 2).to(dtype)
    return members / members.sum(dim=-1, keepdim=True).clamp(min=1)


def masked_softmax(scores: torch.Tensor, mask: torch.Tensor, dim: int) -> torch.Tensor:
    """Computes the softmax over the True entries of `mask`; zero where there are none, never NaN."""
    scores = scores.masked_fill(~mask, torch.finfo(scores.dtype).min)
    return scores.softmax(dim=dim).masked_fill(~mask, 0)


def split_heads(states: torch.Tensor, num_heads: int) -> torch.Tensor:
    """Splits (pairs, items, hidden) into (pairs, heads, items, hidden / heads)."""
    return states.unflatten(-1, (num_heads, -1)).transpose(1, 2)


def attend(attention: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    """Weighs values (pairs, senders, hidden) with attention (pairs, heads, receivers, senders), by heads.

    Returns:
        (pairs, receivers, hidden).
    """
    return (attention @ split_heads(values, attention.shape[1])).transpose(1, 2).flatten(-2)


def _norm(config: VMHANConfig) -> nn.Module:
    return nn.LayerNorm(config.hidden_size) if config.layer_norm else nn.Identity()
