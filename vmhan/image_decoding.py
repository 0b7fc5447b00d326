"""Decoding of image files, arrays and tensors to upright RGB of 8 bits, within limits of formats and pixels.

Grays of 16 bits are divided by 257 (65535 is white); Pillow's own conversion would turn all above 255 white.
"""

import io
import os
import sys

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")  # no format whose reader starts a program
MAX_PIXELS = 50_000_000  # a file of some kilobytes can hold a thousand times as many
_OVERSHOOT = 1e-3  # how far rounding may carry a float out of 0 to 1
_CHANNELS = (1, 3, 4)
_GIVE = "give whole numbers of 8 or 16 bits, or floats in 0 to 1 or 255"


class ImageTooLarge(ValueError):
    """An image of more pixels than are read; the message continues after the image's name."""


def open_image(source: "str | os.PathLike | bytes", max_pixels: int = MAX_PIXELS) -> Image.Image:
    """Opens a file, or the bytes of one, without decoding it.

    Raises:
        ImageTooLarge: It has more than `max_pixels` pixels.
        OSError: It is of none of `FORMATS`, or broken.
    """
    try:
        opened = _pillow_open()(io.BytesIO(source) if isinstance(source, bytes) else source, formats=FORMATS)
    except Image.DecompressionBombError as error:
        raise ImageTooLarge(f"has too many pixels; {_advice(max_pixels)}") from error
    except UnidentifiedImageError as error:
        raise OSError("its format is not recognized") from error
    try:
        check_pixels(opened, max_pixels)
    except ImageTooLarge:
        opened.close()
        raise
    return opened


def check_pixels(image: Image.Image, max_pixels: int = MAX_PIXELS) -> None:
    """Raises `ImageTooLarge` for an image of more than `max_pixels` pixels, decoded or not."""
    if image.width * image.height > max_pixels:
        raise ImageTooLarge(f"has {image.width:,} x {image.height:,} pixels; {_advice(max_pixels)}")


def readable_number(number: int) -> str:
    """Formats a number for a message: "50 million"."""
    return f"{number:,}" if number % 1_000_000 else f"{number // 1_000_000} million"


def _advice(max_pixels: int) -> str:
    return f"up to {readable_number(max_pixels)} can be read. Make it smaller."


def _pillow_open():
    """Returns Pillow's own opener: that of ultralytics, which replaces it, installs a package if a file is broken."""
    return getattr(sys.modules.get("ultralytics.utils.patches"), "_image_open", Image.open)


def to_upright_rgb(image: Image.Image) -> Image.Image:
    """Turns an image as its EXIF data say, and converts it to RGB; transparent pixels become white.

    Raises:
        ValueError: It has no pixels, or its values are out of range.
    """
    if 0 in image.size:
        raise ValueError(f"it has {image.width} x {image.height} pixels")
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith(("I", "F")):
        return _deep_gray_to_rgb(image)
    if image.mode == "La":  # gray multiplied by its alpha
        image = image.convert("LA")
    return _on_white(image) if image.has_transparency_data else image.convert("RGB")


def array_to_rgb(array: np.ndarray) -> Image.Image:
    """Converts an array (height, width), (height, width, 1), (height, width, 3) or (height, width, 4: RGBA) to RGB.

    Values are whole numbers of 8 or 16 bits, booleans, or floats in 0 to 1, or 0 to 255 where one is above 1.

    Raises:
        ValueError: Another shape, or values out of range.
    """
    if array.ndim == 2:
        array = array[..., None]
    if array.ndim != 3 or array.shape[2] not in _CHANNELS or 0 in array.shape:
        raise ValueError(
            f"it has the shape {array.shape}; give (height, width), (height, width, 3) or (height, width, 4), with "
            "the channels last"
        )
    values = _to_bytes(array)
    image = Image.fromarray(values[..., 0] if values.shape[2] == 1 else values)
    return _on_white(image) if image.mode == "RGBA" else image.convert("RGB")


def tensor_to_rgb(tensor: torch.Tensor) -> Image.Image:
    """Converts a tensor as `array_to_rgb`, on any device.

    Channels may come first, (channels, height, width), and do where the shape is ambiguous.
    """
    tensor = tensor.detach().cpu()
    if tensor.is_floating_point():
        tensor = tensor.float()
    if tensor.ndim == 3 and tensor.shape[0] in _CHANNELS:
        tensor = tensor.movedim(0, 2)
    return array_to_rgb(tensor.numpy())


def _on_white(image: Image.Image) -> Image.Image:
    layer = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert("RGB")


def _deep_gray_to_rgb(image: Image.Image) -> Image.Image:
    """Converts an image of 16 or 32 bits a pixel; floats go from 0 to the first of 1, 255, 65535 that holds them."""
    values = np.asarray(image)
    white = 1.0
    if image.mode == "F" and values.min() >= 0:
        white = next((white for white in (1.0, 255.0, 65535.0) if values.max() <= white * (1 + _OVERSHOOT)), 1.0)
    gray = _to_bytes(values if white == 1.0 else values / white)
    transparent = image.info.get("transparency")  # of a PNG, the gray that is
    if transparent is not None:
        gray = np.where(values == transparent, np.uint8(255), gray)
    return Image.fromarray(gray).convert("RGB")


def _to_bytes(values: np.ndarray) -> np.ndarray:
    """Scales the values of an array that is not empty to 0 to 255, uint8."""
    kind, bits = values.dtype.kind, 8 * values.dtype.itemsize
    if values.dtype == np.uint8:
        return values
    if kind == "b":
        return values.astype(np.uint8) * np.uint8(255)
    if kind not in "uif":
        raise ValueError(f"its values are {values.dtype}; {_GIVE}")
    low, high = values.min(), values.max()
    if kind == "f" and low >= -_OVERSHOOT and high <= 1 + _OVERSHOOT:
        return np.rint(values.astype(np.float32).clip(0, 1) * 255).astype(np.uint8)
    if kind == "f" and low >= 0 and high <= 255 * (1 + _OVERSHOOT):
        return np.rint(values.astype(np.float32).clip(0, 255)).astype(np.uint8)
    if kind != "f" and low >= 0 and high <= 65535:
        has_16_bits = high > 255 or (kind == "u" and bits == 16)
        return ((values.astype(np.int32) + 128) // 257 if has_16_bits else values).astype(np.uint8)
    span = f"go from {low} to {high}" if np.isfinite([low, high]).all() else "are not all finite numbers"
    raise ValueError(f"its {values.dtype} values {span}; {_GIVE}")


__all__ = [
    "FORMATS",
    "MAX_PIXELS",
    "ImageTooLarge",
    "array_to_rgb",
    "check_pixels",
    "open_image",
    "readable_number",
    "tensor_to_rgb",
    "to_upright_rgb",
]
