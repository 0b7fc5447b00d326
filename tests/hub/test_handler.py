"""The handler of an Inference Endpoint, loaded as an endpoint does: from the folder of the pushed files."""

import ast
import base64
import importlib.util
import io
import json
from itertools import islice, permutations
from pathlib import Path

import pytest
from image_server import image_file as picture
from image_server import serve_images
from PIL import Image
from tiny import save_tiny_checkpoint
from transformers import pipeline

from hub.contents import model_contents, write_contents

REQUEST = {
    "text": "Ada met Bob in Paris",
    "entities": ["Ada", "Bob"],
    "objects": [{"label": "dog", "box": [1, 2, 30, 15]}],
}


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


def test_a_call_of_more_requests_than_one_may_hold_is_refused_unread(handler):
    request = {"text": "Ada met Bob", "entities": ["Ada", "Bob"]}
    assert len(handler({"inputs": [request] * 32})) == 32
    assert "33 requests, up to 32" in handler({"inputs": [request] * 33})["error"]


def named(count: int) -> list[list[int]]:
    return list(map(list, islice(permutations(range(16), 2), count)))


WORDS = [f"n{number}" for number in range(10, 26)]
OF_16 = {"text": " ".join(WORDS), "entities": WORDS}  # 120 pairs, if it names none
BOXES = [{"box": [0, 0, 9, 9]}] * 15


@pytest.mark.parametrize(
    ("body", "count"),
    [
        ({"inputs": [OF_16] * 5}, 600),
        ({"inputs": [OF_16] * 4 + [{**OF_16, "pairs": [[0, 1]]}]}, 481),
        ({"inputs": [OF_16] * 4 + [{**OF_16, "pairs": None, "entities": WORDS[:2]}]}, 481),
        ({"inputs": [OF_16] * 3, "parameters": {"pairs": named(161)}}, 483),
        ({"inputs": [{**OF_16, "pairs": named(161)}] * 3, "parameters": {"pairs": [[0, 1]]}}, 483),
        ({"inputs": [{**OF_16, "entities": [*WORDS[:1], *BOXES]}] * 32 + [OF_16]}, None),
        ({"inputs": [{**OF_16, "entities": [*WORDS[:2], *BOXES[:14]]}] * 17}, 17 * 29),
        ({"inputs": [{"text": "Ada met Bob"}] * 4 + [{"text": "Ada", "entities": None, "pairs": [[0, 1]]}]}, 481),
    ],
)
def test_pairs_of_all_requests_of_a_call_are_counted_before_any_is_read(handler, body, count, monkeypatch):
    monkeypatch.setattr(handler, "load_images", lambda images: pytest.fail("An image was read."))
    monkeypatch.setattr(handler, "extract", lambda *args, **options: pytest.fail("The model was asked."))
    said = handler(body)["error"]
    assert (f"{count} pairs together, up to 480" if count else "33 requests, up to 32") in said


def test_a_call_of_as_many_pairs_as_it_may_hold_is_answered(handler, monkeypatch):
    monkeypatch.setattr(handler, "extract", lambda requests, **options: [len(requests)] * len(requests))
    tokens = [{"entity": "B-PER", "index": 1, "word": "n"}]
    tokens += [{"entity": "I-PER", "index": place, "word": f"##{place}"} for place in range(2, 17)]
    for body in (
        {"inputs": [OF_16] * 4},
        {"inputs": [OF_16] * 32, "parameters": {"pairs": named(15)}},
        {"inputs": [{**OF_16, "entities": ["Ada", *tokens]}] * 32},  # two entities, once the tokens are merged
    ):
        assert handler(body) == [len(body["inputs"])] * len(body["inputs"])


