"""Which files a request may name: those that Gradio stored for an upload, or copied there from this page's own."""

import re
from pathlib import Path
from urllib.parse import unquote

import gradio as gr
from gradio.utils import get_upload_folder

from page.errors import user_error
from page.labels import short

_ADDRESS = re.compile(r"\s*([a-z][a-z0-9+.-]+:|//)", re.IGNORECASE)  # a single letter is a drive of Windows
_DIGEST = re.compile("[0-9a-f]{64}")  # Gradio stores a file in a folder named by the secret-seeded hash of its bytes
_SEND = "Please send the file itself"


def check_files(inputs) -> None:
    """Refuses inputs that name a file or an address other than an upload, however deep.

    Gradio looks for files in what it gets for any component, be it text; so does this.

    Raises:
        gr.Error: With what was named.
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


def stored_upload(path: str) -> Path:
    """The file of an upload.

    Args:
        path: As Gradio returned it for the upload.

    Raises:
        gr.Error: It is an address, or a file that was not uploaded, or not kept any more.
    """
    if _ADDRESS.match(path):
        raise _fetches_nothing(path)
    folder = Path(get_upload_folder())
    parts = _below(folder, Path(path))
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


def _below(folder: Path, path: Path) -> tuple[str, ...]:
    """The parts of a path from the folder on; none for one that does not begin with it."""
    for start in (folder, folder.absolute(), folder.resolve()):
        if path.is_relative_to(start):
            return path.relative_to(start).parts
    return ()


def _check_file(path, url) -> None:
    """Refuses a path that is no upload's, and an address that is not the one under which this page serves it."""
    if not isinstance(path, str) or not path:
        raise (
            _fetches_nothing(url) if url else user_error(f"{_SEND}; “{short(str(path), 60)}” is no path of an upload.")
        )
    stored_upload(path)
    if url and not unquote(str(url).partition("?")[0]).endswith(
        f"/file={path}"
    ):  # private Spaces sign it behind a "?"
        raise _fetches_nothing(url)


def _fetches_nothing(address) -> gr.Error:
    return user_error(f"{_SEND}; this page does not fetch addresses such as “{short(str(address), 60)}”.")
