"""Selection without an LLM: phrases and objects, and what they do not depend on."""

import pytest
import torch

from vmhan.node_selection import SelectionRequest, WordSelector, rank_objects, text_phrases, visual_phrases
from vmhan.object_detection import DetectedObject

TEXT = "RT @ana : Mira Oland married Tobin Vask in Port Alden https://t.co/x"
MENTIONS = [(10, 20), (29, 39), (43, 53)]


def request(text=TEXT, head=MENTIONS[0], tail=MENTIONS[1], mentions=MENTIONS, **known) -> SelectionRequest:
    return SelectionRequest(text, head, tail, mentions, **known)


def phrases_of(asked, count=9) -> list[str]:
    return [asked.text[start:end] for start, end in text_phrases(asked, count)]


def found(*labels, scores=None) -> list[DetectedObject]:
    return [DetectedObject(label, score, None) for label, score in zip(labels, scores or [1.0] * 99, strict=False)]


# Text phrases


def test_other_mentions_come_before_content_words():
    assert phrases_of(request()) == ["Port Alden", "married"]


def test_addresses_function_words_and_retweets_are_no_phrases():
    text = "RT @bob : 26 of 1978 I don't know www.x.org Ann and Bob via HTTPS://t.co/1Ab @ Rome"
    start = text.index("Ann")
    asked = SelectionRequest(text, (start, start + 3), (start + 8, start + 11))
    assert phrases_of(asked) == ["know", "Rome"]


def test_words_nearest_to_the_pair_come_first():
    asked = SelectionRequest("apple berry cherry Ann plum Bob quince grapes", (19, 22), (28, 31))
    assert phrases_of(asked) == ["cherry", "plum", "quince", "berry", "grapes", "apple"]
    assert phrases_of(asked, 2) == ["cherry", "plum"]


def test_no_phrase_overlaps_head_tail_or_another_phrase():
    text = "New York City Hall of New York City hosts Ann"
    mentions = [(0, 8), (0, 13), (0, 18), (22, 35), (42, 45)]
    for head in mentions:
        for tail in mentions:
            spans = [head, tail, *text_phrases(SelectionRequest(text, head, tail, mentions), 9)]
            chosen = spans[2:]
            assert all(a[1] <= b[0] or b[1] <= a[0] for i, a in enumerate(spans) for b in chosen if b != a), spans
            assert len(set(chosen)) == len(chosen)


def test_a_word_that_occurs_twice_is_one_phrase():
    assert phrases_of(SelectionRequest("Ann sings Bob sings SINGS", (0, 3), (10, 13))) == ["sings"]


@pytest.mark.parametrize("text", ["Ann Bob", "Ann 🎉 Bob ...", "Ann & Bob"])
def test_a_sentence_without_content_gives_no_phrases(text):
    start = text.index("Bob")
    assert phrases_of(SelectionRequest(text, (0, 3), (start, start + 3))) == []


# Visual phrases


def test_visual_phrases_are_the_names_that_are_no_label_of_a_selected_object():
    asked = request(description="A man with a dog, a cat and a red car.", objects=found("Dog", "", "cat"))
    assert visual_phrases(asked, 5, ["Dog", "", "cat"]) == ["man", "red car"]
    assert visual_phrases(asked, 1, ["Dog"]) == ["man"]
    [selection] = WordSelector(num_visual_phrases=2, num_objects=1).select([asked])
    assert (selection.objects, selection.visual_phrases) == ([0], ["man", "cat"])


def test_without_a_description_there_are_no_visual_phrases():
    assert visual_phrases(request(objects=found("dog")), 3) == []


# Objects


def test_without_an_encoder_the_surest_objects_stay():
    selector = WordSelector(num_objects=2)
    [selection] = selector.select([request(objects=found("a", "b", "c", scores=[0.2, 0.9, 0.5]))])
    assert selection.objects == [1, 2]


def test_objects_of_equal_score_keep_their_order():
    assert rank_objects(found("a", "b", "c")) == [0, 1, 2]


def encode(texts):
    """Two directions: what has to do with sport, and all else."""
    return torch.tensor([[1.0, 0.1] if "ball" in text else [0.0, 1.0] for text in texts])


def test_similarity_of_name_and_sentence_weights_the_score():
    objects = found("table", "football", "cup", scores=[0.9, 0.8, 0.7])
    selector = WordSelector(num_objects=1, encode=encode)
    sport = SelectionRequest("Ann throws Bob the ball", (0, 3), (11, 14), objects=objects)
    assert [selection.objects for selection in selector.select([sport, request(objects=objects)])] == [[1], [0]]


def test_a_sure_object_beats_a_similar_one_that_is_unsure():
    assert rank_objects(found("cup", "ball", scores=[0.9, 0.3]), [0.2, 1.0]) == [0, 1]


def test_objects_without_a_name_need_no_encoding():
    asked = SelectionRequest("Ann throws Bob the ball", (0, 3), (11, 14), objects=found("", "football", ""))
    assert WordSelector(num_objects=1, encode=encode).select([asked])[0].objects == [1]


def test_encoder_runs_once_for_each_text_and_only_where_there_is_a_choice():
    asked = []

    def spy(texts):
        asked.append(texts)
        return encode(texts)

    few, many = request(objects=found("cup")), request(objects=found("cup", "ball", "cup", "man"))
    WordSelector(encode=spy).select([few, many, many])
    assert asked == [[TEXT, "cup", "ball", "man"]]
    WordSelector(encode=spy).select([few])
    assert len(asked) == 1


# What a selection does not depend on


def test_head_and_tail_may_be_swapped():
    objects = found("man", "football", "cup", "dog")
    known = {"description": "A man and a cat.", "objects": objects}
    selector = WordSelector(encode=encode, num_objects=2)
    there, back = selector.select([request(**known), request(head=MENTIONS[1], tail=MENTIONS[0], **known)])
    assert there == back
    assert request().entities == request(head=MENTIONS[1], tail=MENTIONS[0]).entities == ("Mira Oland", "Tobin Vask")


def test_a_request_has_no_field_for_the_relation():
    fields = set(SelectionRequest._fields)
    assert fields == {"text", "head", "tail", "mentions", "description", "image", "objects"}


def test_other_requests_of_a_call_change_nothing():
    objects = found("man", "football", "cup", "dog")
    requests = [request(objects=objects), request("Ann throws Bob the ball", (0, 3), (11, 14), [], objects=objects)]
    selector = WordSelector(num_objects=2, encode=encode)
    assert selector.select(requests) == [selector.select([asked])[0] for asked in requests]
    assert selector.select([]) == []


def test_a_count_of_zero_selects_nothing():
    asked = request(description="A man.", objects=found("dog"))
    [selection] = WordSelector(0, 0, 0).select([asked])
    assert (list(selection.text_phrases), list(selection.visual_phrases), list(selection.objects)) == ([], [], [])


@pytest.mark.parametrize("name", ["num_text_phrases", "num_visual_phrases", "num_objects"])
def test_a_negative_count_is_refused(name):
    with pytest.raises(ValueError, match=f"{name} is -1"):
        WordSelector(**{name: -1})