def test_the_pipeline_answers_as_many_requests_as_a_python_caller_passes(handler):
    requests = [{"text": "Ada met Bob", "entities": ["Ada", "Bob"]}] * 33
    assert len(handler.extract(requests, batch_size=33)) == 33


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
        ({"inputs": REQUEST, "parameters": {"top_k": 3}}, "there are pairs, direction, annotation_style"),
        ({"inputs": REQUEST, "parameters": {"annotation_style": "mnre"}}, "does not know: it has none"),
        ({"inputs": {**REQUEST, "objects": [], "annotation_style": "mnre"}}, "does not know: it has none"),
        ({"inputs": {**REQUEST, "objects": [{"label": "dog", "score": []}]}}, "no number from 0 to 1"),
        ({"inputs": {**REQUEST, "image": "no picture!"}}, "neither base64 nor a data URI"),
        ({"inputs": {**REQUEST, "image": "photo.jpg"}}, "neither base64 nor a data URI"),
        ({"inputs": {**REQUEST, "image": "/etc/hostname"}}, "image"),
        ({"inputs": {**REQUEST, "image": "L2V0Yy9ob3N0bmFtZQ=="}}, "given as base64 cannot be read"),
        ({"inputs": {**REQUEST, "image": b"no picture"}}, "cannot be read"),
        ({"inputs": {**REQUEST, "image": ""}}, "neither base64 nor a data URI"),
        ({"inputs": {**REQUEST, "image": 3}}, "is a int; send base64, a data URI or bytes"),
        ({"inputs": {**REQUEST, "image": {"path": "/etc/hostname"}}}, "is a dict; send base64"),
        ({"inputs": {**REQUEST, "image": [[0, 1]]}}, "is a list; send base64"),
        ({"inputs": [REQUEST, {**REQUEST, "image": "photo.jpg"}]}, "image of request 1, counted from 0"),
    ],
)
def test_bad_input_is_answered_by_an_error_that_says_what_to_do(handler, body, said):
    answer = handler(body)
    assert set(answer) == {"error"} and said in answer["error"] and "Traceback" not in answer["error"]
    json.dumps(answer)


def test_a_failure_that_nobody_thought_of_is_answered_too(handler, monkeypatch):
    monkeypatch.setattr(handler, "extract", lambda requests: [][0])
    assert "cannot be answered (IndexError" in handler({"inputs": REQUEST})["error"]


@pytest.mark.parametrize(
    "address",
    ["http://{host}/image", "HTTPS://{host}/image", " Http://{host}/image", "ftp://{host}/a", "file:///etc/hostname",
     "FILE:/etc/hostname", "http:{host}", "s3://a/b", "http://[64:ff9b::7f00:1]/image"],
)  # fmt: skip
def test_an_address_is_refused_and_nobody_is_asked(handler, address):
    with serve_images() as server:
        image = address.format(host=server.address.removeprefix("http://"))
        said = handler({"inputs": {**REQUEST, "image": image}})["error"]
    assert image in said and "nothing is fetched or opened here" in said and "as base64, a data URI or bytes" in said
    assert server.asked == []


def test_the_handler_brings_no_client_along(folder):
    tree = ast.parse((folder / "handler.py").read_text(encoding="utf-8"))
    imported = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}
    imported |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert imported == {"logging", "os", "transformers", "transformers.dynamic_module_utils"}


@pytest.mark.parametrize("name", ["picture.png", "abcd"])
def test_a_picture_on_the_endpoints_disk_cannot_be_named(handler, tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_bytes(picture())
    for image in (name, f"./{name}", str(tmp_path / name), {"path": name}, {"bytes": None, "path": name}):
        assert set(handler({"inputs": {**REQUEST, "image": image}})) == {"error"}


@pytest.mark.parametrize("encode", [bytes, lambda file: base64.b64encode(file).decode()], ids=["bytes", "base64"])
def test_too_large_a_file_is_refused(handler, encode):
    image = encode(picture() + bytes(20_000_000))
    assert "is larger than 20 MB" in handler({"inputs": {**REQUEST, "image": image}})["error"]


@pytest.mark.parametrize("encode", [bytes, lambda file: base64.b64encode(file).decode()], ids=["bytes", "base64"])
def test_small_file_of_many_pixels_is_refused(handler, encode):
    file = picture(size=(7100, 7100), mode="1")
    assert len(file) < 50_000
    said = handler({"inputs": {**REQUEST, "image": encode(file)}})["error"]
    assert "has 7,100 x 7,100 pixels; up to 50 million can be read" in said


def test_pixels_of_all_inputs_are_counted_together(handler):
    file = picture(size=(5000, 5001), mode="1")
    said = handler({"inputs": [{**REQUEST, "image": file}] * 2})["error"]
    assert "image of request 1" in said and "send them one by one" in said


def test_file_that_breaks_off_is_named(handler):
    said = handler({"inputs": {**REQUEST, "image": picture("JPEG")[:-200]}})["error"]
    assert "given as bytes cannot be read" in said


def test_greys_of_16_bits_are_no_white_picture(handler, expected):
    file = io.BytesIO()
    Image.new("I;16", (40, 20), 257 * 100).save(file, "PNG")
    (image,) = handler.load_images([file.getvalue()])
    assert image.getpixel((0, 0)) == (100, 100, 100)
