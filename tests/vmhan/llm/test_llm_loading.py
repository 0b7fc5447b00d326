import pytest
from chat_fixture import ChatServer, save_tiny_llama

from vmhan.llm.chat_model import LocalChatModel
from vmhan.llm.loading import load_selector
from vmhan.llm.remote import RemoteChatModel
from vmhan.llm.selector import LLMSelector
from vmhan.node_selection import SelectionRequest, WordSelector

REQUEST = SelectionRequest("Ann sings and Bob dances", (0, 3), (14, 17), description="A man in a hat.")


def test_none_selects_nothing():
    assert load_selector("none") is None
    assert load_selector("none", "none") is None


def test_words_need_no_llm():
    selector = load_selector("words", num_text_phrases=1, num_visual_phrases=2, num_objects=4)
    assert isinstance(selector, WordSelector)
    [selection] = selector.select([REQUEST])
    assert (list(selection.text_phrases), selection.visual_phrases) == ([(4, 9)], ["man", "hat"])


def test_an_address_selects_all_three_and_replies_are_cached(tmp_path):
    with ChatServer(lambda body: '{"phrases": ["dances"]}') as server:
        for _ in range(2):
            selector = load_selector(f"{server.url}#llama3", cache=tmp_path)
            assert selector.select([REQUEST])[0][:2] == ([(18, 24)], ["dances"])
    assert len(server.requests) == 2
    assert selector.text_model is selector.visual_model and isinstance(selector.text_model.model, RemoteChatModel)


def test_one_of_the_models_may_be_words(tmp_path):
    with ChatServer(lambda body: '{"phrases": ["dances"]}') as server:
        [by_sight] = load_selector("words", server.url, cache=tmp_path).select([REQUEST])
        [by_reading] = load_selector(server.url, "words", cache=tmp_path).select([REQUEST])
    assert by_sight[:2] == ([(4, 9), (18, 24)], ["dances"]) and by_reading[:2] == ([(18, 24)], ["man", "hat"])


def test_a_folder_is_a_model_on_this_machine(tmp_path):
    folder = save_tiny_llama(tmp_path / "llama")
    selector = load_selector(folder, cache=tmp_path / "cache", max_new_tokens=8, batch_size=2)
    assert isinstance(selector, LLMSelector) and isinstance(selector.text_model.model, LocalChatModel)
    assert selector.select([REQUEST]) == WordSelector().select([REQUEST])
    assert len(list((tmp_path / "cache").iterdir())) == 1


def test_one_none_is_refused():
    with pytest.raises(ValueError, match="turns both off"):
        load_selector("words", "none")
    with pytest.raises(ValueError, match="turns both off"):
        load_selector("none", "words")


def test_a_negative_number_is_refused():
    with pytest.raises(ValueError, match="num_text_phrases is -2"):
        load_selector("words", num_text_phrases=-2)
