"""Replies on disk: computed once, whatever happens in between."""

import json
import logging

import pytest
from PIL import Image

from vmhan.llm.cache import CachedChatModel, conversation_key
from vmhan.llm.chat_model import build_message
from vmhan.llm.prompts import PROMPT_VERSION


class Echo:
    """Answers with the prompt, and counts what it was asked; breaks at the prompt "break"."""

    sees_images, batch_size = True, 2

    def __init__(self, name="echo/model"):
        self.name = name
        self.asked = []

    def reply(self, conversations):
        prompts = [talk[-1]["content"][-1]["text"] for talk in conversations]
        if "break" in prompts:
            raise ConnectionError
        self.asked += prompts
        return [f"re: {prompt}" for prompt in prompts]


def talks(*prompts):
    return [[build_message("user", prompt)] for prompt in prompts]


def test_a_reply_is_computed_once(tmp_path):
    model = Echo()
    cached = CachedChatModel(model, tmp_path)
    assert cached.reply(talks("a", "b", "a")) == ["re: a", "re: b", "re: a"]
    assert cached.reply(talks("b", "c")) == ["re: b", "re: c"]
    assert model.asked == ["a", "b", "c"]


def test_another_run_finds_the_answers(tmp_path):
    CachedChatModel(Echo(), tmp_path).reply(talks("a", "b\nü 🎉 \ud800"))
    model = Echo()
    assert CachedChatModel(model, tmp_path).reply(talks("b\nü 🎉 \ud800", "a")) == ["re: b\nü 🎉 \ud800", "re: a"]
    assert model.asked == []


def test_new_weights_in_the_folder_of_a_model_reply_anew(tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    asked = []
    for weights in ("old", "newer", "newer"):
        if not (folder / "weights").is_file() or (folder / "weights").read_text() != weights:
            (folder / "weights").write_text(weights)
        model = Echo(str(folder))
        CachedChatModel(model, tmp_path / "answers").reply(talks("a"))
        asked.append(model.asked)
    assert asked == [["a"], ["a"], []]


def test_replies_before_a_failure_are_cached(tmp_path):
    with pytest.raises(ConnectionError):
        CachedChatModel(Echo(), tmp_path).reply(talks("a", "b", "c", "break", "d"))
    model = Echo()
    CachedChatModel(model, tmp_path).reply(talks("a", "b", "c"))
    assert model.asked == ["c"], "a batch is two"


@pytest.mark.parametrize("cut", [1, 9, 40])
def test_a_line_that_a_killed_run_left_half_written_is_computed_again(tmp_path, cut, caplog):
    cached = CachedChatModel(Echo(), tmp_path)
    cached.reply(talks("a", "b"))
    whole = cached.path.read_bytes()
    cached.path.write_bytes(whole[:-cut])
    with caplog.at_level(logging.WARNING):
        again = CachedChatModel(model := Echo(), tmp_path)
    again.reply(talks("a", "b", "c"))
    assert model.asked == (["c"] if cut == 1 else ["b", "c"])
    assert ("1 lines" in caplog.text) == (cut > 1)
    last = CachedChatModel(model := Echo(), tmp_path)
    assert last.reply(talks("a", "b", "c")) == ["re: a", "re: b", "re: c"] and model.asked == []


@pytest.mark.parametrize("junk", [b"[1]\n", b'{"key": 1}\n', b"\xff\xfe\n", b"{}\n", b"\n", b"null\n"])
def test_lines_that_are_no_answers_are_left_out(tmp_path, junk):
    cached = CachedChatModel(Echo(), tmp_path)
    cached.path.write_bytes(junk)
    again = CachedChatModel(Echo(), tmp_path)
    assert again.reply(talks("a")) == ["re: a"]
    assert CachedChatModel(Echo(), tmp_path).replies == again.replies


def test_models_do_not_share_answers(tmp_path):
    names = ["a/b", "a-b", "http://h/v1#a", "http://h/v1#b", "/x/" + "long" * 40, "/y/" + "long" * 40]
    models = [Echo(name) for name in names]
    for model in models:
        CachedChatModel(model, tmp_path).reply(talks("a"))
    assert all(model.asked == ["a"] for model in models)
    assert len(list(tmp_path.iterdir())) == len(names)
    assert all(f".v{PROMPT_VERSION}." in path.name for path in tmp_path.iterdir())


def test_two_runs_at_a_time_keep_each_other_s_answers(tmp_path):
    one, two = (CachedChatModel(Echo(), tmp_path) for _ in range(2))
    one.reply(talks("a"))
    two.reply(talks("b"))
    one.reply(talks("c"))
    assert len(CachedChatModel(Echo(), tmp_path).replies) == 3


def test_an_image_counts_by_its_pixels(tmp_path):
    red = Image.new("RGB", (9, 9), "red")
    red.save(tmp_path / "red.png")
    key = conversation_key([build_message("user", "Who?", red)])
    assert key == conversation_key([build_message("user", "Who?", Image.open(tmp_path / "red.png"))])
    others = [
        Image.new("RGB", (9, 9), "blue"),
        Image.new("RGB", (3, 27), "red"),
        Image.new("RGBA", (9, 9), "red"),
        None,
    ]
    keys = {conversation_key([build_message("user", "Who?", image)]) for image in others}
    assert len(keys) == 4 and key not in keys


def test_words_roles_and_turns_count():
    asked = [build_message("user", "a")]
    keys = [
        conversation_key(talk)
        for talk in (
            asked,
            [build_message("assistant", "a")],
            [build_message("user", "b")],
            asked * 2,
            [build_message("user", "ab")],
        )
    ]
    assert len(set(keys)) == 5


def test_a_line_holds_no_sentence(tmp_path):
    cached = CachedChatModel(Echo(), tmp_path)
    cached.reply(talks("secret"))
    assert set(json.loads(cached.path.read_text().splitlines()[0])) == {"key", "reply"}


def test_by_default_answers_lie_among_the_hub_client_s_assets(tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.utils._cache_assets.HF_ASSETS_CACHE", str(tmp_path))
    assert tmp_path in CachedChatModel(Echo()).path.parents
