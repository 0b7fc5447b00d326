"""V-HAN: nodes and hyperedges as diagonal Gaussians that read each other by attention (equations 4 to 8).

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
        """A draw by reparametrisation, with the variance kept beside it."""
        return Gaussian(self.mean + self.variance.sqrt() * torch.randn_like(self.mean), self.variance)


class GaussianNodes(nn.Module):
    """Equation 4: node states to Gaussians, the variance made positive by `config.variance_activation`.

    Without `config.variational` the variance is zero.
    """

    def __init__(self, config: VMHANConfig):
        super().__init__()
        self.mean = nn.Linear(config.hidden_size, config.hidden_size, bias=False)
        self.variance = nn.Linear(config.hidden_size, config.hidden_size, bias=False) if config.variational else None
        self.activation = VARIANCE_ACTIVATIONS[config.variance_activation]

    def forward(self, node_states: torch.Tensor) -> Gaussian:
        if self.variance is None:
            mean = self.mean(node_states)
            return Gaussian(mean, torch.zeros_like(mean))
        return Gaussian(self.mean(node_states), self.activation(self.variance(node_states)) + VARIANCE_FLOOR)


class HyperedgeInit(nn.Module):
    """Hyperedges before the first layer, which the paper leaves open.

    The mean of the members, with the variance of a mean of independent Gaussians: the sum of theirs over the square of
    their number. It is equation 6 with uniform attention. Or zero, and with or without a learned vector for the type.
    """

    def __init__(self, config: VMHANConfig):
        super().__init__()
        self.averages = "mean" in config.hyperedge_init
        typed = "type" in config.hyperedge_init
        self.type_embedding = nn.Embedding(len(HYPEREDGE_TYPES), config.hidden_size) if typed else None

    def shares(self, incidence: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
        """What each hyperedge takes of each node, (pairs, hyperedges, nodes); zero where it starts without members."""
        return member_shares(incidence, dtype) * self.averages

    def forward(self, nodes: Gaussian, incidence: torch.Tensor) -> Gaussian:
        shares = self.shares(incidence, nodes.mean.dtype)
        mean, variance = shares @ nodes.mean, shares.square() @ nodes.variance
        if self.type_embedding is not None:
            mean = mean + self.type_embedding(torch.arange(mean.shape[1], device=mean.device))
        return Gaussian(mean, variance.clamp(min=VARIANCE_FLOOR))


class SquarableLinear(nn.Linear):
    """A linear map, or the one by the squares of its weights.

    No module reads the weights of another: those that `device_map` keeps elsewhere are there only while their own
    module is called.
    """

    def forward(self, states: torch.Tensor, squared: bool = False) -> torch.Tensor:
        return F.linear(states, self.weight.square() if squared else self.weight)


class NonNegativeLinear(nn.Linear):
    """The linear map by the absolute values of its weights."""

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        return F.linear(states, self.weight.abs())


class HyperedgeAttention(nn.Module):
    """The sums of equations 6 and 8, which differ only in who sends to whom.

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
        """`attention` is (pairs, heads, receivers, senders); returns the receivers with their messages added."""
        mean = self.activation(attend(attention, self.mean(senders.mean)))
        kept = self.dropout(torch.ones_like(mean))  # one draw: what a message loses, it loses in mean and variance
        if not self.variational:
            return Gaussian(receivers.mean + kept * mean, receivers.variance)
        sent = self.mean(senders.variance, squared=True) if self.squares_mean else self.variance(senders.variance)
        variance = F.relu(attend(attention.square(), sent))
        return Gaussian(receivers.mean + kept * mean, receivers.variance + kept * variance)


