"""Inputs of `VMHANModel` as dataclasses: the batch keys about sentences, and those about images."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
from torch.nn import functional as F


class Masked(NamedTuple):
    """Holds `values` and a `mask`, True where they are known; the mask has the leading axes of the values."""

    values: torch.Tensor
    mask: torch.Tensor


def masked(values: torch.Tensor | None, mask: torch.Tensor | None, axes: int = 2) -> Masked | None:
    """Joins values and their mask of so many axes, by default True everywhere; None without values."""
    if values is None:
        return None
    return Masked(values, values.new_ones(values.shape[:axes], dtype=torch.bool) if mask is None else mask.bool())


def prepend_image(object_mask: torch.Tensor) -> torch.Tensor:
    """Extends a mask of objects (rows, objects) by the whole image, which is always True, (rows, 1 + objects)."""
    return F.pad(object_mask.bool(), (1, 0), value=True)


@dataclass
class SentenceInputs:
    """Holds the sentences of a batch and the spans of its pairs.

    Args:
        input_ids, attention_mask: (sentences, tokens).
        pair_sentence: Row of each pair's sentence, (pairs,).
        mention_spans: Wordpieces [start, end) of head and tail, (pairs, 2, 2).
        text_phrases: Spans (pairs, m, 2) and mask (pairs, m) of further nodes from the sentence, or None.
    """

    input_ids: torch.Tensor
    attention_mask: torch.Tensor
    pair_sentence: torch.Tensor
    mention_spans: torch.Tensor
    text_phrases: Masked | None = None

    def split(self, sentences_at_once: int | None) -> list[tuple[torch.Tensor, "SentenceInputs"]]:
        """Splits the sentences into chunks, each with the rows of its pairs, (pairs of the chunk,)."""
        count = len(self.input_ids)
        if not sentences_at_once or count <= sentences_at_once:
            return [(torch.arange(len(self.pair_sentence), device=self.pair_sentence.device), self)]
        return [self._chunk(start, start + sentences_at_once) for start in range(0, count, sentences_at_once)]

    def _chunk(self, start: int, end: int) -> tuple[torch.Tensor, "SentenceInputs"]:
        rows = ((self.pair_sentence >= start) & (self.pair_sentence < end)).nonzero().flatten()
        phrases = self.text_phrases and Masked(self.text_phrases.values[rows], self.text_phrases.mask[rows])
        sentences = self.input_ids[start:end], self.attention_mask[start:end]
        return rows, SentenceInputs(*sentences, self.pair_sentence[rows] - start, self.mention_spans[rows], phrases)


@dataclass
class ImageInputs:
    """Holds the images of a batch and whatever is known of each and of its objects.

    Args:
        pixel_values: Image and crops, (images, 1 + objects, 3, height, width); row 0 is the whole image. The vision
            encoder computes `visual_states` from them.
        visual_states: In place of pixels, features of image and crops, (images, 1 + objects, visual).
        visual_state_mask: Where pixels or states are known, (images, 1 + objects); by default wherever there is a
            node.
        visual_text_ids, visual_text_mask: Description of the image and names of its objects,
            (images, 1 + objects, phrase tokens). A row without tokens is not known.
        object_boxes: (cx, cy, w, h) in 0..1, (images, objects, 4).
        object_box_mask: Where boxes are known, (images, objects); by default wherever there is an object.
        object_mask: Which objects exist, (images, objects); by default all.
    """

    pixel_values: torch.Tensor | None = None
    visual_states: torch.Tensor | None = None
    visual_state_mask: torch.Tensor | None = None
    visual_text_ids: torch.Tensor | None = None
    visual_text_mask: torch.Tensor | None = None
    object_boxes: torch.Tensor | None = None
    object_box_mask: torch.Tensor | None = None
    object_mask: torch.Tensor | None = None

    @property
    def states(self) -> Masked | None:
        """Returns features of image and crops, (images, 1 + objects, visual)."""
        return masked(self.visual_states, self.visual_state_mask)

    @property
    def text(self) -> Masked | None:
        """Returns the wordpieces about image and objects, (images, 1 + objects, phrase tokens)."""
        return masked(self.visual_text_ids, self.visual_text_mask, axes=3)

    @property
    def boxes(self) -> Masked | None:
        """Returns the boxes of the objects, (images, objects, 4)."""
        return masked(self.object_boxes, self.object_box_mask)

    def visible_mask(self, shape: Sequence[int], pair_image: torch.Tensor) -> torch.Tensor:
        """Computes which images and crops exist and belong to a pair, (images, 1 + objects), which is `shape`."""
        visible = torch.zeros(shape[0], 1, dtype=torch.bool, device=pair_image.device)
        visible[pair_image[pair_image >= 0]] = True
        exists = self.visual_state_mask
        if exists is None and self.object_mask is not None:
            exists = prepend_image(self.object_mask)
        return visible.expand(*shape) if exists is None else visible & exists.bool()


def drop_images(
    pair_image: torch.Tensor,
    images: ImageInputs,
    tail_object: torch.Tensor | None = None,
    *,
    image_dropout: float,
    description_dropout: float,
) -> tuple[torch.Tensor, ImageInputs]:
    """Drops random images and descriptions; their text is masked, so that it is not encoded.

    Args:
        pair_image: Row of each pair's image, -1 for none, (pairs,).
        images: The images.
        tail_object: The object that is the tail of each pair, -1 where it is text. Its image is not dropped.
        image_dropout, description_dropout: As in `VMHANConfig`.

    Returns:
        `pair_image` and `images` without what was dropped.
    """
    text, device = images.text, pair_image.device
    count = len(text.values) if text is not None else max(int(pair_image.max()), 0) + 1
    hidden = torch.rand(count, device=device) < image_dropout  # (images,)
    if tail_object is not None:
        hidden[pair_image[(tail_object >= 0) & (pair_image >= 0)]] = False
    undescribed = torch.rand(count, device=device) < description_dropout  # (images,)
    if text is not None:
        text_mask = text.mask & ~hidden[:, None, None]  # (images, 1 + objects, phrase tokens)
        description_mask = text_mask[:, :1] & ~undescribed[:, None, None]
        images = replace(images, visual_text_mask=torch.cat([description_mask, text_mask[:, 1:]], dim=1))
    return pair_image.masked_fill(hidden[pair_image.clamp(min=0)], -1), images
