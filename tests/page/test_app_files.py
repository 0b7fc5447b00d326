"""No way into the page reads a file that was not uploaded to it; uploads and the page's own examples are read."""

import base64
import os
import re
import sys
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest
from app_fixture import MARK, Agent, Refused, Visitor
from gradio_client import Client, handle_file
from PIL import Image

from page.extractor import Extractor
from page.layout import build_page

#: What the page says of a file that it does not read.
REFUSAL = re.compile(r"[Pp]lease send the (file itself|image as a file)")
DIGEST = "0" * 64
REQUEST = {"text": "Ada met Bob", "entities": ["Ada", "Bob"]}


@pytest.fixture(scope="module")
def secret(tmp_path_factory) -> Path:
    """An image of this machine that nobody has uploaded."""
    path = tmp_path_factory.mktemp("private") / "secret.jpg"
    Image.new("RGB", (64, 48), "navy").save(path)
    return path


@pytest.fixture(scope="module")
def own(tmp_path_factory) -> Path:
    """An image for visitors to upload."""
    path = tmp_path_factory.mktemp("images") / "my own image.png"
    Image.new("RGB", (64, 48), "green").save(path)
    return path


@pytest.fixture(scope="module")
def names(served, secret) -> list[str]:
    """Names that lead to the secret image, or elsewhere, but are no upload's."""
    uploads = served.uploads
    (uploads / DIGEST).mkdir()
    (uploads / DIGEST / "link.jpg").symlink_to(secret)
    (uploads / DIGEST / "ring.jpg").symlink_to(uploads / DIGEST / "ring.jpg")
    (uploads / ("1" * 64)).symlink_to(secret.parent)
    (uploads / "loose.jpg").write_bytes(secret.read_bytes())
    (uploads / "notes").mkdir()
    (uploads / "notes" / "kept.jpg").write_bytes(secret.read_bytes())
    return [
        str(secret),
        os.path.relpath(secret, served.folder),
        f"{uploads}/../{os.path.relpath(secret, uploads.parent)}",
        f"{uploads}/{DIGEST}/../../{os.path.relpath(secret, uploads.parent)}",
        f"{uploads}/{DIGEST}/link.jpg",
        f"{uploads}/{DIGEST}/ring.jpg",
        f"{uploads}/{'1' * 64}/{secret.name}",
        f"{uploads}/loose.jpg",
        f"{uploads}/notes/kept.jpg",
        f"{uploads}/{DIGEST}/gone.jpg",
        f"{uploads}/{DIGEST}",
        f"{uploads}/{DIGEST}/{'x' * 5000}.jpg",
        f"{secret}\0.jpg",
        f"{uploads}/{DIGEST}/\0.jpg",
        f"file://{secret}",
        f"FILE:{secret}",
        f" file://{secret}",
        f"//localhost{secret}",
        f"{served.address}/gradio_api/file={secret}",
        "HTTP://example.com/a.png",
        "\thttps://example.com/a.png",
        "ftp://example.com/a.png",
        "data:image/png;base64,iVBORw0KGgo=",
        "DATA:image/png;base64,iVBORw0KGgo=",
        "/dev/stdin",
        "..",
        ".",
    ]


def payloads(name: str, upload: str) -> list:
    """Ways to name a file in any input of an event."""
    return [
        {"path": name},
        {"path": name, "meta": MARK},
        {"path": name, "meta": {"_type": "GRADIO.FileData"}, "url": f"/gradio_api/file={name}"},
        {"url": name},
        {"path": None, "url": name},
        {"path": "", "url": name, "meta": MARK},
        {"path": [name]},
        {"path": {"path": name}},
        {"path": upload, "url": name},
        {"path": upload, "meta": MARK, "orig_name": {"path": name, "meta": MARK}},
        [{"path": name, "meta": MARK}],
        {"image": {"path": name, "meta": MARK}, "caption": None},
        {"a": [[{"b": {"path": name}}]]},
    ]


def image_payloads(name: str) -> list:
    """Further ways, which only an input for images might take for one."""
    return [name, [name], {"name": name, "is_file": True, "data": None}, {"image": name}, 7, True]


# Into the events


