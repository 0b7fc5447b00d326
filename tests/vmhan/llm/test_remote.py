"""The client against a server on this machine: what it sends, and what it does when the server fails."""

import base64
import io
import threading
import time

import pytest
from chat_fixture import ChatServer, Refusal, prompt_of
from PIL import Image

from vmhan.llm.chat_model import build_message
from vmhan.llm.remote import RemoteChatModel, data_url


def talks(*prompts):
    return [[build_message("user", prompt)] for prompt in prompts]


def failing_first(*failures):
    """Answers "yes" after so many failures, each called in the server."""
    left = list(failures)

    def answer(body):
        if left:
            left.pop(0)()
        return "yes"

    return answer


def refuse(status, body='{"error": "no"}'):
    def fail():
        raise Refusal(status, body)

    return fail


def test_answers_come_in_the_order_of_the_conversations():
    def slow_first(body):
        prompt = prompt_of(body)
        time.sleep(0.2 if prompt == "0" else 0)
        return f"answer {prompt}"

    with ChatServer(slow_first) as server:
        replies = RemoteChatModel(server.url, batch_size=4).reply(talks(*map(str, range(10))))
    assert replies == [f"answer {number}" for number in range(10)]


def test_as_many_requests_as_the_batch_size_are_under_way_at_a_time():
    meeting = threading.Barrier(3, timeout=10)
    with ChatServer(lambda body: str(meeting.wait() >= 0)) as server:
        assert RemoteChatModel(server.url, batch_size=3).reply(talks("a", "b", "c")) == ["True"] * 3


def test_request_leaves_nothing_to_chance_and_names_the_model():
    with ChatServer(lambda body: "yes") as server:
        RemoteChatModel(f"{server.url}#llama3:8b", max_new_tokens=77, seed=5).reply(talks("Who?"))
    [body] = server.requests
    assert body.pop("stream", False) is False
    assert body == {
        "model": "llama3:8b",
        "messages": [{"role": "user", "content": "Who?"}],
        "max_tokens": 77,
        "temperature": 0.0,
        "seed": 5,
    }


def test_image_is_sent_in_a_data_url_before_the_text():
    with ChatServer(lambda body: "yes") as server:
        RemoteChatModel(server.url).reply([[build_message("user", "Who?", Image.new("RGB", (3000, 1500), "red"))]])
    picture, words = server.requests[0]["messages"][0]["content"]
    assert words == {"type": "text", "text": "Who?"} and picture["type"] == "image_url"
    kind, _, data = picture["image_url"]["url"].partition(",")
    sent = Image.open(io.BytesIO(base64.b64decode(data)))
    assert kind == "data:image/jpeg;base64" and sent.size == (1024, 512)
    assert all(abs(a - b) < 9 for a, b in zip(sent.getpixel((5, 5)), (255, 0, 0), strict=True))


def test_an_image_with_transparency_can_be_sent():
    assert data_url(Image.new("RGBA", (4, 4))).startswith("data:image/jpeg")


@pytest.mark.parametrize("status", [500, 503, 429])
def test_a_server_that_is_busy_or_breaks_has_a_second_try(status, caplog):
    with ChatServer(failing_first(refuse(status))) as server:
        assert RemoteChatModel(server.url).reply(talks("Who?")) == ["yes"]
    assert len(server.requests) == 2 and "trying once more" in caplog.text


def test_a_server_that_breaks_twice_is_named():
    with ChatServer(failing_first(refuse(500), refuse(500))) as server:
        with pytest.raises(ConnectionError, match=rf"{server.url} gave no answer: .*500"):
            RemoteChatModel(server.url).reply(talks("Who?"))
        assert len(server.requests) == 2


def test_a_refusal_has_no_second_try_and_names_what_to_check():
    for status, hint in ((400, "model's name"), (401, "VMHAN_CHAT_TOKEN"), (404, "model's name")):
        with ChatServer(failing_first(refuse(status))) as server:
            with pytest.raises(ConnectionError, match=rf"{status}.*{hint}"):
                RemoteChatModel(server.url).reply(talks("Who?"))
            assert len(server.requests) == 1


def test_a_refused_image_asks_whether_the_model_sees_any():
    with ChatServer(failing_first(refuse(400))) as server, pytest.raises(ConnectionError, match="sees images"):
        RemoteChatModel(server.url).reply([[build_message("user", "Who?", Image.new("RGB", (8, 8)))]])


def test_a_server_that_takes_too_long_has_a_second_try_and_is_then_named():
    with ChatServer(failing_first(lambda: time.sleep(1.5))) as server:
        assert RemoteChatModel(server.url, timeout=0.5).reply(talks("Who?")) == ["yes"]
    with ChatServer(lambda body: time.sleep(1.5) or "late") as server:
        with pytest.raises(ConnectionError, match=r"timed out.*check that the server runs"):
            RemoteChatModel(server.url, timeout=0.3).reply(talks("Who?"))
        assert len(server.requests) == 2


def test_an_address_where_nothing_listens_is_named(monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    with ChatServer(lambda body: "yes") as server:
        url = server.url
    with pytest.raises(ConnectionError, match=f"{url} gave no answer: ConnectError.*check that the server runs"):
        RemoteChatModel(url).reply(talks("Who?"))


@pytest.mark.parametrize("body", ["<html>hello</html>", "{}", '{"choices": []}', "[1]", '{"choices": [{}]}'])
def test_something_else_than_a_chat_completion_is_refused(body):
    server = ChatServer(failing_first(refuse(200, body)))
    with server, pytest.raises(ConnectionError, match="not with a chat completion"):
        RemoteChatModel(server.url).reply(talks("Who?"))


def test_a_message_without_content_is_an_empty_answer():
    with ChatServer(lambda body: None) as server:
        assert RemoteChatModel(server.url).reply(talks("Who?")) == [""]


def test_token_comes_from_the_environment_and_the_hub_s_goes_to_the_hub_alone(monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    with ChatServer(lambda body: "yes") as server:
        RemoteChatModel(server.url).reply(talks("Who?"))
        monkeypatch.setenv("VMHAN_CHAT_TOKEN", "mine")
        RemoteChatModel(server.url).reply(talks("Who?"))
    first, second = (headers["authorization"] for headers in server.headers)
    assert "hf_secret" not in first and second == "Bearer mine"
    for address in (
        "meta-llama/Llama-3.1-8B-Instruct",
        "https://router.huggingface.co/v1#x",
        "https://huggingface.co",
    ):
        assert RemoteChatModel(address).client.token == "hf_secret"
    for address in ("https://nothuggingface.co/v1", "https://huggingface.co.example.org/v1"):
        assert RemoteChatModel(address).client.token == "mine"
