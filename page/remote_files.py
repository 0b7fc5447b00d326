"""This page asks no other machine for anything; Gradio would, for whoever names a web address in place of a file."""

import re

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

_FETCH = re.compile(r"/(file|proxy)[=/]\s*https?:", re.IGNORECASE)
_FILMS = re.compile(r"/process_recording/*$", re.IGNORECASE)


class BlockRemoteFiles:
    """Refuses requests to Gradio's routes for files, of which there are two, that name an address.

    The route that cuts films is closed: it gives whatever it is sent to ffmpeg, and a playlist names other files.
    """

    def __init__(self, app: ASGIApp):
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hands on all other requests."""
        if scope["type"] == "http" and (told := _refusal(scope["path"])):
            await PlainTextResponse(told, 403)(scope, receive, send)
        else:
            await self.app(scope, receive, send)


def _refusal(path: str) -> str | None:
    """Why a route is closed, if it is."""
    if _FETCH.search(path):
        return "This page does not fetch addresses."
    return "This page does not take films." if _FILMS.search(path) else None