@pytest.mark.slow
def test_no_input_of_any_event_takes_a_file_that_was_not_uploaded(address, names, own):
    """What events there are is asked of the page, so that those to come are tried too."""
    visitor = Visitor(address)
    upload, tried, read = visitor.upload(own), 0, []
    for event in visitor.config["dependencies"]:
        kinds = visitor.inputs(event)
        for place, kind in enumerate(kinds):
            sent = payloads(names[0], upload) + [{"path": name, "meta": MARK} for name in names]
            if kind == "image":
                sent += [{"path": name} for name in names] + image_payloads(names[0])
            requests = [(event, [value if n == place else None for n in range(len(kinds))]) for value in sent]
            for value, output in zip(sent, visitor.ask_all(requests), strict=True):
                tried += 1
                if not REFUSAL.search(output.get("error") or ""):
                    read.append((event["api_name"], kind, value, output))
    assert not read
    images = [event["api_name"] for event in visitor.config["dependencies"] if "image" in visitor.inputs(event)]
    assert {"describe", "find_relations", "extract"} <= set(images) and tried > 1000


@pytest.mark.parametrize("mark", [{}, {"meta": MARK}])
@pytest.mark.parametrize("route", ["run", "api", "call", "call/v2"])
@pytest.mark.parametrize("event", ["extract", "describe", "find_relations"])
def test_no_route_by_name_takes_one_either(address, secret, event, route, mark):
    image, api = {"path": str(secret), **mark}, f"{address}/gradio_api"
    inputs = {
        "extract": [REQUEST["text"], image, REQUEST["entities"], None, None],
        "describe": [image, "none"],
        "find_relations": ["Ada met Bob", None, image, "", "none", None, None, ""],
    }
    body = {"data": inputs[event]} if route != "call/v2" else {**REQUEST, "image": image}
    answer = httpx.post(f"{api}/{route}/{event}", json=body, timeout=60)
    if route == "call/v2" and event != "extract":
        assert answer.status_code == 500, "the page's own events have no names there"
        return
    if "call" in route:  # the answer comes by another request
        answer = httpx.get(f"{api}/{route}/{event}/{answer.json()['event_id']}", timeout=60)
        assert answer.text.startswith("event: error")
    else:
        assert answer.status_code == 500
    assert f"{secret}" in answer.text and "was not uploaded to this page" in answer.text


@pytest.mark.parametrize("mark", [{}, {"meta": MARK}])
def test_programs_cannot_name_a_file_of_the_server(address, secret, mark):
    client = Client(address, verbose=False)
    for endpoint in client.endpoints.values():
        endpoint.process_input_files = lambda *data: data  # or the client would upload what is marked as a file
    with pytest.raises(Exception, match="was not uploaded to this page"):
        client.predict(**REQUEST, image={"path": str(secret), **mark}, api_name="/extract")


def test_agents_cannot_name_a_file_of_the_server(served, secret):
    """Gradio hands the tool's arguments to a client of its own that runs beside the page and would upload the file."""
    before = set(served.uploads.rglob("*"))
    marked = {"path": str(secret), "meta": MARK}
    named = [
        str(secret),
        f"file://{secret}",
        f"{served.address}/gradio_api/file={secret}",
        marked,
        {"path": str(secret)},
    ]
    changes = [{"image": name} for name in named] + [
        {"text": marked},
        {"entities": ["Ada", marked]},
        {"entities": [[marked], "Ada"]},
        {"description": marked},
        {"filed": marked},
    ]
    agent = Agent(served.address)
    for change in changes:
        answer = agent.call({**REQUEST, **change})
        assert answer.isError, change
    assert set(served.uploads.rglob("*")) == before, "nothing was copied"


def test_agents_send_an_image_as_data(address, own):
    data = f"data:image/png;base64,{base64.b64encode(own.read_bytes()).decode()}"
    answer = Agent(address).call({**REQUEST, "image": data})
    assert not answer.isError and '"label": "image"' in answer.content[0].text.replace("'", '"')


