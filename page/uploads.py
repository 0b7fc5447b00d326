"""Pictures that visitors send: read with care, upright, and small enough for everyone."""

from pathlib import Path

import gradio as gr
from gradio.data_classes import ImageData
from PIL import Image

from page.errors import user_error
from page.upload_folder import stored_upload
from vmhan.image_decoding import ImageTooLarge, open_image, to_upright_rgb

LONGEST_SIDE = 1600  # pixels; what is larger costs time and adds nothing
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
        raise user_error("Please send the picture as a file.")
    return read_picture(stored_upload(payload.path))


def read_picture(path: str | Path) -> Image.Image:
    """The first frame of a picture, upright, in RGB, no side longer than `LONGEST_SIDE`."""
    try:
        with open_image(path) as opened:
            opened.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))  # JPEGs are decoded small at once
            picture = to_upright_rgb(opened)
    except ImageTooLarge as error:
        raise user_error(f"This picture {error}") from error
    except Exception as error:  # Pillow raises many kinds for a broken file
        raise user_error(f"This picture cannot be read. {_ADVICE}") from error
    picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    return picture
