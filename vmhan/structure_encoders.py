"""Structure encoders: V-HAN, or one of those that Table 2 puts in its place.

Each takes the Gaussian nodes of equation 4, (pairs, nodes, hidden), and the incidence matrix, (pairs, nodes,
hyperedges), passes messages between the nodes and returns a `StructureOutput`.

HGNN, GCN, GAT and the variational GCN have the nodes of the same hypergraph. The three graph networks take the clique
expansion: two nodes are neighbors if a hyperedge holds both, the nearer the more they share. With an image all nodes
are neighbors, and plain averaging would make them alike, so every layer here adds to its nodes, as equation 8 does.
HGNN, GCN and GAT move the means and leave the variances of equation 4 alone.
"""

from collections.abc import Callable
from functools import partial

import torch
from torch import nn
from torch.nn import functional as F

from .configuration_vmhan import VMHANConfig
from .vhan import VHAN, Gaussian, StructureOutput, masked_softmax, split_heads


class NoMessages(nn.Module):
    """Leaves the nodes as equation 4 made them: Table 2, "w/o V-HAN"."""

    def __init__(self, config: VMHANConfig):
        super().__init__()

    def forward(self, nodes: Gaussian, incidence: torch.Tensor) -> StructureOutput:
        """Returns the nodes, (pairs, nodes, hidden)."""
        return StructureOutput(nodes=(nodes,))


class GraphEncoder(nn.Module):
    """Stacks `config.num_layers` layers of one kind.

    Args:
        config: The settings.
        layer: The kind. A layer returns the nodes, and how much each node drew from each, (pairs, nodes, nodes).
        shares: For a kind that gathers nodes in hyperedges, computes the share of each node from incidence and dtype.
    """

    def __init__(self, config: VMHANConfig, layer: type[nn.Module], shares: Callable | None = None):
        super().__init__()
        self.shares = shares
        self.layers = nn.ModuleList(layer(config) for _ in range(config.num_layers))

    def forward(self, nodes: Gaussian, incidence: torch.Tensor) -> StructureOutput:
        """Passes messages between nodes (pairs, nodes, hidden), by an incidence (pairs, nodes, hyperedges)."""
        states, drawn = [nodes], None
        for layer in self.layers:
            nodes, drawn = layer(nodes, incidence)
            states.append(nodes)
        if drawn is None:
            return StructureOutput(nodes=tuple(states))
        flow = _normalize(drawn)  # (pairs, nodes, nodes)
        gathered = None
        if self.shares is not None:
            gathered = self.shares(incidence, flow.dtype)[:, None]  # (pairs, 1, hyperedges, nodes)
        return StructureOutput(nodes=tuple(states), read_attention=gathered, node_flow=flow)


