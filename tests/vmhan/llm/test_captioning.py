"""Words about an image."""

import pytest
from chat_fixture import ChatServer, save_tiny_llava
from PIL import Image
from tiny_detectors import save_tiny_blip

from vmhan.image_description import compose_description
from vmhan.llm.captioning import PROMPT, load_describer


@pytest.mark.parametrize(
    ("labels", "sentence"),
    [
        ([], None),
        (["person"], "A person."),
        (["umbrella"], "An umbrella."),
        (["person", "dog", "person"], "Two people and a dog."),
        (["sports ball", "bus", "bus", "sports ball", "tie"], "Two sports balls, two buses and a tie."),
        (["glasses", "sheep", "sheep", "sheep"], "Three sheep and glasses."),
        (["lady"] * 12, "12 ladies."),
        (["face", "person", "face", "tie"], "A person and a tie."),
        (["face", "face"], "Two faces."),
    ],
)
def test_objects_are_counted_in_a_sentence(labels, sentence):
    assert compose_description(labels) == sentence


@pytest.fixture(scope="module")
def blip(tmp_path_factory) -> str:
    return save_tiny_blip(tmp_path_factory.mktemp("blip"))


@pytest.fixture(scope="module")
def llava(tmp_path_factory) -> str:
    return save_tiny_llava(tmp_path_factory.mktemp("llava"))


@pytest.mark.parametrize("kind", ["blip", "llava"])
def test_a_model_says_the_same_of_the_same_image(kind, request):
    describer = load_describer(request.getfixturevalue(kind))
    image = Image.new("RGB", (20, 30), "red")
    first, second, blue = describer.describe([image, image, Image.new("RGB", (20, 30), "blue")])
    assert isinstance(first, str)
    assert first == second
    assert PROMPT.lower() not in first.lower()
    assert isinstance(blue, str)


def test_a_server_can_describe():
    with ChatServer(lambda body: " A cat. ") as server:
        assert load_describer(server.url).describe([Image.new("RGB", (20, 30))]) == ["A cat."]
        (body,) = server.requests
        assert [part["type"] for part in body["messages"][0]["content"]] == ["image_url", "text"]


def test_an_unavailable_describer_is_named():
    with pytest.raises(OSError, match="'nobody/nothing' is neither a local folder nor"):
        load_describer("nobody/nothing")
