"""Outputs of `VMHANModel` and `VMHANForRelationExtraction`, which share the hypergraph of every pair."""

from dataclasses import dataclass, fields
from typing import Any

import torch
from transformers.utils.generic import ModelOutput

from .vhan import Gaussian

#: Default of fields that are never None: `ModelOutput` allows no other default.
_ALWAYS: Any = None
_STATES = {"node_means", "node_variances", "hyperedge_means", "hyperedge_variances"}


@dataclass
class HypergraphOutput(ModelOutput):
    """Holds the hypergraph of every pair; `layers` counts the states before the first layer too.

    Args:
        node_mask: True where a node is real, (pairs, nodes).
        node_types: Index into `NODE_TYPES`, in its order, (nodes,).
        incidence: (pairs, nodes, hyperedges), bool.
        node_means, node_variances: `layers` tensors of (pairs, nodes, hidden), with `output_hidden_states=True`.
        hyperedge_means, hyperedge_variances: `layers` tensors of (pairs, hyperedges, hidden), likewise.
        attentions: Equation 5, a tensor (pairs, heads, hyperedges, nodes) for each layer, with
            `output_attentions=True`. Over the nodes of a hyperedge they sum to one. With `config.update` "sync" the
            last one feeds nothing: to show what took part in the answer, take `read_attention`.
        node_attentions: Equation 7, the same shape. Over the hyperedges of a node they sum to one.
        read_attention: The share of each node in the hyperedges that the nodes read last, (pairs, heads, hyperedges,
            nodes), likewise; as in `StructureOutput`.
        node_flow: The share that each node drew from each node in the last layer, (pairs, nodes, nodes), likewise.
    """

    node_mask: torch.Tensor = _ALWAYS
    node_types: torch.Tensor = _ALWAYS
    incidence: torch.Tensor = _ALWAYS
    node_means: tuple[torch.Tensor, ...] | None = None
    node_variances: tuple[torch.Tensor, ...] | None = None
    hyperedge_means: tuple[torch.Tensor, ...] | None = None
    hyperedge_variances: tuple[torch.Tensor, ...] | None = None
    attentions: tuple[torch.Tensor, ...] | None = None
    node_attentions: tuple[torch.Tensor, ...] | None = None
    read_attention: torch.Tensor | None = None
    node_flow: torch.Tensor | None = None

    def node_layers(self) -> list[Gaussian]:
        """Returns the Gaussian nodes before the first and after each layer.

        Raises:
            ValueError: The model ran without `output_hidden_states=True`.
        """
        if self.node_means is None or self.node_variances is None:
            raise ValueError("The output holds no layers; call the model with output_hidden_states=True.")
        return [Gaussian(*layer) for layer in zip(self.node_means, self.node_variances, strict=True)]

    def hypergraph(self, with_states: bool) -> dict[str, Any]:
        """Returns the fields of the hypergraph by name, with or without the states of every layer."""
        names = {field.name for field in fields(HypergraphOutput)} - (set() if with_states else _STATES)
        return {name: value for name, value in self.items() if name in names}


@dataclass
class _NodeStates(ModelOutput):
    last_node_mean: torch.Tensor = _ALWAYS
    last_node_variance: torch.Tensor = _ALWAYS
    node_features: torch.Tensor = _ALWAYS
    sentence_states: torch.Tensor | None = None


@dataclass
class _RelationScores(ModelOutput):
    loss: torch.Tensor | None = None
    logits: torch.Tensor = _ALWAYS
    relation_loss: torch.Tensor | None = None
    reconstruction_loss: torch.Tensor | None = None
    kl_loss: torch.Tensor | None = None
    mention_loss: torch.Tensor | None = None
    kind_loss: torch.Tensor | None = None
    pair_variance: torch.Tensor = _ALWAYS


# The fields of the last base come first: as a tuple, an output begins with the loss and the logits.
@dataclass
class VMHANModelOutput(HypergraphOutput, _NodeStates):
    """Holds the nodes of every pair.

    Args:
        last_node_mean, last_node_variance: (pairs, nodes, hidden).
        node_features: Nodes before equation 4, (pairs, nodes, hidden).
        sentence_states: Of the text encoder, (sentences, tokens, text); None where sentences were encoded in chunks.
        node_mask, node_types, incidence, node_means, ...: As in `HypergraphOutput`.
    """


@dataclass
class VMHANRelationOutput(HypergraphOutput, _RelationScores):
    """Holds the relation scores of every pair.

    Args:
        loss: Equation 12, a scalar, with `labels`; its parts before their weights are the next three.
        logits: (pairs, labels).
        relation_loss, reconstruction_loss, kl_loss: Equations 9 to 11, scalars.
        mention_loss, kind_loss: Of finding entities and of the kinds of head and tail, scalars, where the batch has
            their targets.
        pair_variance: Mean variance of the final head and tail nodes, (pairs,). On MNRE it has not been found to tell
            right answers from wrong ones.
        node_mask, node_types, incidence, node_means, ...: As in `HypergraphOutput`.
    """


__all__ = ["HypergraphOutput", "VMHANModelOutput", "VMHANRelationOutput"]
