"""The handler of an Inference Endpoint, loaded as an endpoint does: from the folder of the pushed files."""

import base64
import contextlib
import importlib.util
import io
import json
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from PIL import Image
from tiny import save_tiny_checkpoint
from transformers import pipeline

from hub.contents import model_contents, write_contents

REQUEST = {
    "text": "Ada met Bob in Paris",
    "entities": ["Ada", "Bob"],
    "objects": [{"label": "dog", "box": [1, 2, 30, 15]}],
}


def picture(kind: str = "PNG", size: tuple[int, int] = (40, 20), mode: str = "RGB") -> bytes:
    file = io.BytesIO()
    Image.new(mode, size, "green" if mode == "RGB" else 0).save(file, kind)
    return file.getvalue()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    saved = Path(save_tiny_checkpoint(tmp_path_factory.mktemp("tiny"), visual_features=["text", "box"]))
    write_contents(model_contents(saved), saved / "repository")
    return saved / "repository"


@pytest.fixture(scope="module")
def module(folder):
    """`handler.py` as it lies beside the weights."""
    spec = importlib.util.spec_from_file_location("handler", folder / "handler.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def handler(module, folder):
    return module.EndpointHandler(str(folder))


@pytest.fixture(scope="module")
def expected(folder):
    return pipeline("multimodal-relation-extraction", model=str(folder))(
        {**REQUEST, "image": Image.open(io.BytesIO(picture()))}
    )


@pytest.fixture
def web():
    """A server that knows /picture, /moved, which leads there, /round, which leads to itself, /away and /slow."""
    moved = {"/moved": "/picture", "/round": "/round", "/away": "file:///etc/hostname"}

    class Pictures(BaseHTTPRequestHandler):
        def log_message(self, *message):
            pass

        def do_GET(self):
            known = {"/picture": 200, "/slow": 200, **dict.fromkeys(moved, 302)}
            self.send_response(known.get(self.path, 404))
            self.send_header("Location", moved.get(self.path, ""))
            self.end_headers()
            self.wfile.write(picture() if self.path == "/picture" else b"")
            if self.path == "/slow":
                self.drip()

        def drip(self):
            with contextlib.suppress(OSError):  # until who asks hangs up
                for byte in picture():
                    self.wfile.write(bytes([byte]))
                    time.sleep(0.1)

    with HTTPServer(("127.0.0.1", 0), Pictures) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@pytest.mark.parametrize(
    "image",
    [
        picture(),
        base64.b64encode(picture("JPEG")).decode(),
        "data:image/png;base64," + base64.encodebytes(picture()).decode(),
        Image.new("RGB", (40, 20), "green"),
    ],
    ids=["bytes", "base64", "data URI", "PIL"],
)
def test_picture_in_the_body_gives_the_pipelines_answer(handler, expected, image):
    assert handler({"inputs": {**REQUEST, "image": image}}) == expected


@pytest.mark.parametrize("path", ["/picture", "/moved"])
def test_picture_on_the_web_is_fetched(handler, expected, web, monkeypatch, path):
    monkeypatch.setenv("VMHAN_PRIVATE_IMAGES", "1")
    assert handler({"inputs": {**REQUEST, "image": web + path}}) == expected


def test_several_inputs_give_several_answers(handler, expected):
    image = base64.b64encode(picture()).decode()
    assert handler({"inputs": [{**REQUEST, "image": image}] * 2}) == [expected, expected]
    assert handler({"inputs": []}) == []


def test_parameters_reach_the_pipeline(handler):
    asked = {"inputs": {**REQUEST, "objects": ["dog"]}, "parameters": {"pairs": [[1, 0]], "direction": "given"}}
    (pair,) = handler(asked)["pairs"]
    assert (pair["head"]["text"], pair["tail"]["text"]) == ("Bob", "Ada")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({}, '"inputs"'),
        ([], '"inputs"'),
        ({"inputs": "Ada met Bob"}, '"text" and "entities"'),
        ({"inputs": {"text": "", "entities": ["Ada", "Bob"]}}, "give the sentence"),
        ({"inputs": {"text": "Ada met Bob", "entities": ["Ada", "Eve"]}}, "'Eve' does not occur"),
        ({"inputs": [REQUEST | {"objects": []}, {"text": "Ada"}]}, "request 1"),
        ({"inputs": REQUEST, "parameters": {"top_k": 3}}, "there are pairs, direction"),
        ({"inputs": {**REQUEST, "objects": [{"label": "dog", "score": []}]}}, "no number from 0 to 1"),
        ({"inputs": {**REQUEST, "image": "no picture!"}}, "neither a web address nor base64"),
        ({"inputs": {**REQUEST, "image": "/etc/hostname"}}, "image"),
        ({"inputs": {**REQUEST, "image": b"no picture"}}, "cannot be read"),
        ({"inputs": {**REQUEST, "image": 3}}, "is a int"),
        ({"inputs": {**REQUEST, "image": "http://127.0.0.1/picture"}}, "not on the public internet"),
        ({"inputs": {**REQUEST, "image": "http://[::ffff:127.0.0.1]/picture"}}, "not on the public internet"),
        ({"inputs": {**REQUEST, "image": "http://nowhere.invalid/picture"}}, "is not known"),
        ({"inputs": {**REQUEST, "image": "http://[nowhere/picture"}}, '"image": http://[nowhere/picture is no web'),
        ({"inputs": {**REQUEST, "image": "http://nowhere:70000/picture"}}, '"image": http://nowhere:70000/picture is'),
    ],
)
def test_bad_input_is_answered_by_an_error_that_says_what_to_do(handler, body, said):
    answer = handler(body)
    assert set(answer) == {"error"} and said in answer["error"] and "Traceback" not in answer["error"]
    json.dumps(answer)


