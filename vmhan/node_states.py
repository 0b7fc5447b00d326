"""Node states: pooled mentions and phrases, and visual nodes as sums of projected features."""

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import nn

from .configuration_vmhan import VMHANConfig
from .hypergraph import TAIL
from .model_inputs import Masked, prepend_image

#: Fewer padded tokens than these cost less than another call of the encoder.
MIN_CHUNK_TOKENS = 256


class NodeGroup(NamedTuple):
    """Nodes of each pair: `states` (pairs, nodes, hidden), `mask` (pairs, nodes), `types` in `NODE_TYPES` (nodes,)."""

    states: torch.Tensor
    mask: torch.Tensor
    types: torch.Tensor

    @classmethod
    def join(cls, groups: list["NodeGroup"]) -> "NodeGroup":
        """Joins groups of the same pairs side by side."""
        states, masks, types = zip(*groups, strict=True)
        return cls(torch.cat(states, dim=1), torch.cat(masks, dim=1), torch.cat(types))

    @classmethod
    def stack(cls, groups: list["NodeGroup"], rows: list[torch.Tensor]) -> "NodeGroup":
        """Joins groups of different pairs, in the order of the rows of their pairs."""
        if len(groups) == 1:
            return groups[0]
        order = torch.cat(rows).argsort()  # (pairs,)
        states, masks, types = zip(*groups, strict=True)
        return cls(torch.cat(states)[order], torch.cat(masks)[order], types[0])

    def rows(self, start: int, end: int) -> "NodeGroup":
        """Selects the nodes of the pairs [start, end)."""
        return self._replace(states=self.states[start:end], mask=self.mask[start:end])

    def select(self, mask: torch.Tensor) -> "NodeGroup":
        """Masks the nodes that `mask`, (pairs, nodes), leaves out."""
        return self._replace(mask=self.mask & mask)


class EncodedInputs(NamedTuple):
    """Encoded batch: all that the nodes of its pairs are built of.

    Args:
        mentions: Head and tail of each pair.
        text_phrases: Further nodes from the sentence, or None.
        visual: Image and objects, in this order, of each image: (images, 1 + objects, hidden), or None without any.
        visual_phrases: Further nodes about the image, or None.
        pair_image: Row of each pair's image, -1 for none, (pairs,), or None.
        pair_object_mask, tail_object: As `VMHANModel.encode` takes them.
        sentence_states: (sentences, tokens, text), or None where the sentences were encoded in chunks.
    """

    mentions: NodeGroup
    text_phrases: NodeGroup | None = None
    visual: NodeGroup | None = None
    visual_phrases: NodeGroup | None = None
    pair_image: torch.Tensor | None = None
    pair_object_mask: torch.Tensor | None = None
    tail_object: torch.Tensor | None = None
    sentence_states: torch.Tensor | None = None

    def pairs(self, start: int, end: int) -> "EncodedInputs":
        """Selects the pairs [start, end), as views."""
        return EncodedInputs(
            mentions=self.mentions.rows(start, end),
            text_phrases=self.text_phrases and self.text_phrases.rows(start, end),
            visual=self.visual,
            visual_phrases=self.visual_phrases and self.visual_phrases.rows(start, end),
            pair_image=None if self.pair_image is None else self.pair_image[start:end],
            pair_object_mask=None if self.pair_object_mask is None else self.pair_object_mask[start:end],
            tail_object=None if self.tail_object is None else self.tail_object[start:end],
        )

    def build_nodes(self) -> NodeGroup:
        """Builds the nodes of each pair, in `NODE_TYPES` order.

        Raises:
            ValueError: An object that is a tail has no features.
        """
        mentions, visual = self.mentions, self.visual_of_pairs()
        if visual is not None and self.tail_object is not None:
            mentions, visual = replace_object_tails(mentions, visual, self.tail_object)
        if visual is not None and self.pair_object_mask is not None:
            visual = visual.select(prepend_image(self.pair_object_mask))
        groups = (mentions, self.text_phrases, visual, self.visual_phrases)
        return NodeGroup.join([group for group in groups if group is not None])

    def visual_of_pairs(self) -> NodeGroup | None:
        """Gathers image and objects of each pair, (pairs, 1 + objects, hidden)."""
        if self.visual is None or self.pair_image is None:
            return None
        image = self.pair_image.clamp(min=0)
        mask = self.visual.mask[image] & (self.pair_image >= 0)[:, None]
        return NodeGroup(self.visual.states[image], mask, self.visual.types)


def pool_spans(
    sentence_states: torch.Tensor, pair_sentence: torch.Tensor, spans: torch.Tensor, how: str = "mean"
) -> torch.Tensor:
    """Pools the states of wordpiece spans; a span of several pairs is pooled once.

    Args:
        sentence_states: (sentences, tokens, hidden).
        pair_sentence: Row of each pair's sentence, (pairs,).
        spans: [start, end) of each, (pairs, spans, 2).
        how: As `VMHANConfig.entity_pool`.

    Returns:
        (pairs, spans, hidden).
    """
    sentence = pair_sentence[:, None, None].expand(-1, spans.shape[1], 1)
    located = torch.cat([sentence, spans], dim=-1).flatten(0, 1)  # (pairs * spans, 3)
    distinct, index = located.unique(dim=0, return_inverse=True)
    sentence, start, end = distinct.unbind(dim=-1)
    pooled = _pool_distinct(sentence_states, sentence, start, end, how)  # (distinct, hidden)
    return pooled[index].unflatten(0, spans.shape[:2])


