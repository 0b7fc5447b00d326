"""Image inputs in every form that users have, read to upright RGB. Every image of a request is read here.

    load_image_input("photo.jpg")  # also an address, base64, bytes, a row of `datasets`, an array, a tensor

Images of other people's requests are read by `load_inline_images`, which opens no file and fetches no address.
"""

import binascii
import os
import re
from base64 import b64decode
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import unquote_to_bytes

import numpy as np
import torch
from PIL import Image

from .image_decoding import (
    MAX_PIXELS,
    ImageTooLarge,
    array_to_rgb,
    check_pixels,
    open_image,
    readable_number,
    tensor_to_rgb,
    to_upright_rgb,
)
from .network import MAX_FILE_SIZE, download_image

_SCHEME = re.compile(r"\s*([a-z][a-z0-9+.-]+):", re.IGNORECASE)  # of two letters and more: "C:" is a drive
#: First bytes of files in the formats that are read.
_FIRST_BYTES = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"RIFF", b"BM", b"II", b"MM")
_KINDS = (
    "a path, an http or https address, base64, a data URI, bytes, an open binary file, a PIL image, an array, a "
    'tensor, or what `datasets` gives, {"bytes", "path"}'
)


def load_image_input(image: Any, max_pixels: int = MAX_PIXELS) -> Image.Image:
    """Reads an image to upright RGB, transparency on white; of an animation the first frame.

    Args:
        image: A path; an http or https address, fetched by `download_image`; base64 or a data URI; the bytes of a
            file, or the file opened as binary, such as `io.BytesIO`; `{"bytes", "path"}`, either of which may be
            None; a PIL image of any mode; a numpy array (height, width[, 3 or 4]); or a torch tensor, also (channels,
            height, width). Values of arrays are those of `array_to_rgb`. A string that names a file is a path, and
            else base64 where that is an image.
        max_pixels: Most pixels of a file, checked before it is decoded. A PIL image may have more.

    Raises:
        FileNotFoundError: There is no file at a path.
        ValueError: The image cannot be read; names it and what to do.
    """
    if isinstance(image, np.ndarray | torch.Tensor):
        return _convert(image)
    if isinstance(image, Image.Image):
        return _decode("given", lambda: to_upright_rgb(image))
    if isinstance(image, dict):
        image = _read_dict(image)
    elif hasattr(image, "read"):
        image = _read_file(image)
    if isinstance(image, str):
        name, source = _resolve(image)
    elif isinstance(image, os.PathLike):
        name, source = _find_file(os.fsdecode(image))
    elif isinstance(image, bytes | bytearray | memoryview):
        name, source = "given as bytes", bytes(image)
    else:
        raise ValueError(f"image is a {type(image).__name__}; give {_KINDS}.")
    return _read(name, source, max_pixels)


def load_inline_images(images: Sequence[Any], max_pixels: int = MAX_PIXELS) -> list[Image.Image | None]:
    """Reads the images of other people's requests: base64, data URIs, bytes or PIL images, no paths or addresses.

    Args:
        images: Images, None for a request without one.
        max_pixels: Most pixels of all images together.

    Raises:
        ValueError: An image is something else, or a file of more than `MAX_FILE_SIZE` bytes; names it.
    """
    loaded: list[Image.Image | None] = []
    left = max_pixels
    for index, image in enumerate(images):
        try:
            loaded.append(None if image is None else _load_inline(image, left))
        except ValueError as error:
            if len(images) > 1:
                error.add_note(f"It is the image of request {index}, counted from 0.")
            if left < max_pixels:
                error.add_note(f"All requests share {readable_number(max_pixels)} pixels; send them one by one.")
            raise
        if (last := loaded[-1]) is not None:
            left -= last.width * last.height
    return loaded


def _load_inline(image: Any, max_pixels: int) -> Image.Image:
    if isinstance(image, Image.Image):
        return _decode("given", lambda: _checked(image, max_pixels))
    if isinstance(image, str):
        name, content = _inline_content(image)
    elif isinstance(image, bytes | bytearray | memoryview):
        name, content = "given as bytes", bytes(image)
    else:
        raise ValueError(f"image is a {type(image).__name__}; send base64, a data URI or bytes.")
    if len(content) > MAX_FILE_SIZE:
        raise ValueError(f"The image {name} is larger than {MAX_FILE_SIZE // 1_000_000} MB; make it smaller.")
    return _read(name, content, max_pixels)


def _checked(image: Image.Image, max_pixels: int) -> Image.Image:
    check_pixels(image, max_pixels)
    return to_upright_rgb(image)


