"""Guards on every way into the page: events take no files but uploads, and no route fetches an address."""

import re
from html import escape

import gradio as gr
from gradio.blocks import BlockFunction
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from page.errors import user_error
from page.uploads import SEND_A_FILE, check_files

_FETCHING_ROUTES = re.compile(r"/(file|proxy)[=/]\s*https?:", re.IGNORECASE)
_FILM_ROUTE = re.compile(r"/process_recording/*$", re.IGNORECASE)


class GuardedBlocks(gr.Blocks):
    """Blocks whose events take no files but uploads, and show no markup that a visitor wrote.

    Every event passes here: those of the page, `/gradio_api/call` and `/run`, `/gradio_api/queue/join`, and MCP.
    """

    async def preprocess_data(self, block_fn: BlockFunction, inputs: list, *rest, **named):
        """Preprocesses the inputs of an event as Gradio does, after a check of the files that they name.

        Raises:
            gr.Error: They name a file that is no upload, or an address.
        """
        check_files(inputs)
        pairs = zip(block_fn.inputs, inputs, strict=False)  # how many there are is for Gradio to check
        inputs = [_bare_file(value) if isinstance(block, gr.Image) else value for block, value in pairs]
        return await super().preprocess_data(block_fn, inputs, *rest, **named)

    async def process_api(self, block_fn: BlockFunction | int, *rest, **named):
        """Runs an event as Gradio does. Programs get an error as it is; for the page, which renders HTML, escaped."""
        try:
            return await super().process_api(block_fn, *rest, **named)
        except gr.Error as error:
            event = self.fns[block_fn] if isinstance(block_fn, int) else block_fn
            if event.api_visibility != "public":
                error.message = escape(error.message)
            raise


def _bare_file(value) -> dict | None:
    """Reduces a file to its path, without addresses, and marks it as a file, so that Gradio checks the path too."""
    if value is None:
        return None
    if not isinstance(value, dict) or "path" not in value:
        raise user_error(SEND_A_FILE)
    return {"path": value["path"], "meta": {"_type": "gradio.FileData"}}


class BlockRemoteFiles:
    """Middleware that closes the routes by which Gradio would ask other machines for something.

    Gradio's two routes for files fetch what they are given an address of. The route that cuts films hands whatever it
    is sent to ffmpeg, and a playlist names other files.

    Args:
        app: The application behind it.
    """

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers 403 to the closed routes and passes on every other request."""
        reason = _refusal(scope["path"]) if scope["type"] == "http" else None
        if reason:
            await PlainTextResponse(reason, 403)(scope, receive, send)
        else:
            await self.app(scope, receive, send)


def _refusal(path: str) -> str | None:
    """Gives the reason for which a route is closed, if it is."""
    if _FETCHING_ROUTES.search(path):
        return "This page does not fetch addresses."
    return "This page does not take films." if _FILM_ROUTE.search(path) else None
