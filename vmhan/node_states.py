"""From encoder states to nodes: pooled mentions and phrases, and visual nodes that are sums of what is known."""

from typing import NamedTuple

import torch
from torch import nn

from .configuration_vmhan import VMHANConfig
from .hypergraph import TAIL

#: Below so many padded tokens another call of the encoder costs more than it saves.
MIN_CHUNK_TOKENS = 256


class NodeGroup(NamedTuple):
    """Nodes of each pair: `states` (pairs, nodes, hidden), `mask` (pairs, nodes), `types` in `NODE_TYPES` (nodes,)."""

    states: torch.Tensor
    mask: torch.Tensor
    types: torch.Tensor

    @classmethod
    def join(cls, groups: list["NodeGroup"]) -> "NodeGroup":
        """One group out of several, side by side."""
        states, masks, types = zip(*groups, strict=True)
        return cls(torch.cat(states, dim=1), torch.cat(masks, dim=1), torch.cat(types))

    def rows(self, start: int, end: int) -> "NodeGroup":
        """The nodes of the pairs [start, end)."""
        return self._replace(states=self.states[start:end], mask=self.mask[start:end])


class EncodedInputs(NamedTuple):
    """What the encoders made of a batch: all that the nodes of its pairs are joined of.

    Args:
        mentions: Head and tail of each pair.
        text_phrases: Further nodes from the sentence, or None.
        visual: The image and its objects, in this order, of each image: (images, 1 + objects, hidden). None if nothing
            is known of any.
        visual_phrases: Further nodes about the image, or None.
        pair_image: Row of each pair's image, -1 for none, (pairs,), or None.
        pair_object_mask, tail_object: As `VMHANModel.encode` takes them.
    """

    mentions: NodeGroup
    text_phrases: NodeGroup | None = None
    visual: NodeGroup | None = None
    visual_phrases: NodeGroup | None = None
    pair_image: torch.Tensor | None = None
    pair_object_mask: torch.Tensor | None = None
    tail_object: torch.Tensor | None = None

    def pairs(self, start: int, end: int) -> "EncodedInputs":
        """The pairs [start, end), as views."""
        return EncodedInputs(
            *(group and group.rows(start, end) for group in (self.mentions, self.text_phrases)),
            self.visual,
            self.visual_phrases and self.visual_phrases.rows(start, end),
            *(
                None if of_pairs is None else of_pairs[start:end]
                for of_pairs in (self.pair_image, self.pair_object_mask, self.tail_object)
            ),
        )

    def visual_of_pairs(self) -> NodeGroup | None:
        """The image and its objects of each pair."""
        if self.visual is None:
            return None
        image = self.pair_image.clamp(min=0)
        mask = self.visual.mask[image] & (self.pair_image >= 0)[:, None]
        return NodeGroup(self.visual.states[image], mask, self.visual.types)


def pool_spans(
    sentence_states: torch.Tensor, pair_sentence: torch.Tensor, spans: torch.Tensor, how: str = "mean"
) -> torch.Tensor:
    """States of wordpiece spans. A span that stands in many pairs is pooled once.

    Args:
        sentence_states: (sentences, tokens, hidden).
        pair_sentence: Row of each pair's sentence, (pairs,).
        spans: [start, end) of each, (pairs, spans, 2).
        how: As `VMHANConfig.entity_pool`.

    Returns:
        (pairs, spans, hidden).
    """
    sentence = pair_sentence[:, None, None].expand(-1, spans.shape[1], 1)
    distinct, place = torch.cat([sentence, spans], dim=-1).flatten(0, 1).unique(dim=0, return_inverse=True)
    sentence, start, end = distinct.unbind(dim=-1)
    states = 0
    if how in ("mean", "mean_marker", "max"):
        tokens = torch.arange(sentence_states.shape[1], device=spans.device)
        inside = ((tokens >= start[:, None]) & (tokens < end[:, None]))[..., None]  # (spans, tokens, 1)
        of_span = sentence_states[sentence]
        if how == "max":
            states = of_span.masked_fill(~inside, torch.finfo(of_span.dtype).min).amax(dim=1)
        else:
            states = (of_span * inside).sum(dim=1) / (end - start).clamp(min=1)[:, None]
    if how == "first":
        states = sentence_states[sentence, start]
    if how in ("marker", "mean_marker"):  # the marker of a span stands right before it
        states = states + sentence_states[sentence, start - 1]
    return states[place].unflatten(0, spans.shape[:2])