class PropagationLayer(nn.Module):
    """Computes X + ReLU(P X W), with a propagation matrix P that depends on the incidence alone."""

    def __init__(self, config: VMHANConfig):
        super().__init__()
        self.linear = nn.Linear(config.hidden_size, config.hidden_size)
        self.dropout = nn.Dropout(config.message_dropout)

    def forward(self, nodes: Gaussian, incidence: torch.Tensor) -> tuple[Gaussian, torch.Tensor]:
        """Returns nodes (pairs, nodes, hidden) and P."""
        propagation = self.propagation(incidence, nodes.mean.dtype)
        message = self.dropout(F.relu(propagation @ self.linear(nodes.mean)))  # (pairs, nodes, hidden)
        return Gaussian(nodes.mean + message, nodes.variance), propagation

    def propagation(self, incidence: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
        """Computes P, (pairs, nodes, nodes)."""
        raise NotImplementedError


class HGNNLayer(PropagationLayer):
    """Propagates by way of the hyperedges: Feng et al. 2019, with equal weights for all of them."""

    def propagation(self, incidence: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
        """Computes P = Dv^-1/2 H De^-1 H^T Dv^-1/2, (pairs, nodes, nodes); zero at padding and by empty hyperedges."""
        members = incidence.to(dtype)  # (pairs, nodes, hyperedges)
        sizes = members.sum(dim=1).clamp(min=1)  # (pairs, hyperedges)
        scale = _inverse_root(members.sum(dim=-1))  # (pairs, nodes)
        return scale[..., :, None] * (members / sizes[:, None, :] @ members.transpose(1, 2)) * scale[..., None, :]


class GCNLayer(PropagationLayer):
    """Propagates between neighbors: Kipf and Welling 2017."""

    def propagation(self, incidence: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
        """Computes P = D^-1/2 A D^-1/2, (pairs, nodes, nodes)."""
        return graph_propagation(incidence, dtype)


class VariationalGCNLayer(nn.Module):
    """Weighs neighbors down by exp(-variance): the robust GCN of Zhu et al. 2019.

    Means spread with the propagation matrix, variances with its square, as for a sum of independent Gaussians.
    """

    def __init__(self, config: VMHANConfig):
        super().__init__()
        self.mean = nn.Linear(config.hidden_size, config.hidden_size, bias=False)
        self.variance = nn.Linear(config.hidden_size, config.hidden_size, bias=False)
        self.dropout = nn.Dropout(config.message_dropout)

    def forward(self, nodes: Gaussian, incidence: torch.Tensor) -> tuple[Gaussian, torch.Tensor]:
        """Returns nodes (pairs, nodes, hidden) and the propagation matrix (pairs, nodes, nodes)."""
        propagation = graph_propagation(incidence, nodes.mean.dtype)
        weight = torch.exp(-nodes.variance)  # (pairs, nodes, hidden)
        mean = F.elu(propagation @ self.mean(nodes.mean * weight))
        variance = F.relu(propagation.square() @ self.variance(nodes.variance * weight.square()))
        kept = self.dropout(torch.ones_like(mean))  # one draw, as in V-HAN
        return Gaussian(nodes.mean + kept * mean, nodes.variance + kept * variance), propagation


class HeadProducts(nn.Linear):
    """Multiplies each head's values with the head's row of weights: half of the vector a of GAT.

    It is a linear layer, which knows how to start its weights.
    """

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        """Maps (pairs, heads, nodes, hidden / heads) to (pairs, heads, nodes)."""
        return torch.einsum("phnd,hd->phn", input, self.weight)


class GATLayer(nn.Module):
    """Computes X + ELU(alpha X W), alpha_ij = softmax_j LeakyReLU(a [W x_i; W x_j]): Velickovic et al. 2018."""

    def __init__(self, config: VMHANConfig):
        super().__init__()
        self.num_heads = config.num_attention_heads
        self.linear = nn.Linear(config.hidden_size, config.hidden_size, bias=False)
        self.receiver = HeadProducts(config.hidden_size // self.num_heads, self.num_heads, bias=False)
        self.sender = HeadProducts(config.hidden_size // self.num_heads, self.num_heads, bias=False)
        self.dropout = nn.Dropout(config.message_dropout)

    def forward(self, nodes: Gaussian, incidence: torch.Tensor) -> tuple[Gaussian, torch.Tensor]:
        """Returns nodes (pairs, nodes, hidden) and the mean attention of the heads (pairs, nodes, nodes)."""
        values = split_heads(self.linear(nodes.mean), self.num_heads)  # (pairs, heads, nodes, hidden / heads)
        products = self.receiver(values)[..., :, None] + self.sender(values)[..., None, :]
        scores = F.leaky_relu(products, 0.2)  # (pairs, heads, nodes, nodes)
        attention = masked_softmax(scores, adjacency(incidence, scores.dtype)[:, None] > 0, dim=-1)
        message = (self.dropout(attention) @ values).transpose(1, 2).flatten(-2)  # (pairs, nodes, hidden)
        return Gaussian(nodes.mean + F.elu(message), nodes.variance), attention.mean(dim=1)


def adjacency(incidence: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """Counts the hyperedges that two nodes share, one for a node with itself, (pairs, nodes, nodes)."""
    members = incidence.to(dtype)
    shared = members @ members.transpose(1, 2)
    exists = incidence.any(dim=-1).to(dtype)  # (pairs, nodes)
    return shared - torch.diag_embed(shared.diagonal(dim1=1, dim2=2)) + torch.diag_embed(exists)


def graph_propagation(incidence: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """Computes D^-1/2 A D^-1/2 of the clique expansion with self-loops, (pairs, nodes, nodes); zero at padding."""
    weights = adjacency(incidence, dtype)
    scale = _inverse_root(weights.sum(dim=-1))  # (pairs, nodes)
    return scale[..., :, None] * weights * scale[..., None, :]


def hypergraph_shares(incidence: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """Computes the share of each node in HGNN's hyperedges, De^-1 H^T Dv^-1/2, (pairs, hyperedges, nodes).

    A node counts the less the more hyperedges hold it. The sum is one, or zero for an empty hyperedge.
    """
    members = incidence.to(dtype)
    return _normalize((members * _inverse_root(members.sum(dim=-1))[..., None]).transpose(1, 2))


def _normalize(weights: torch.Tensor) -> torch.Tensor:
    """Divides rows by their sum; rows of zeros stay."""
    return weights / weights.sum(dim=-1, keepdim=True).clamp(min=torch.finfo(weights.dtype).tiny)


def _inverse_root(degrees: torch.Tensor) -> torch.Tensor:
    return degrees.clamp(min=1).rsqrt() * (degrees > 0)


STRUCTURE_ENCODERS: dict[str, Callable[[VMHANConfig], nn.Module]] = {
    "vhan": VHAN,
    "hgnn": partial(GraphEncoder, layer=HGNNLayer, shares=hypergraph_shares),
    "gcn": partial(GraphEncoder, layer=GCNLayer),
    "gat": partial(GraphEncoder, layer=GATLayer),
    "variational_gcn": partial(GraphEncoder, layer=VariationalGCNLayer),
    "none": NoMessages,
}
