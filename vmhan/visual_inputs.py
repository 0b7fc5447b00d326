"""Images as batch parts: the distinct images of a batch, their boxes, and pixels or states of images and crops."""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from PIL import Image

from .image_decoding import to_upright_rgb
from .pair_inputs import SentenceExample, length_mask, pad_nested

#: (cx, cy, w, h) in 0..1.
NormalizedBox = Sequence[float]


class NormalizedObject(NamedTuple):
    """Object of an image: its label and its box, None where they are not known."""

    label: str | None
    box: tuple[float, ...] | None


@dataclass(frozen=True)
class UniqueImage:
    """Holds a distinct image of a batch.

    Args:
        description: Its description, or None.
        objects: Those of its objects that are kept.
        key: As `visual_key` computes it.
        source: The image as `VMHANProcessor` takes it; equal images may come from different ones.
    """

    description: str | None
    objects: tuple[NormalizedObject, ...]
    key: bytes | None
    source: dict = field(compare=False, repr=False)

    @property
    def boxes(self) -> list[tuple[float, ...] | None]:
        """Returns the box of each object."""
        return [item.box for item in self.objects]

    @property
    def phrases(self) -> list[str | None]:
        """Returns the description and the label of each object."""
        return [self.description, *(item.label for item in self.objects)]


def unique_images(examples: Sequence[SentenceExample], max_objects: int) -> tuple[list[UniqueImage], list[int]]:
    """Collects the distinct images of a batch.

    Args:
        examples: The sentences with their images.
        max_objects: Objects kept of an image; all are kept where the tail of a pair is an object.

    Returns:
        The images, and the row of each example's image, -1 for none.
    """
    row_of_image: dict[UniqueImage, int] = {}
    rows = []
    for example in examples:
        if example.image is None:
            rows.append(-1)
            continue
        objects = example.objects if example.has_object_tails else example.objects[:max_objects]
        description = example.image.get("description") or None
        kept = tuple(_read_object(item) for item in objects)
        image = UniqueImage(description, kept, visual_key(example.image), example.image)
        rows.append(row_of_image.setdefault(image, len(row_of_image)))
    return list(row_of_image), rows


def object_tensors(images: Sequence[UniqueImage]) -> dict[str, torch.Tensor]:
    """Builds `object_mask` (images, objects), `object_boxes` (images, objects, 4) and `object_box_mask`."""
    mask = length_mask([image.objects for image in images])
    boxes = pad_nested([image.boxes for image in images], None)
    values = [[box or (0.0,) * 4 for box in row] for row in boxes]
    known = [[box is not None for box in row] for row in boxes]
    return {
        "object_mask": mask,
        "object_boxes": torch.tensor(values).view(*mask.shape, 4),  # a list of no boxes does not say its shape
        "object_box_mask": torch.tensor(known, dtype=torch.bool),
    }


def visual_tensors(images: Sequence[UniqueImage], image_processor=None) -> dict[str, torch.Tensor]:
    """Builds `pixel_values` or `visual_states`, and `visual_state_mask`; empty where no image has either.

    Args:
        images: Their sources have an `"image"`, `"visual_states"` or neither.
        image_processor: Computes the pixels of a vision encoder from images.

    Raises:
        ValueError: A batch has images and states, or states are of another number of objects.
    """
    sources = [image.source for image in images]
    if not any(_has(source, "image") for source in sources):
        return _join_states(images)
    if any(_has(source, "visual_states") for source in sources):
        raise ValueError('Some images come as "image", some as "visual_states"; a batch takes one or the other.')
    boxes = [image.boxes for image in images]
    return encode_images([source.get("image") for source in sources], boxes, image_processor)