def _read(name: str, source: str | bytes, max_pixels: int) -> Image.Image:
    def read() -> Image.Image:
        with open_image(source, max_pixels) as opened:
            return to_upright_rgb(opened)

    return _decode(name, read)


def _decode(name: str, read: Callable[[], Image.Image]) -> Image.Image:
    """Calls `read`; its errors name the image."""
    try:
        return read()
    except ImageTooLarge as error:
        raise ValueError(f"The image {name} {error}") from error
    except Exception as error:  # Pillow raises many kinds; users need the name of the image
        raise ValueError(
            f"The image {name} cannot be read ({error}); give an intact JPEG, PNG, WebP or GIF."
        ) from error


def _convert(values: "np.ndarray | torch.Tensor") -> Image.Image:
    kind = "a tensor" if isinstance(values, torch.Tensor) else "an array"
    try:
        return tensor_to_rgb(values) if isinstance(values, torch.Tensor) else array_to_rgb(values)
    except (ValueError, TypeError, RuntimeError) as error:
        raise ValueError(f"image is {kind} that cannot be read: {error}.") from error


def _read_dict(image: dict) -> "bytes | bytearray | memoryview | str | os.PathLike":
    """Reads the content or path of an image that `datasets` has not decoded."""
    found = image.get("path") if image.get("bytes") is None else image["bytes"]
    if not isinstance(found, str | bytes | bytearray | memoryview | os.PathLike):
        held = {key: type(value).__name__ for key, value in image.items()}
        raise ValueError(f'image is a dict of {held}; give {{"bytes": the file, "path": its path}}, or one of them.')
    return found


def _read_file(file: Any) -> bytes:
    """Reads the content of an open file, from its beginning, as Pillow reads it."""
    try:
        if file.seekable():
            file.seek(0)
        content = file.read()
    except (AttributeError, OSError, ValueError) as error:
        raise ValueError(f"image is a {type(file).__name__} that cannot be read: {error}.") from error
    if not isinstance(content, bytes | bytearray | memoryview):
        raise ValueError(f'image is a file that was opened as text; open it with mode "rb", or give {_KINDS}.')
    return bytes(content)


def _resolve(text: str) -> tuple[str, str | bytes]:
    """Resolves a string to a name for messages and a path or content."""
    scheme = _SCHEME.match(text)
    kind = scheme and scheme[1].lower()
    if kind == "data":
        return _inline_content(text)
    if kind in ("http", "https"):
        return _short(text.strip()), download_image(text.strip())
    if os.path.isfile(text):
        return _short(text), text
    if scheme:
        raise ValueError(f"The image {_short(text)} is no file, and no address that can be read; give {_KINDS}.")
    content = _decode_base64(text)
    if content is not None and content.startswith(_FIRST_BYTES):
        return "given as base64", content
    return _find_file(text, ", and is no base64 of an image either")


def _find_file(path: str, neither: str = "") -> tuple[str, str]:
    """Checks that a file exists; returns a name for messages and the path."""
    if not os.path.isfile(path):
        raise FileNotFoundError(
            f"The image {_short(path)} does not exist as a file{neither}; check the path, or leave the image out."
        )
    return _short(path), path


def _inline_content(text: str) -> tuple[str, bytes]:
    """Decodes base64 or a data URI to a name for messages and the content."""
    scheme = _SCHEME.match(text)
    if scheme and scheme[1].lower() != "data":
        raise ValueError(
            f"image is the address {_short(text)}; nothing is fetched or opened here. Send the image itself, as "
            "base64, a data URI or bytes."
        )
    head, comma, data = text.partition(",") if scheme else ("", ",", text)
    if scheme and not head.lower().rstrip().endswith(";base64"):
        content = unquote_to_bytes(data) if comma else None
    else:
        content = _decode_base64(unquote_to_bytes(data).decode("ascii", "replace") if scheme else data)
    if not content:
        raise ValueError(f"image is neither base64 nor a data URI: {_short(text)}; send one of these, or bytes.")
    return f"given as {'a data URI' if scheme else 'base64'}", content


def _decode_base64(text: str) -> bytes | None:
    """Decodes base64, also with "-" and "_" or without padding; None if it is none."""
    compact = "".join(text.split()).translate(str.maketrans("-_", "+/")).rstrip("=")
    try:
        return b64decode(compact + "=" * (-len(compact) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None


def _short(text: str) -> str:
    return repr(text if len(text) <= 200 else f"{text[:60]}... ({len(text):,} characters)")


__all__ = ["load_image_input", "load_inline_images"]
