"""This page asks no other machine for anything; Gradio would, for whoever names a web address in place of a file."""

import re

import gradio as gr
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from .refusals import refuse

_ADDRESS = re.compile(r"\s*https?:", re.IGNORECASE)
_FETCH = re.compile(r"/(file|proxy)[=/]\s*https?:", re.IGNORECASE)


class LocalBlocks(gr.Blocks):
    """Blocks whose events take no addresses. Gradio looks for files in what it gets for any component, be it text."""

    async def preprocess_data(self, block_fn, inputs: list, *rest, **named):
        """As Gradio does it, after a look at the inputs.

        Raises:
            gr.Error: A file in them is an address.
        """
        if _names_address(inputs):
            raise refuse("Please send the file itself; this page does not fetch addresses.")
        return await super().preprocess_data(block_fn, inputs, *rest, **named)


def _names_address(data) -> bool:
    if isinstance(data, dict):
        path = data.get("path")
        return (isinstance(path, str) and bool(_ADDRESS.match(path))) or _names_address(list(data.values()))
    return isinstance(data, list | tuple) and any(map(_names_address, data))


class NoFetching:
    """Refuses requests to Gradio's routes for files, of which there are two, that name an address."""

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hands on all other requests."""
        if scope["type"] == "http" and _FETCH.search(scope["path"]):
            await PlainTextResponse("This page does not fetch addresses.", 403)(scope, receive, send)
        else:
            await self.app(scope, receive, send)
