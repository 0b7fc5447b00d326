"""What the server refuses before Gradio sees it."""

import re

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

_FETCH = re.compile(r"/(file|proxy)=\s*https?:", re.IGNORECASE)


class NoFetching:
    """Gradio's file route fetches web addresses for whoever asks; this page asks other machines for nothing."""

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hands on all other requests."""
        if scope["type"] == "http" and _FETCH.search(scope["path"]):
            await PlainTextResponse("This page does not fetch addresses.", 403)(scope, receive, send)
        else:
            await self.app(scope, receive, send)
