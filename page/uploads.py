"""Uploads: which files a request may name, and their images.

A request may name the files that Gradio stored for an upload, or copied there from the page's own.
"""

import re
from pathlib import Path
from urllib.parse import unquote

import gradio as gr
from gradio.data_classes import ImageData
from gradio.utils import get_upload_folder
from PIL import Image

from page.errors import user_error
from page.labels import short
from vmhan.image_decoding import ImageTooLarge, open_image, to_upright_rgb

LONGEST_SIDE = 1600  # pixels; what is larger costs time and adds nothing
SEND_A_FILE = "Please send the image as a file."
_SEND = "Please send the file itself"
_ADVICE = "Try a JPEG, PNG, WebP or GIF file."
_ADDRESS = re.compile(r"\s*([a-z][a-z0-9+.-]+:|//)", re.IGNORECASE)  # a single letter is a drive of Windows
_DIGEST = re.compile("[0-9a-f]{64}")  # Gradio stores a file in a folder named by the secret-seeded hash of its bytes


# Files


def check_files(inputs) -> None:
    """Checks that every file that the inputs of an event name, however deep, is an upload.

    Gradio looks for files in the input of any component, text included; so does this.

    Raises:
        gr.Error: One is not, or is an address; the message names it.
    """
    waiting = [inputs]
    while waiting:  # not by recursion, which a request could exhaust
        item = waiting.pop()
        if isinstance(item, dict):
            if "path" in item or "url" in item:
                _check_file(item.get("path"), item.get("url"))
            waiting.extend(item.values())
        elif isinstance(item, list | tuple):
            waiting.extend(item)


def _check_file(path, url) -> None:
    """Refuses a path that is no upload's, and an address that is not the one under which this page serves it."""
    if not isinstance(path, str) or not path:
        if url:
            raise _no_fetching(url)
        raise user_error(f"{_SEND}; “{short(str(path), 60)}” is no path of an upload.")
    resolve_upload(path)
    served = f"/file={path}"
    if url and not unquote(str(url).partition("?")[0]).endswith(served):  # private Spaces sign it behind a "?"
        raise _no_fetching(url)


def resolve_upload(path: str) -> Path:
    """Resolves the path of an upload, without opening the file.

    Args:
        path: As Gradio returned it for the upload.

    Raises:
        gr.Error: It is an address, or a file that was not uploaded, or one that was deleted since.
    """
    if _ADDRESS.match(path):
        raise _no_fetching(path)
    folder = Path(get_upload_folder())
    parts = _parts_below(folder, Path(path))
    if len(parts) == 2 and _DIGEST.fullmatch(parts[0]):
        try:
            file = folder.joinpath(*parts).resolve(strict=True)
        except FileNotFoundError as error:
            raise user_error(
                f"The upload “{short(parts[1], 60)}” is not kept here any more. {_SEND} again."
            ) from error
        except (OSError, RuntimeError, ValueError):  # no name of a file, or a ring of links
            file = None
        if file == folder.resolve().joinpath(*parts) and file.is_file():  # neither a link nor behind one
            return file
    raise user_error(f"“{short(path, 60)}” was not uploaded to this page. {_SEND}.")


def _parts_below(folder: Path, path: Path) -> tuple[str, ...]:
    """Splits the part of a path below the folder; empty for a path elsewhere."""
    for start in (folder, folder.absolute(), folder.resolve()):
        if path.is_relative_to(start):
            return path.relative_to(start).parts
    return ()


def _no_fetching(address) -> gr.Error:
    return user_error(f"{_SEND}; this page does not fetch addresses such as “{short(str(address), 60)}”.")


# Images


def read_upload(payload: ImageData | None) -> Image.Image | None:
    """Reads the image of an upload.

    `GuardedBlocks` checks the paths of every event; this checks again, so that no other way in opens a file.
    """
    if payload is None:
        return None
    if not payload.path:
        raise user_error(SEND_A_FILE)
    return read_image(resolve_upload(payload.path))


def read_image(path: str | Path) -> Image.Image:
    """Reads the first frame of an image, upright, in RGB, no side longer than `LONGEST_SIDE`.

    Raises:
        gr.Error: It has too many pixels, or is in none of the formats that are read, or broken.
    """
    try:
        with open_image(path) as opened:
            opened.draft("RGB", (LONGEST_SIDE, LONGEST_SIDE))  # JPEGs are decoded small at once
            image = to_upright_rgb(opened)
    except ImageTooLarge as error:
        raise user_error(f"This image {error}") from error
    except Exception as error:  # Pillow raises many kinds for a broken file
        raise user_error(f"This image cannot be read. {_ADVICE}") from error
    image.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    return image
