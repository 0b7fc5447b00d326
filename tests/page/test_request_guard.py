"""No visitor can make the page ask another machine for something."""

import urllib.error
import urllib.request

import pytest
from gradio_client import Client
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse

from page.extractor import Extractor
from page.layout import build_page
from page.request_guard import BlockRemoteFiles

ADDRESS = "http://example.com/a.png"
FILE = {"path": ADDRESS, "meta": {"_type": "gradio.FileData"}}
REQUEST = {"text": "Ada met Bob", "entities": ["Ada", "Bob"]}


@pytest.fixture(scope="module")
def page():
    """A page in this process, so that what it would fetch is seen here; its address and its endpoint."""
    demo = build_page(Extractor("unused", "none"))
    middleware = [Middleware(BlockRemoteFiles)]
    _, address, _ = demo.launch(prevent_thread_lock=True, quiet=True, app_kwargs={"middleware": middleware})
    yield address, Client(address, verbose=False)
    demo.close()


@pytest.fixture
def fetched(monkeypatch) -> list[str]:
    """Addresses that Gradio asked for, instead of asking for them."""
    asked = []

    async def download(url: str):
        asked.append(url)
        raise OSError("no network")

    async def stream(url: str, request):
        asked.append(url)
        return PlainTextResponse("no network")

    monkeypatch.setattr("gradio.processing_utils.async_ssrf_protected_get", download)
    monkeypatch.setattr("gradio.routes.secure_url_stream_response", stream)
    return asked


@pytest.mark.parametrize(
    "change",
    [
        {"text": FILE},
        {"image": FILE},
        {"image": {"path": ADDRESS}},
        {"entities": ["Ada", FILE]},
        {"description": FILE},
    ],
)
def test_address_in_place_of_a_file_is_not_fetched_whatever_it_is_sent_for(page, fetched, change):
    with pytest.raises(Exception, match="does not fetch addresses"):
        page[1].predict(**{**REQUEST, **change}, api_name="/extract")
    assert not fetched


@pytest.mark.parametrize("route", ["file=", "file/", "file=%20", "FILE/", "proxy="])
def test_file_routes_fetch_nothing(page, fetched, route):
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{page[0]}gradio_api/{route}{ADDRESS}", timeout=30)
    assert refused.value.code == 403 and not fetched
