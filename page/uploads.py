"""Pictures that visitors send: read with care, upright, and small enough for everyone."""

from pathlib import Path

import gradio as gr
from gradio.data_classes import ImageData
from PIL import Image, ImageOps

from .refusals import refuse
from .upload_folder import stored_upload

MOST_PIXELS = 50_000_000
LONGEST_SIDE = 1600  # pixels; what is larger costs time and adds nothing
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")  # no format whose reader starts a program
_ADVICE = "Try a JPEG, PNG, WebP or GIF file."


def picture_input(**settings) -> gr.Image:
    """An image component that gives an upright RGB picture, or a friendly message.

    The rule is put on the instance: of a subclass, Gradio would write a type stub next to this file. An event must
    give it plain values, never an update such as `gr.skip()`, for which Gradio would build it anew without it.
    """
    picture = gr.Image(**settings)
    picture.preprocess = read_upload
    return picture


def read_upload(payload: ImageData | None) -> Image.Image | None:
    """The picture of an upload.

    `GuardedBlocks` has looked at the path of every event; this looks again, so that no other way in opens a file.
    """
    if payload is None:
        return None
    if not payload.path:
        raise refuse("Please send the picture as a file.")
    return read_picture(stored_upload(payload.path))


def read_picture(path: str | Path) -> Image.Image:
    """The first frame of a picture, upright, in RGB, no side longer than `LONGEST_SIDE`."""
    try:
        with Image.open(path, formats=FORMATS) as opened:
            width, height = opened.size
            if width * height > MOST_PIXELS:
                raise _too_large(f"{width:,} x {height:,} pixels")
            opened.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))  # JPEGs are decoded small at once
            picture = on_white(ImageOps.exif_transpose(opened))
    except Image.DecompressionBombError as error:
        raise _too_large("too many pixels") from error
    except gr.Error:
        raise
    except Exception as error:  # Pillow raises many kinds for a broken file
        raise refuse(f"This picture cannot be read. {_ADVICE}") from error
    picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    return picture


def on_white(picture: Image.Image) -> Image.Image:
    """The picture in RGB; what is transparent becomes white."""
    if picture.mode.startswith("I"):  # greys of 16 bits, of which Pillow would cut off all above 255
        picture = picture.convert("I").point(lambda grey: grey / 257).convert("L")
    if "transparency" not in picture.info and picture.mode not in ("RGBA", "LA", "PA"):
        return picture.convert("RGB")
    layer = picture.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert("RGB")


def _too_large(size: str) -> gr.Error:
    return refuse(f"This picture has {size}. Up to {MOST_PIXELS // 1_000_000} million can be read: make it smaller.")