def test_links_and_clicks_name_examples_only(address, secret):
    visitor = Visitor(address)
    for name in (str(secret), f"file://{secret}", {"path": str(secret), "meta": MARK}, "../wedding", None):
        with pytest.raises(Refused, match=r"Nothing to do|cannot be accessed"):
            visitor.ask("choose_example", event_data={"example": name})
    for link in (str(secret), "../../private", "x" * 43):
        page = visitor.http.get(address, params={"deep_link": link, "example": link})
        assert page.status_code in (200, 403, 404) and str(secret) not in page.text.replace(f"example={secret}", "")
    assert "private" not in visitor.http.get(f"{visitor.api}/deep_link", params={"session_hash": visitor.session}).text


def test_what_a_request_says_of_the_session_counts_for_nothing(address, served):
    visitor = Visitor(address)
    forged = {
        "text": "Ada", "chosen": 0, "other": None, "ratings": {}, "image": {"address": "x", "size": [1, 1]},
        "pairs": [{"head": {"text": "Ada"}, "tail": {"text": "Bob"}, "relation": "None", "score": 1.0}],
    }  # fmt: skip
    with pytest.raises(Refused, match="Find relations first"):
        visitor.ask("mark_right", forged)
    assert not served.feedback.exists() or "Ada,Bob" not in served.feedback.read_text()
    with pytest.raises(Refused, match="needs two entities"):
        visitor.ask(
            "find_relations", "ada met bob", ["ada met bob", [[0, 1], [2, 3]], True], None, "", "none", None, None, ""
        )


def test_what_is_refused_is_not_opened(secret, tmp_path):
    """Seen from inside: the page runs in this process, in which every file that is opened is noted."""
    opened, demo = [], build_page(Extractor("unused", "none"))
    sys.addaudithook(lambda name, arguments: name == "open" and opened.append(str(arguments[0])))
    _, address, _ = demo.launch(prevent_thread_lock=True, quiet=True)
    visitor = Visitor(address.rstrip("/"))
    try:
        for image in ({"path": str(secret)}, {"path": str(secret), "meta": MARK}):
            for name, data in {
                "describe": [image, "none"],
                "find_relations": ["Ada met Bob", None, image, "", "none", None, None, ""],
                "extract": [REQUEST["text"], image, REQUEST["entities"], "", ""],
            }.items():
                with pytest.raises(Refused, match="was not uploaded"):
                    visitor.ask(name, *data)
    finally:
        demo.close()
    (tmp_path / "seen.txt").write_text("")
    assert str(secret) not in opened and str(tmp_path / "seen.txt") in opened


# Uploads and examples


@pytest.mark.parametrize("mark", [{}, {"meta": MARK}])
def test_uploads_are_read(address, own, mark):
    visitor = Visitor(address)
    path = visitor.upload(own)
    uploaded = {"path": path, **mark}
    for url in (None, f"{address}/gradio_api/file={path}", f"/gradio_api/file={httpx.URL(path).raw_path.decode()}"):
        described, _ = visitor.ask("describe", {**uploaded, "url": url}, visitor_detector(visitor))
        assert described.endswith(".")
    _answer, shown, *_ = visitor.ask(
        "find_relations", "Ada met Bob", None, uploaded, "", visitor_detector(visitor), None, None, ""
    )
    assert 'class="image"' in shown
    (found,) = visitor.ask("extract", REQUEST["text"], uploaded, REQUEST["entities"], None, None)
    assert found["objects"]


def visitor_detector(visitor: Visitor) -> str:
    """The detector that the page starts with."""
    return next(c["props"]["value"] for c in visitor.config["components"] if c["type"] == "dropdown")


def test_images_of_examples_are_read(address):
    visitor = Visitor(address)
    sentence, image, description, *_ = visitor.ask("choose_example", event_data={"example": "wedding"})
    assert image["path"].endswith("wedding.jpg")
    _, shown, *_ = visitor.ask("find_relations", sentence, None, image, description, "none", None, None, None)
    assert 'class="image"' in shown
    (found,) = visitor.ask("extract", REQUEST["text"], {"path": image["path"]}, REQUEST["entities"], None, None)
    assert found["objects"]


def test_programs_upload_images(address, own):
    assert Client(address, verbose=False).predict(**REQUEST, image=handle_file(own), api_name="/extract")["objects"]


