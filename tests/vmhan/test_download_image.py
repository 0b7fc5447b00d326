"""Images at web addresses, against a server of our own."""

import time

import pytest
from image_server import image_file, serve_images

from vmhan import network
from vmhan.image_inputs import load_image_input
from vmhan.network import download_image


@pytest.fixture
def web():
    with serve_images() as server:
        yield server


@pytest.mark.parametrize("path", ["/image", "/moved"])
def test_the_file_at_an_address_is_fetched(web, path):
    assert download_image(web.address + path) == image_file()


@pytest.mark.parametrize(
    ("path", "why"),
    [("/missing", "it answers 404"), ("/round", "redirect"), ("/away", "file"), ("/endless", "larger than 20 MB")],
)
def test_an_address_without_an_image_is_named_with_the_reason(web, path, why):
    with pytest.raises(ValueError, match=f"{web.address}{path}' cannot be fetched: .*{why}.*give the file"):
        download_image(web.address + path)


def test_few_redirects_are_followed(web):
    with pytest.raises(ValueError, match="redirect"):
        download_image(f"{web.address}/round")
    assert len(web.asked) == 1 + network.MAX_REDIRECTS


def test_no_more_is_read_than_an_image_may_be_large(web, monkeypatch):
    monkeypatch.setattr(network, "MAX_FILE_SIZE", len(image_file()))
    assert download_image(f"{web.address}/image") == image_file()
    monkeypatch.setattr(network, "MAX_FILE_SIZE", len(image_file()) - 1)
    with pytest.raises(ValueError, match="larger"):
        download_image(f"{web.address}/image")


@pytest.mark.parametrize("path", ["/slow", "/slow-head"])
def test_a_server_that_sends_a_byte_now_and_then_is_left(web, monkeypatch, path):
    monkeypatch.setattr(network, "DOWNLOAD_TIMEOUT", 0.7)
    start = time.monotonic()
    with pytest.raises(ValueError, match=f"{path}' cannot be fetched: it takes longer than 0.7 seconds"):
        download_image(web.address + path)
    assert time.monotonic() - start < 5


def test_a_silent_server_is_left(web, monkeypatch):
    monkeypatch.setattr(network, "SILENCE_TIMEOUT", 0.3)
    with pytest.raises(ValueError, match=r"/silent' cannot be fetched: its server is silent for 0\.3 seconds"):
        download_image(f"{web.address}/silent")


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:9/a.png", "http://[half", "http://", "http://nowhere.invalid/a"]
)
def test_an_address_of_no_server_is_named(address):
    with pytest.raises(ValueError, match="cannot be fetched") as error:
        download_image(address)
    assert repr(address) in str(error.value)


def test_an_address_works_inside_an_event_loop(web):
    """As in a notebook."""
    import asyncio

    async def cell():
        return download_image(f"{web.address}/image")

    assert asyncio.run(cell()) == image_file()


@pytest.mark.parametrize("path", ["/image", "/moved"])
def test_an_address_is_an_image(web, path):
    assert load_image_input(f" {web.address.replace('http', 'HTTP')}{path}\n").size == (40, 20)


def test_an_address_of_something_else_than_an_image_is_named(web):
    with pytest.raises(ValueError, match=f"{web.address}/page' cannot be read.*give an intact JPEG"):
        load_image_input(f"{web.address}/page")
