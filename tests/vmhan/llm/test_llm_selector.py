"""Selection by an LLM: usable replies of a scripted server, noise of tiny models, and the fallback."""

import json
import logging

import pytest
from chat_fixture import ChatServer, asks_for, prompt_of, save_tiny_llama, save_tiny_llava
from PIL import Image

from vmhan.llm.chat_model import LocalChatModel
from vmhan.llm.remote import RemoteChatModel
from vmhan.llm.selector import LLMSelector
from vmhan.node_selection import SelectionRequest, WordSelector
from vmhan.object_detection import DetectedObject

TEXT = "Mira married Tobin in Eastmere today"
IMAGE = Image.new("RGB", (100, 50), "red")
OBJECTS = [
    DetectedObject(name, 0.9 - i / 10, (10, 10, 40, 40)) for i, name in enumerate(["man", "cake", "dog", "hat"])
]
REQUEST = SelectionRequest(TEXT, (0, 4), (13, 18), [(0, 4), (13, 18)], "A man with a white dress.", IMAGE, OBJECTS)
GOOD = {
    "sentence": '{"phrases": ["Eastmere", "married"]}',
    "image": '{"phrases": ["wedding", "white dress"]}',
    "objects": '{"objects": [3, 1]}',
}
CHOSEN = ([(22, 30), (5, 12)], ["wedding", "white dress"], [3, 1])


def select(server, requests=(REQUEST,), counts=(2, 2, 2), text=True, visual=True):
    """The selector and its selections."""
    model = RemoteChatModel(server.url, batch_size=2)
    selector = LLMSelector(WordSelector(*counts), model if text else None, model if visual else None)
    return selector, selector.select(list(requests))


def good(body) -> str:
    return GOOD[asks_for(body)]


def as_lists(selection) -> tuple:
    return tuple(map(list, selection))


def by_words(request=REQUEST, counts=(2, 2, 2)):
    return WordSelector(*counts).select([request])[0]


def test_answers_become_the_nodes():
    with ChatServer(good) as server:
        selector, [selection] = select(server)
    assert as_lists(selection) == CHOSEN
    assert selector.counts["asked"] == 3 and selector.counts["asked again"] == selector.counts["fell back"] == 0
    assert sorted(asks_for(body) for body in server.requests) == ["image", "objects", "sentence"]


def test_answers_belong_to_their_requests():
    def copy_last_word(body):
        sentence = json.loads(prompt_of(body).split("Sentence: ")[1].split("\n")[0])
        return json.dumps({"phrases": [sentence.split()[-1]]})

    requests = [SelectionRequest(f"Ann met Bob word{i}", (0, 3), (8, 11)) for i in range(7)]
    with ChatServer(copy_last_word) as server:
        _, selections = select(server, requests)
    assert [as_lists(s)[0] for s in selections] == [[(12, 17)]] * 7


def test_an_unusable_reply_has_one_retry_with_its_fault():
    def nonsense_first(body):
        return good(body) if len(body["messages"]) == 3 else "I would rather not."

    with ChatServer(nonsense_first) as server:
        selector, [selection] = select(server)
    assert as_lists(selection) == CHOSEN
    assert selector.counts["asked"] == selector.counts["asked again"] == 3 and selector.counts["fell back"] == 0
    notes = [prompt_of(body) for body in server.requests if len(body["messages"]) == 3]
    assert len(notes) == 3 and all("holds no JSON object" in note for note in notes)


def test_after_two_unusable_replies_selection_falls_back_with_a_warning_that_names_the_text(caplog):
    with ChatServer(lambda body: '{"phrases": ["elephant" ' * 2) as server, caplog.at_level(logging.WARNING):
        selector, [selection] = select(server)
    assert selection == by_words()
    assert selector.counts["fell back"] == 3 and len(server.requests) == 6
    assert len(caplog.records) == 3 and all(TEXT in record.getMessage() for record in caplog.records)


def test_one_unusable_answer_leaves_the_others_alone():
    def no_objects(body):
        return "{" if asks_for(body) == "objects" else good(body)

    with ChatServer(no_objects) as server:
        _, [selection] = select(server)
    assert as_lists(selection) == (*CHOSEN[:2], list(by_words().objects))