def encode_images(
    images: Sequence[Image.Image | None], boxes: Sequence[Sequence[NormalizedBox | None]], image_processor
) -> dict[str, torch.Tensor]:
    """Computes `pixel_values` (images, 1 + objects, 3, height, width) and `visual_state_mask` (images, 1 + objects).

    Args:
        images: Images of any mode, which are turned upright; None where they are not known.
        boxes: Boxes of the objects of each image; None where they are not known.
        image_processor: Computes the pixels of a vision encoder from images.

    Raises:
        ValueError: There is no image processor.
    """
    if image_processor is None:
        raise ValueError(
            "This processor has no image_processor for images; build it with from_text_vision_pretrained, or leave "
            '"image" out.'
        )
    crops, known = [], []
    for image, of_image in zip(images, boxes, strict=True):
        upright = None if image is None else to_upright_rgb(image)
        cut = [None if upright is None or box is None else crop_object(upright, box) for box in of_image]
        crops += [crop for crop in (upright, *cut) if crop is not None]
        known.append([crop is not None for crop in (upright, *cut)])
    pixels = image_processor(crops, return_tensors="pt")["pixel_values"]  # (crops, 3, height, width)
    mask = torch.tensor(pad_nested(known, False))  # (images, 1 + objects)
    values = pixels.new_zeros(*mask.shape, *pixels.shape[1:])
    values[mask] = pixels
    return {"pixel_values": values, "visual_state_mask": mask}


def crop_object(image: Image.Image, box: NormalizedBox) -> Image.Image:
    """Cuts an object with `box`, (cx, cy, w, h) in 0..1, out of an image: whole pixels, one at least."""
    cx, cy, width, height = box
    left, right = _pixels(cx, width, image.width)
    top, bottom = _pixels(cy, height, image.height)
    return image.crop((left, top, right, bottom))


def visual_key(image: dict) -> bytes | None:
    """Computes a checksum of the pixels or the states of an image, None without either."""
    if _has(image, "image"):
        upright = to_upright_rgb(image["image"])  # equal bytes with two palettes are two images
        return hashlib.sha256(f"{upright.size}".encode() + upright.tobytes()).digest()
    if _has(image, "visual_states"):
        return hashlib.sha256(torch.as_tensor(image["visual_states"]).contiguous().numpy().tobytes()).digest()
    return None


def _read_object(item: dict) -> NormalizedObject:
    box = item.get("box")
    return NormalizedObject(item.get("label") or None, None if box is None else tuple(map(float, box)))


def _pixels(center: float, size: float, length: int) -> tuple[int, int]:
    """Computes the pixels [start, end) of an edge of `length` that a box touches, rounding errors aside."""
    start = math.floor(round((center - size / 2) * length, 3))
    end = math.ceil(round((center + size / 2) * length, 3))
    start = min(max(start, 0), length - 1)
    return start, min(max(end, start + 1), length)


def _join_states(images: Sequence[UniqueImage]) -> dict[str, torch.Tensor]:
    """Pads states to `visual_states` (images, 1 + objects, visual) and their mask; empty where no image has any."""
    columns = 1 + max(len(image.objects) for image in images)
    states = [
        _read_states(image.source)[:columns] if _has(image.source, "visual_states") else None for image in images
    ]
    width = next((len(of_image[0]) for of_image in states if of_image is not None), None)
    if width is None:
        return {}
    values = torch.zeros(len(images), columns, width)
    mask = torch.zeros(len(images), columns, dtype=torch.bool)
    for row, of_image in enumerate(states):
        if of_image is not None:
            values[row, : len(of_image)] = of_image
            mask[row, : len(of_image)] = True
    return {"visual_states": values, "visual_state_mask": mask}


def _read_states(image: dict) -> torch.Tensor:
    """Reads the states of an image and its objects, (1 + objects, visual)."""
    states = torch.as_tensor(image["visual_states"])
    objects = len(image.get("objects") or [])
    if states.ndim != 2 or len(states) != 1 + objects:
        raise ValueError(
            f'"visual_states" have the shape {tuple(states.shape)}; give a row for the image and for each of its '
            f"{objects} objects."
        )
    return states


def _has(image: dict, name: str) -> bool:
    return image.get(name) is not None


__all__ = ["crop_object", "encode_images", "unique_images", "visual_key", "visual_tensors"]