def replace_object_tails(
    mentions: NodeGroup, visual: NodeGroup, tail_object: torch.Tensor
) -> tuple[NodeGroup, NodeGroup]:
    """Makes objects of the image the tails of their pairs: an object that is the tail is no node beside it.

    Args:
        mentions: Head and tail of each pair.
        visual: The image and its objects, in this order.
        tail_object: The object that is the tail of each pair, -1 where it is text, (pairs,).

    Returns:
        Head and tail, and the image and the other objects.

    Raises:
        ValueError: Nothing is known of such an object.
    """
    pairs = torch.arange(len(tail_object), device=tail_object.device)
    is_object, place = tail_object >= 0, tail_object.clamp(min=0) + 1
    if place.max() >= visual.mask.shape[1] and is_object.any():
        raise ValueError(f"tail_object is {tail_object.tolist()}, but images have {visual.mask.shape[1] - 1} objects.")
    place = place.clamp(max=visual.mask.shape[1] - 1)  # a batch without objects has the place of the image alone
    unknown = (is_object & ~visual.mask[pairs, place]).nonzero().flatten().tolist()
    if unknown:
        raise ValueError(
            f"Object {int(tail_object[unknown[0]])} is the tail of pair {unknown[0]}, but nothing is known of it that "
            "the model reads; give what its config lists as visual_features: a label (text), a box, or the picture "
            "with a box (pixels)."
        )
    states, mask = mentions.states.clone(), visual.mask.clone()
    states[:, TAIL] = torch.where(is_object[:, None], visual.states[pairs, place], states[:, TAIL])
    mask[pairs[is_object], place[is_object]] = False
    return mentions._replace(states=states), visual._replace(mask=mask)


def split_by_length(phrases: torch.Tensor) -> list[torch.Tensor]:
    """Chunks of similar length, cut to the longest of each, of phrases (phrases, 2, tokens) that fall in length.

    `phrases[:, 1]` is the mask. A chunk has at least `MIN_CHUNK_TOKENS`: few phrases stay together, a batch of long
    descriptions and short names does not pay for names as long as descriptions.
    """
    lengths = phrases[:, 1].sum(dim=-1).tolist()
    starts = [0]
    for place, length in enumerate(lengths):
        longest = lengths[starts[-1]]
        if 2 * length <= longest and (place - starts[-1]) * longest >= MIN_CHUNK_TOKENS:
            starts.append(place)
    ends = [*starts[1:], len(lengths)]
    return [phrases[start:end, :, : lengths[start]] for start, end in zip(starts, ends, strict=True)]


class VisualNodes(nn.Module):
    """The image and its objects: the sum of the projections of whatever is known about each."""

    def __init__(self, config: VMHANConfig):
        super().__init__()
        sizes = {"pixels": config.visual_hidden_size, "text": config.text_config.hidden_size, "box": 5}
        self.projections = nn.ModuleDict(
            {name: nn.Linear(sizes[name], config.hidden_size) for name in config.visual_features}
        )

    def forward(self, known: dict[str, tuple[torch.Tensor, torch.Tensor]]) -> tuple[torch.Tensor, torch.Tensor]:
        """Each feature comes as values (images, nodes, width) and a mask of where they are known (images, nodes).

        Returns states (images, nodes, hidden) and which nodes anything is known of (images, nodes).
        """
        states = sum(self._project(name, values, mask[..., None]) for name, (values, mask) in known.items())
        return states, torch.stack([mask for _, mask in known.values()]).any(dim=0)

    def _project(self, name: str, values: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        projection = self.projections[name]
        values = values.masked_fill(~mask, 0)  # whatever stands there, even NaN
        return projection(values.to(projection.weight.dtype)) * mask


def box_features(boxes: torch.Tensor, mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Boxes (images, objects, 4) as cx, cy, w, h, area, with a row for the whole image, which has no box, in front."""
    area = boxes[..., 2:3] * boxes[..., 3:4]
    return nn.functional.pad(torch.cat([boxes, area], dim=-1), (0, 0, 1, 0)), nn.functional.pad(mask, (1, 0))