def test_a_failure_that_nobody_thought_of_is_answered_too(handler, monkeypatch):
    monkeypatch.setattr(handler, "extract", lambda requests: [][0])
    assert "cannot be answered (IndexError" in handler({"inputs": REQUEST})["error"]


def test_address_without_a_picture_is_named(handler, web, monkeypatch):
    monkeypatch.setenv("VMHAN_PRIVATE_IMAGES", "1")
    assert "answers 404" in handler({"inputs": {**REQUEST, "image": f"{web}/missing"}})["error"]


@pytest.mark.parametrize(
    ("path", "said"), [("/round", "is moved more than 3 times"), ("/away", "it has to begin with https://")]
)
def test_address_that_leads_astray_is_named(handler, web, monkeypatch, path, said):
    monkeypatch.setenv("VMHAN_PRIVATE_IMAGES", "1")
    assert said in handler({"inputs": {**REQUEST, "image": web + path}})["error"]


def test_server_that_is_slow_is_left(handler, module, web, monkeypatch):
    monkeypatch.setenv("VMHAN_PRIVATE_IMAGES", "1")
    monkeypatch.setattr(module, "LONGEST_DOWNLOAD", 0.5)
    assert "cannot be fetched within 0.5 seconds" in handler({"inputs": {**REQUEST, "image": f"{web}/slow"}})["error"]


def test_host_that_was_checked_is_not_looked_up_again(handler, expected, web, monkeypatch):
    """A name may lead to the public internet when it is checked, and to the endpoint's own network a moment later."""
    monkeypatch.setenv("VMHAN_PRIVATE_IMAGES", "1")
    look_up, asked = socket.getaddrinfo, []

    def answer(host, *more, **settings):
        asked.append(host)
        return look_up("127.0.0.1" if host == "pictures.example" else host, *more, **settings)

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    address = web.replace("127.0.0.1", "pictures.example")
    assert handler({"inputs": {**REQUEST, "image": f"{address}/picture"}}) == expected
    assert asked.count("pictures.example") == 1


@pytest.mark.parametrize("kind", ["address", "base64", "bytes"])
def test_too_large_a_file_is_refused(handler, module, web, monkeypatch, kind):
    monkeypatch.setenv("VMHAN_PRIVATE_IMAGES", "1")
    monkeypatch.setattr(module, "LARGEST_IMAGE", 10)
    image = {"address": f"{web}/picture", "base64": base64.b64encode(picture()).decode(), "bytes": picture()}[kind]
    assert "is larger than" in handler({"inputs": {**REQUEST, "image": image}})["error"]


@pytest.mark.parametrize("encode", [bytes, lambda file: base64.b64encode(file).decode()], ids=["bytes", "base64"])
def test_small_file_of_many_pixels_is_refused(handler, encode):
    file = picture(size=(7000, 7000), mode="1")
    assert len(file) < 50_000
    assert "49,000,000 pixels" in handler({"inputs": {**REQUEST, "image": encode(file)}})["error"]


def test_pixels_of_all_inputs_are_counted_together(handler, module, monkeypatch):
    monkeypatch.setattr(module, "MOST_PIXELS", 2 * 40 * 20 - 1)
    assert "send the inputs one by one" in handler({"inputs": [{**REQUEST, "image": picture()}] * 2})["error"]


def test_file_that_breaks_off_is_named(handler):
    assert '"image" cannot be read' in handler({"inputs": {**REQUEST, "image": picture("JPEG")[:-200]}})["error"]