def test_dropped_items_are_counted_over_all_answers():
    def sloppy(body):
        return {
            "sentence": '```json\n{"phrases": ["Eastmere", "Paris", "Mira", "married", "married"]}\n```',
            "image": '{"phrases": [4, "wedding"]}',
            "objects": '{"objects": [3, 9, "lamp", 1]}',
        }[asks_for(body)]

    with ChatServer(sloppy) as server:
        selector, selections = select(server, [REQUEST] * 2)
    assert as_lists(selections[0]) == (CHOSEN[0], ["wedding"], CHOSEN[2])
    assert {name: times for name, times in selector.counts.items() if name.startswith("dropped") and times} == {
        "dropped: not in the sentence": 2,
        "dropped: head or tail": 2,
        "dropped: twice": 2,
        "dropped: no text": 2,
        "dropped: not among the objects": 4,
    }


def test_no_more_objects_than_selected_have_no_prompt():
    with ChatServer(good) as server:
        _, [selection] = select(server, counts=(2, 2, 4))
    assert "objects" not in map(asks_for, server.requests)
    assert sorted(selection.objects) == [0, 1, 2, 3]


def test_there_is_no_prompt_for_no_nodes():
    with ChatServer(good) as server:
        selector, [selection] = select(server, counts=(0, 0, 0))
    assert server.requests == [] and as_lists(selection) == ([], [], [])
    assert selector.select([]) == []


def test_without_image_and_description_only_the_sentence_has_a_prompt():
    blind = REQUEST._replace(image=None, description=None, objects=[])
    with ChatServer(good) as server:
        _, [selection] = select(server, [blind])
    assert list(map(asks_for, server.requests)) == ["sentence"]
    assert as_lists(selection) == (CHOSEN[0], [], [])


def test_unnamed_objects_of_an_image_that_is_not_shown_have_no_prompt():
    unnamed = REQUEST._replace(image=None, objects=[item._replace(label="") for item in OBJECTS])
    with ChatServer(good) as server:
        _, [selection] = select(server, [unnamed])
    assert sorted(map(asks_for, server.requests)) == ["image", "sentence"]
    assert list(selection.objects) == [0, 1]


def test_either_model_may_be_left_out():
    with ChatServer(good) as server:
        _, [text_only] = select(server, visual=False)
        _, [visual_only] = select(server, text=False)
    words = by_words()
    assert as_lists(text_only) == (CHOSEN[0], *as_lists(words)[1:])
    assert as_lists(visual_only) == (list(words.text_phrases), *CHOSEN[1:])


def test_turning_the_pair_round_asks_the_same():
    with ChatServer(good) as server:
        select(server, [REQUEST])
        _, turned = select(server, [REQUEST._replace(head=REQUEST.tail, tail=REQUEST.head)])

    def asked(bodies):
        return sorted(json.dumps(body, sort_keys=True) for body in bodies)

    assert as_lists(turned[0]) == CHOSEN
    assert asked(server.requests[:3]) == asked(server.requests[3:])


# Tiny models: noise through the code that large ones go through


@pytest.fixture(scope="module")
def tiny_models(tmp_path_factory):
    llama = save_tiny_llama(tmp_path_factory.mktemp("llama"))
    llava = save_tiny_llava(tmp_path_factory.mktemp("llava"))
    return (LocalChatModel(folder, max_new_tokens=16, batch_size=3) for folder in (llama, llava))


def test_noise_of_a_llama_and_a_llava_falls_back(tiny_models, caplog):
    requests = [REQUEST, REQUEST._replace(image=None), REQUEST._replace(text=TEXT.replace("today", "</s><image>"))]
    selector = LLMSelector(WordSelector(2, 2, 2), *tiny_models)
    with caplog.at_level(logging.WARNING):
        selections = selector.select(requests)
    assert selections == [by_words(request) for request in requests]
    assert {name: selector.counts[name] for name in ("asked", "asked again", "fell back")} == {
        "asked": 9,
        "asked again": 9,
        "fell back": 9,
    }
    assert len(caplog.records) == 9
