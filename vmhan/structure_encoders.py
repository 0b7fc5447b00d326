"""What passes messages over the hypergraph: V-HAN, or one of the modules that Table 2 puts in its place.

Each takes the Gaussian nodes of equation 4, (pairs, nodes, hidden), and the incidence matrix, (pairs, nodes,
hyperedges), and returns a `StructureOutput`.
"""

from collections.abc import Callable
from functools import partial

import torch
from torch import nn

from .configuration_vmhan import VMHANConfig
from .graph_encoders import GATLayer, GCNLayer, GraphEncoder, HGNNLayer, VariationalGCNLayer, hypergraph_shares
from .vhan import VHAN, Gaussian, StructureOutput


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