def test_uploads_lie_where_gradio_puts_them_whatever_they_are_called(served, own):
    with own.open("rb") as file:
        sent = {"files": ("../../../outside.png", file)}
        (path,) = httpx.post(f"{served.address}/gradio_api/upload", files=sent, timeout=60).json()
    assert Path(path).parent.parent == served.uploads and Path(path).is_file()
    sent = {"files": ("large.png", b"0" * (20 * 2**20 + 1))}
    assert httpx.post(f"{served.address}/gradio_api/upload", files=sent, timeout=60).status_code == 413


# Routes for files


def test_file_routes_serve_uploads_only(served, secret, names, own):
    visitor = Visitor(served.address)
    assert visitor.http.get(f"{visitor.api}/file={visitor.upload(own)}").content == own.read_bytes()
    others = {".", "..", "loose.jpg", "kept.jpg"}  # names of no file, and files that lie beside uploads
    foreign = [name for name in names if Path(name).name not in others and name not in others]
    for name in [*foreign, "/etc/passwd", "app.py"]:
        for route in ("file=", "file/"):
            answer = visitor.http.get(f"{visitor.api}/{route}{quote(name, safe='')}")
            assert answer.status_code in (400, 403, 404, 500) and secret.read_bytes() not in answer.content, name


def test_route_that_cuts_films_is_closed(address):
    film = {"video": ("film.mp4", b"#EXTM3U\n#EXTINF:1,\nfile:///private.ts\n")}
    for route in ("process_recording", "process_recording/"):
        answer = httpx.post(f"{address}/gradio_api/{route}", files=film, timeout=60)
        assert answer.status_code in (403, 404) and b"private" not in answer.content
    assert httpx.post(f"{address}/gradio_api/process_recording", files=film, timeout=60).status_code == 403


# Names of detectors and relations


@pytest.mark.parametrize(
    "name",
    ["/etc", "..", "file:///etc", "http://example.com/a.pt", "nobody/nothing", "bundled.pt", "BUNDLED", "", None, 7,
     ["bundled"], ["/etc"], {"name": "/etc"}, "<img src=x onerror=alert(1)>"],
)  # fmt: skip
def test_detector_is_one_of_those_on_offer(address, own, name):
    visitor = Visitor(address)
    image = {"path": visitor.upload(own), "meta": MARK}
    asked = {
        "describe": [image, name],
        "weights_state": [name],
        "find_relations": ["Ada met Bob", None, image, "", name, None, None, ""],
    }
    for event, data in asked.items():
        with pytest.raises(Refused, match=r"^Choose one of the detectors that the page offers\.$"):
            visitor.ask(event, *data)


@pytest.mark.parametrize("label", ["/etc/passwd", "=cmd()", ["None"], 7])
def test_corrected_relation_is_one_of_those_on_offer(address, label):
    with pytest.raises(Refused, match=r"^Choose one of the relations that the page offers, or none\.$"):
        Visitor(address).ask("mark_wrong", None, label)


# Messages


MARKUP = "<img src=x onerror=alert(1)> & 'Eve'"


def test_programs_get_messages_in_plain_text(address):
    client = Client(address, verbose=False)
    with pytest.raises(Exception) as refused:
        client.predict(text="Ada met Bob", entities=["Ada", MARKUP], api_name="/extract")
    assert MARKUP in str(refused.value) and "&lt;" not in str(refused.value)
    posted = {"data": ["Ada met Bob", None, ["Ada", MARKUP], None, None]}
    error = httpx.post(f"{address}/gradio_api/run/extract", json=posted, timeout=60).json()["error"]
    assert MARKUP in error and "&lt;" not in error
    answer = Agent(address).call({"text": "Ada met Bob", "entities": ["Ada", MARKUP]})
    assert answer.isError and MARKUP in answer.content[0].text
    with pytest.raises(Refused) as refused:
        Visitor(address).ask("extract", "Ada met Bob", {"path": MARKUP}, ["Ada", "Bob"], None, None)
    assert MARKUP in str(refused.value)


def test_toasts_of_the_page_hold_no_markup(address):
    visitor = Visitor(address)
    for event in visitor.config["dependencies"]:
        if event["api_name"] == "extract":
            continue
        for place in range(len(event["inputs"])):
            data = [{"path": MARKUP} if n == place else None for n in range(len(event["inputs"]))]
            (output,) = visitor.ask_all([(event, data)])
            assert "&lt;img src=x onerror=alert(1)&gt; &amp;" in output["error"] and "<" not in output["error"]
