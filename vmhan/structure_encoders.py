"""Structure encoders: what passes messages over the hypergraph, V-HAN or what Table 2 puts in its place.

Each takes the Gaussian nodes of equation 4, (pairs, nodes, hidden), and the incidence matrix, (pairs, nodes,
hyperedges), and returns a `StructureOutput`.

HGNN, GCN, GAT and the variational GCN see the nodes of the same hypergraph. The three graph networks see the clique
expansion: two nodes are neighbours if a hyperedge holds both, the nearer the more they share. With an image all nodes
are neighbours, and plain averaging would make them alike, so every layer here adds to its nodes, as equation 8 does.
HGNN, GCN and GAT move the means and leave the variances of equation 4 alone.
"""

from collections.abc import Callable
from functools import partial

import torch
from torch import nn
from torch.nn import functional as F

from .configuration_vmhan import VMHANConfig
from .vhan import VHAN, Gaussian, StructureOutput, masked_softmax, split_heads


class GraphEncoder(nn.Module):
    """`config.num_layers` layers of one kind, and the share that each node drew from each in the last one.

    Args:
        layer: The kind.
        shares: Of a kind that gathers nodes in hyperedges, the share of each node, from incidence and dtype.
    """

    def __init__(self, config: VMHANConfig, layer: type[nn.Module], shares: Callable | None = None):
        super().__init__()
        self.shares = shares
        self.layers = nn.ModuleList(layer(config) for _ in range(config.num_layers))

    def forward(self, nodes: Gaussian, incidence: torch.Tensor) -> StructureOutput:
        """`nodes` are (pairs, nodes, hidden), `incidence` is (pairs, nodes, hyperedges)."""
        states, drawn = [nodes], None
        for layer in self.layers:
            nodes, drawn = layer(nodes, incidence)
            states.append(nodes)
        if drawn is not None:
            drawn = drawn / drawn.sum(dim=-1, keepdim=True).clamp(min=torch.finfo(drawn.dtype).tiny)
        gathered = None
        if self.shares is not None and drawn is not None:
            gathered = self.shares(incidence, drawn.dtype)[:, None]  # (pairs, 1, hyperedges, nodes)
        return StructureOutput(nodes=tuple(states), read_attention=gathered, node_flow=drawn)


