"""Image files: which formats and how many pixels are read."""

import io
import os
import sys

from PIL import Image, UnidentifiedImageError

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")  # no format whose reader starts a program
MAX_PIXELS = 50_000_000  # a file of some kilobytes can hold a thousand times as many


class ImageTooLarge(ValueError):
    """An image of more pixels than are read; the message goes on after its name."""


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
        raise OSError("its format is not recognised") from error
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


def spoken(number: int) -> str:
    """A number as it is said: "50 million"."""
    return f"{number:,}" if number % 1_000_000 else f"{number // 1_000_000} million"


def _advice(max_pixels: int) -> str:
    return f"up to {spoken(max_pixels)} can be read. Make it smaller."


def _pillow_open():
    """Pillow's opener. ultralytics puts its own in that place, which installs a package if a file is broken."""
    return getattr(sys.modules.get("ultralytics.utils.patches"), "_image_open", Image.open)


__all__ = ["FORMATS", "MAX_PIXELS", "ImageTooLarge", "check_pixels", "open_image", "spoken"]
