"""What is seen of images: pictures and what boxes cut out of them, as pixels, or as states that were made of these."""

import hashlib
import math
from collections.abc import Sequence

import torch
from PIL import Image

from .image_decoding import to_upright_rgb


def encode_visuals(images: Sequence[dict], boxes: Sequence[Sequence], image_processor=None) -> dict[str, torch.Tensor]:
    """`pixel_values` or `visual_states` of images and objects, with `visual_state_mask`; nothing if nothing is seen.

    Args:
        images: Each with `"image"`, `"visual_states"` or neither, and its `"objects"`, as `VMHANProcessor` takes them.
        boxes: Of each image, (cx, cy, w, h) in 0..1 of the objects that are kept; None is not known.
        image_processor: Makes pixels of a vision encoder from pictures.

    Raises:
        ValueError: A batch has pictures and states, or states are of another number of objects.
    """
    if not any(_has(image, "image") for image in images):
        return _join_states(images, boxes)
    if any(_has(image, "visual_states") for image in images):
        raise ValueError('Some images come as "image", some as "visual_states"; a batch takes one or the other.')
    return encode_pictures([image.get("image") for image in images], boxes, image_processor)


def encode_pictures(
    pictures: Sequence[Image.Image | None], boxes: Sequence[Sequence], image_processor
) -> dict[str, torch.Tensor]:
    """`pixel_values` (images, 1 + objects, 3, height, width) and `visual_state_mask` (images, 1 + objects).

    Args:
        pictures: Pictures of any mode, seen upright; None is not known.
        boxes: Of each picture, (cx, cy, w, h) in 0..1 of its objects; None is not known.
        image_processor: Makes pixels of a vision encoder from pictures.

    Raises:
        ValueError: There is no image processor.
    """
    if image_processor is None:
        raise ValueError(
            "This processor has no image_processor for pictures; build it with from_text_vision_pretrained, or leave "
            '"image" out.'
        )
    known = [
        [picture is not None, *(picture is not None and box is not None for box in of_picture)]
        for picture, of_picture in zip(pictures, boxes, strict=True)
    ]
    crops = []
    for picture, of_picture in zip(pictures, boxes, strict=True):
        if picture is not None:
            picture = to_upright_rgb(picture)
            crops += [picture, *(crop_object(picture, box) for box in of_picture if box is not None)]
    pixels = image_processor(crops, return_tensors="pt")["pixel_values"]  # (crops, 3, height, width)
    mask = torch.tensor([row + [False] * (max(map(len, known)) - len(row)) for row in known])
    values = pixels.new_zeros(*mask.shape, *pixels.shape[1:])
    values[mask] = pixels
    return {"pixel_values": values, "visual_state_mask": mask}


def crop_object(picture: Image.Image, box: Sequence[float]) -> Image.Image:
    """What `box`, (cx, cy, w, h) in 0..1, holds of `picture`: whole pixels, one at least."""
    cx, cy, width, height = box
    left, right = _pixels(cx, width, picture.width)
    top, bottom = _pixels(cy, height, picture.height)
    return picture.crop((left, top, right, bottom))


def visual_key(image: dict) -> bytes | None:
    """Equal for equal pictures, or equal states."""
    if _has(image, "image"):
        seen = to_upright_rgb(image["image"])  # equal bytes of two palettes are two pictures
        return hashlib.sha256(f"{seen.size}".encode() + seen.tobytes()).digest()
    if _has(image, "visual_states"):
        return hashlib.sha256(torch.as_tensor(image["visual_states"]).contiguous().numpy().tobytes()).digest()
    return None


def _pixels(centre: float, size: float, length: int) -> tuple[int, int]:
    """The pixels [start, end) of an edge of `length` that a box touches. What rounding adds does not count."""
    start = math.floor(round((centre - size / 2) * length, 3))
    end = math.ceil(round((centre + size / 2) * length, 3))
    start = min(max(start, 0), length - 1)
    return start, min(max(end, start + 1), length)


def _join_states(images: Sequence[dict], boxes: Sequence[Sequence]) -> dict[str, torch.Tensor]:
    rows = 1 + max(map(len, boxes))
    known = {row: _read_states(image)[:rows] for row, image in enumerate(images) if _has(image, "visual_states")}
    if not known:
        return {}
    width = next(iter(known.values())).shape[-1]
    values, mask = torch.zeros(len(images), rows, width), torch.zeros(len(images), rows, dtype=torch.bool)
    for row, states in known.items():
        values[row, : len(states)] = states
        mask[row, : len(states)] = True
    return {"visual_states": values, "visual_state_mask": mask}


def _read_states(image: dict) -> torch.Tensor:
    """The image and its objects, (1 + objects, visual)."""
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


__all__ = ["crop_object", "encode_pictures", "encode_visuals", "visual_key"]