class VHANLayer(nn.Module):
    """One round of equations 5 to 8.

    With synchronous updates nothing would read the hyperedges that the last layer makes: it has no weights for those.
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

    def forward(self, nodes: Gaussian, hyperedges: Gaussian, incidence: torch.Tensor):
        """Returns nodes, hyperedges and the attentions of equations 5 and 7, (pairs, heads, hyperedges, nodes)."""
        members = incidence.transpose(1, 2)[:, None]  # (pairs, 1, hyperedges, nodes)
        scores = self.scores(hyperedges.mean, nodes.mean)
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


class AttentionScores(nn.Module):
    """The scaled products under the softmax of equations 5 and 7, shape (pairs, heads, hyperedges, nodes)."""

    def __init__(self, config: VMHANConfig):
        super().__init__()
        self.num_heads = config.num_attention_heads
        self.hyperedge = nn.Linear(config.hidden_size, config.hidden_size, bias=False)
        self.node = nn.Linear(config.hidden_size, config.hidden_size, bias=False)

    def forward(self, hyperedge_mean: torch.Tensor, node_mean: torch.Tensor) -> torch.Tensor:
        hyperedge = split_heads(self.hyperedge(hyperedge_mean), self.num_heads)
        node = split_heads(self.node(node_mean), self.num_heads)
        return hyperedge @ node.transpose(-1, -2) / node.shape[-1] ** 0.5


class StructureOutput(NamedTuple):
    """What a structure encoder returns: states before the first and after each layer, attentions of each layer.

    `read_attention` is the share of each node in the hyperedges that the nodes read last, (pairs, heads, hyperedges,
    nodes): with synchronous updates the equation 5 of the layer before the last, for the last one feeds nothing; with
    one layer what the hyperedges started from, which is zero if that was no node; with sequential updates the last
    layer's. None where no hyperedge gathers from nodes.

    `node_flow` is the share that each node (rows) drew from each node (columns), by way of their hyperedges, when it
    was last updated: (pairs, nodes, nodes). It is the last equation 7 times `read_attention`.
    """

    nodes: tuple[Gaussian, ...]
    hyperedges: tuple[Gaussian, ...] = ()
    attentions: tuple[torch.Tensor, ...] = ()
    node_attentions: tuple[torch.Tensor, ...] = ()
    read_attention: torch.Tensor | None = None
    node_flow: torch.Tensor | None = None


class VHAN(nn.Module):
    """`config.num_layers` rounds of variational hypergraph attention."""

    def __init__(self, config: VMHANConfig):
        super().__init__()
        self.hyperedge_init = HyperedgeInit(config)
        self.layers = nn.ModuleList(
            VHANLayer(config, is_last=index == config.num_layers - 1) for index in range(config.num_layers)
        )
        self.samples = config.sample == "every_layer"
        self.sequential = config.update == "sequential"

    def forward(self, nodes: Gaussian, incidence: torch.Tensor) -> StructureOutput:
        """`nodes` are (pairs, nodes, hidden), `incidence` is (pairs, nodes, hyperedges)."""
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
        return StructureOutput(
            tuple(all_nodes),
            tuple(all_hyperedges),
            tuple(attentions),
            tuple(node_attentions),
            read_attention=read,
            node_flow=None if read is None else (node_attentions[-1].transpose(-1, -2) @ read).mean(dim=1),
        )

    def _read_attention(self, attentions: list[torch.Tensor], incidence: torch.Tensor) -> torch.Tensor | None:
        if not attentions:
            return None
        if self.sequential:
            return attentions[-1]
        start = self.hyperedge_init.shares(incidence, attentions[0].dtype)[:, None].expand_as(attentions[0])
        return [start, *attentions][-2]


def member_shares(incidence: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """The same weight for each member of a hyperedge, (pairs, hyperedges, nodes); the sum is one, or zero if empty."""
    members = incidence.transpose(1, 2).to(dtype)
    return members / members.sum(dim=-1, keepdim=True).clamp(min=1)


def masked_softmax(scores: torch.Tensor, mask: torch.Tensor, dim: int) -> torch.Tensor:
    """Softmax over the True places of `mask`; all zero where there are none, and no NaN."""
    scores = scores.masked_fill(~mask, torch.finfo(scores.dtype).min)
    return scores.softmax(dim=dim).masked_fill(~mask, 0)


def split_heads(states: torch.Tensor, num_heads: int) -> torch.Tensor:
    """(pairs, items, hidden) to (pairs, heads, items, hidden / heads)."""
    return states.unflatten(-1, (num_heads, -1)).transpose(1, 2)


def _norm(config: VMHANConfig) -> nn.Module:
    return nn.LayerNorm(config.hidden_size) if config.layer_norm else nn.Identity()


def attend(attention: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    """(pairs, heads, receivers, senders) and (pairs, senders, hidden) to (pairs, receivers, hidden)."""
    return (attention @ split_heads(values, attention.shape[1])).transpose(1, 2).flatten(-2)