class PropagationLayer(nn.Module):
    """X + ReLU(P X W), with a propagation matrix P that the incidence alone gives."""

    def __init__(self, config: VMHANConfig):
        super().__init__()
        self.linear = nn.Linear(config.hidden_size, config.hidden_size)
        self.dropout = nn.Dropout(config.message_dropout)

    def forward(self, nodes: Gaussian, incidence: torch.Tensor) -> tuple[Gaussian, torch.Tensor]:
        spread = self.propagation(incidence, nodes.mean.dtype)
        message = self.dropout(F.relu(spread @ self.linear(nodes.mean)))
        return Gaussian(nodes.mean + message, nodes.variance), spread

    def propagation(self, incidence: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
        """P, (pairs, nodes, nodes)."""
        raise NotImplementedError


class HGNNLayer(PropagationLayer):
    """P = Dv^-1/2 H De^-1 H^T Dv^-1/2, Feng et al. 2019, with equal weights for all hyperedges."""

    def propagation(self, incidence: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
        return hypergraph_propagation(incidence, dtype)


class GCNLayer(PropagationLayer):
    """P = D^-1/2 A D^-1/2, Kipf and Welling 2017."""

    def propagation(self, incidence: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
        return graph_propagation(incidence, dtype)


class HeadProducts(nn.Linear):
    """The product of each head's values with the head's row of weights: half of the vector a of GAT.

    A linear layer, for these know how to start.
    """

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """(pairs, heads, nodes, hidden / heads) to (pairs, heads, nodes)."""
        return torch.einsum("phnd,hd->phn", values, self.weight)


class GATLayer(nn.Module):
    """X + ELU(alpha X W) with alpha_ij = softmax_j LeakyReLU(a [W x_i; W x_j]), Velickovic et al. 2018."""

    def __init__(self, config: VMHANConfig):
        super().__init__()
        self.num_heads = config.num_attention_heads
        self.linear = nn.Linear(config.hidden_size, config.hidden_size, bias=False)
        self.receiver = HeadProducts(config.hidden_size // self.num_heads, self.num_heads, bias=False)
        self.sender = HeadProducts(config.hidden_size // self.num_heads, self.num_heads, bias=False)
        self.dropout = nn.Dropout(config.message_dropout)

    def forward(self, nodes: Gaussian, incidence: torch.Tensor) -> tuple[Gaussian, torch.Tensor]:
        values = split_heads(self.linear(nodes.mean), self.num_heads)  # (pairs, heads, nodes, hidden / heads)
        scores = F.leaky_relu(self.receiver(values)[..., :, None] + self.sender(values)[..., None, :], 0.2)
        attention = masked_softmax(scores, adjacency(incidence, scores.dtype)[:, None] > 0, dim=-1)
        message = (self.dropout(attention) @ values).transpose(1, 2).flatten(-2)
        return Gaussian(nodes.mean + F.elu(message), nodes.variance), attention.mean(dim=1)


class VariationalGCNLayer(nn.Module):
    """The robust GCN of Zhu et al. 2019: neighbours count less the more they vary, by exp(-variance).

    Means spread with the propagation matrix, variances with its square, as for a sum of independent Gaussians.
    """

    def __init__(self, config: VMHANConfig):
        super().__init__()
        self.mean = nn.Linear(config.hidden_size, config.hidden_size, bias=False)
        self.variance = nn.Linear(config.hidden_size, config.hidden_size, bias=False)
        self.dropout = nn.Dropout(config.message_dropout)

    def forward(self, nodes: Gaussian, incidence: torch.Tensor) -> tuple[Gaussian, torch.Tensor]:
        spread = graph_propagation(incidence, nodes.mean.dtype)
        trust = torch.exp(-nodes.variance)
        mean = F.elu(spread @ self.mean(nodes.mean * trust))
        variance = F.relu(spread.square() @ self.variance(nodes.variance * trust.square()))
        kept = self.dropout(torch.ones_like(mean))  # one draw, as in V-HAN
        return Gaussian(nodes.mean + kept * mean, nodes.variance + kept * variance), spread


def adjacency(incidence: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """How many hyperedges two nodes share, and one for a node with itself, (pairs, nodes, nodes)."""
    members = incidence.to(dtype)
    shared = members @ members.transpose(1, 2)
    exists = incidence.any(dim=-1).to(dtype)
    return shared - torch.diag_embed(shared.diagonal(dim1=1, dim2=2)) + torch.diag_embed(exists)


def graph_propagation(incidence: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """D^-1/2 A D^-1/2 of the clique expansion with self-loops, (pairs, nodes, nodes); zero at padding."""
    weights = adjacency(incidence, dtype)
    scale = _inverse_root(weights.sum(dim=-1))
    return scale[..., :, None] * weights * scale[..., None, :]


def hypergraph_propagation(incidence: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """Dv^-1/2 H De^-1 H^T Dv^-1/2, (pairs, nodes, nodes); zero at padding and through empty hyperedges."""
    members = incidence.to(dtype)
    per_edge = members.sum(dim=1).clamp(min=1)
    scale = _inverse_root(members.sum(dim=-1))
    return scale[..., :, None] * (members / per_edge[:, None, :] @ members.transpose(1, 2)) * scale[..., None, :]


def hypergraph_shares(incidence: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """The share of each node in what HGNN's hyperedges gather, (pairs, hyperedges, nodes): De^-1 H^T Dv^-1/2.

    A node counts the less the more hyperedges hold it. The sum is one, or zero for an empty hyperedge.
    """
    members = incidence.to(dtype)
    gathered = (members * _inverse_root(members.sum(dim=-1))[..., None]).transpose(1, 2)
    return gathered / gathered.sum(dim=-1, keepdim=True).clamp(min=torch.finfo(dtype).tiny)


def _inverse_root(degrees: torch.Tensor) -> torch.Tensor:
    return degrees.clamp(min=1).rsqrt() * (degrees > 0)


class NoMessages(nn.Module):
    """Table 2, "w/o V-HAN": the nodes stay what equation 4 made them."""

    def __init__(self, config: VMHANConfig):
        super().__init__()

    def forward(self, nodes: Gaussian, incidence: torch.Tensor) -> StructureOutput:
        return StructureOutput(nodes=(nodes,))


STRUCTURE_ENCODERS: dict[str, Callable[[VMHANConfig], nn.Module]] = {
    "vhan": VHAN,
    "hgnn": partial(GraphEncoder, layer=HGNNLayer, shares=hypergraph_shares),
    "gcn": partial(GraphEncoder, layer=GCNLayer),
    "gat": partial(GraphEncoder, layer=GATLayer),
    "variational_gcn": partial(GraphEncoder, layer=VariationalGCNLayer),
    "none": NoMessages,
}