def _pool_distinct(
    sentence_states: torch.Tensor, sentence: torch.Tensor, start: torch.Tensor, end: torch.Tensor, how: str
) -> torch.Tensor:
    """Pools spans [start, end) of sentences, all three (spans,), to (spans, hidden)."""
    if how == "first":
        return sentence_states[sentence, start]
    if how == "marker":  # it stands right before its span
        return sentence_states[sentence, start - 1]
    tokens = torch.arange(sentence_states.shape[1], device=start.device)
    inside = ((tokens >= start[:, None]) & (tokens < end[:, None]))[..., None]  # (spans, tokens, 1)
    states = sentence_states[sentence]  # (spans, tokens, hidden)
    if how == "max":
        return states.masked_fill(~inside, torch.finfo(states.dtype).min).amax(dim=1)
    mean = (states * inside).sum(dim=1) / (end - start).clamp(min=1)[:, None]
    return mean + sentence_states[sentence, start - 1] if how == "mean_marker" else mean


def replace_object_tails(
    mentions: NodeGroup, visual: NodeGroup, tail_object: torch.Tensor
) -> tuple[NodeGroup, NodeGroup]:
    """Makes objects of the image the tails of their pairs; they leave the visual nodes.

    Args:
        mentions: Head and tail of each pair.
        visual: Image and objects of each pair, in this order.
        tail_object: The object that is the tail of each pair, -1 where it is text, (pairs,).

    Returns:
        Head and tail, and the image and the other objects.

    Raises:
        ValueError: Such an object does not exist, or has no features.
    """
    pairs = torch.arange(len(tail_object), device=tail_object.device)
    columns = visual.mask.shape[1]
    is_object, index = tail_object >= 0, tail_object.clamp(min=0) + 1  # an index into image and objects
    if index.max() >= columns and is_object.any():
        raise ValueError(f"tail_object is {tail_object.tolist()}, but images have {columns - 1} objects.")
    index = index.clamp(max=columns - 1)  # a batch without objects has the index of the image alone
    unknown = (is_object & ~visual.mask[pairs, index]).nonzero().flatten().tolist()
    if unknown:
        raise ValueError(
            f"Object {int(tail_object[unknown[0]])} is the tail of pair {unknown[0]}, but has no features that the "
            "model reads; give what its config lists as visual_features: a label (text), a box, or the image with a "
            "box (pixels)."
        )
    states, mask = mentions.states.clone(), visual.mask.clone()
    states[:, TAIL] = torch.where(is_object[:, None], visual.states[pairs, index], states[:, TAIL])
    mask[pairs[is_object], index[is_object]] = False
    return mentions._replace(states=states), visual._replace(mask=mask)


def split_by_length(phrases: torch.Tensor) -> list[torch.Tensor]:
    """Splits phrases (phrases, 2, tokens) of falling length into chunks, each cut to its longest.

    `phrases[:, 1]` is the mask. A chunk has at least `MIN_CHUNK_TOKENS`: few phrases stay together, a batch of long
    descriptions and short names does not pay for names as long as descriptions.
    """
    lengths = phrases[:, 1].sum(dim=-1).tolist()
    starts = [0]
    for index, length in enumerate(lengths):
        longest = lengths[starts[-1]]
        if 2 * length <= longest and (index - starts[-1]) * longest >= MIN_CHUNK_TOKENS:
            starts.append(index)
    ends = [*starts[1:], len(lengths)]
    return [phrases[start:end, :, : lengths[start]] for start, end in zip(starts, ends, strict=True)]


class VisualNodes(nn.Module):
    """Image and objects as sums of the projections of their features."""

    def __init__(self, config: VMHANConfig):
        super().__init__()
        sizes = {"pixels": config.visual_hidden_size, "text": config.get_text_config().hidden_size, "box": 5}
        self.projections = nn.ModuleDict(
            {name: nn.Linear(sizes[name], config.hidden_size) for name in config.visual_features}
        )

    def forward(self, features: Mapping[str, Masked]) -> Masked:
        """Sums features by name, values (images, nodes, width) and mask (images, nodes).

        Returns:
            States (images, nodes, hidden), and which nodes have any feature (images, nodes).
        """
        first, *others = (self._project(name, *feature) for name, feature in features.items())
        exists = torch.stack([mask for _, mask in features.values()]).any(dim=0)
        return Masked(sum(others, start=first), exists)

    def _project(self, name: str, values: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        weight = self.projections[name].get_parameter("weight")
        values = values.masked_fill(~mask[..., None], 0).to(weight.dtype)  # masked values may be NaN
        return self.projections[name](values) * mask[..., None]


def box_features(boxes: torch.Tensor, mask: torch.Tensor) -> Masked:
    """Computes cx, cy, w, h and area of boxes (images, objects, 4), after a masked row for the whole image."""
    area = boxes[..., 2:3] * boxes[..., 3:4]  # (images, objects, 1)
    values = nn.functional.pad(torch.cat([boxes, area], dim=-1), (0, 0, 1, 0))  # (images, 1 + objects, 5)
    return Masked(values, nn.functional.pad(mask, (1, 0)))
