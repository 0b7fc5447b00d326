"""Replies as models write them: which items are kept, dropped and counted, and which replies are unusable."""

import time

import pytest

from vmhan.llm.responses import find_phrase, read_object_indices, read_text_phrases, read_visual_phrases
from vmhan.node_selection import SelectionRequest
from vmhan.object_detection import DetectedObject

TEXT = "RT : Ada met Bob at Libya 's Tripoli , Ada sings"
REQUEST = SelectionRequest(
    TEXT, (5, 8), (13, 16), objects=[DetectedObject(label, 1.0, None) for label in ("man", "Dog", "man", "")]
)


def phrases(reply, count=9):
    """Kept phrases, dropped items and the fault of a reply about the sentence."""
    answer = read_text_phrases(reply, REQUEST, count)
    return [TEXT[start:end] for start, end in answer.items], dict(answer.dropped), answer.fault


def objects(reply, count=9):
    answer = read_object_indices(reply, REQUEST, count)
    return answer.items, dict(answer.dropped), answer.fault


# Finding the JSON


@pytest.mark.parametrize(
    "reply",
    [
        '{"phrases": ["met", "Tripoli"]}',
        '```json\n{"phrases": ["met", "Tripoli"]}\n```',
        'Sure! Here [you] are {friend}: {"phrases": ["met", "Tripoli"]} I hope it helps {"phrases": []}.',
        '["met", "Tripoli"]',
        '[1] says: {"why": ["Ada"], "phrases": ["met", "Tripoli"]}',
        '<think>{"phrases": ["Ada"]} or so</think>{"phrases": ["met", "Tripoli"]}',
        '{"answer": 1} {"phrases": ["met", "Tripoli"]}',
    ],
)
def test_json_is_found_anywhere(reply):
    assert phrases(reply) == (["met", "Tripoli"], {}, None)


@pytest.mark.parametrize(
    "reply",
    [
        "",
        "I cannot help with that.",
        '{"phrases": ["met", ',
        '{"phrases": "met"}',
        '{"phrases": null}',
        '{"other": ["met"]}',
        "{'phrases': ['met']}",
        "<think>{",
        '"met"',
    ],
)
def test_a_reply_without_a_list_is_of_no_use(reply):
    kept, dropped, fault = phrases(reply)
    assert (kept, dropped) == ([], {}) and "phrases" in fault


def test_nothing_in_a_reply_is_run():
    kept, _, fault = phrases('__import__("os").abort() {"phrases": [__import__("os")]}')
    assert kept == [] and fault


@pytest.mark.parametrize("junk", ["[" * 100_000, '{"a":' * 30_000, "[1," * 30_000, "9" * 100_000, "[" + "9" * 19_000])
def test_junk_is_read_in_no_time(junk):
    started = time.monotonic()
    assert phrases(junk)[2]
    assert time.monotonic() - started < 5


# Phrases of the sentence


def test_what_is_not_in_the_sentence_is_dropped_and_counted():
    assert phrases('{"phrases": ["met", "Paris", "sing", "RT : Ada x"]}') == (
        ["met"],
        {"not in the sentence": 3},
        None,
    )


def test_head_and_tail_are_dropped_unless_they_occur_elsewhere_too():
    kept, dropped, _ = phrases('{"phrases": ["Ada", "Bob", "Ada met", "sings"]}')
    assert kept == ["Ada", "sings"] and dropped == {"head or tail": 2}
    assert read_text_phrases('["Ada"]', REQUEST, 9).items == [(39, 42)]


def test_duplicates_wrong_types_and_surplus_are_dropped_and_counted():
    reply = '{"phrases": ["met", "MET", 7, null, ["sings"], {"a": 1}, " ", "...", "sings", "Tripoli"]}'
    assert phrases(reply, 2) == (["met", "sings"], {"twice": 1, "no text": 6, "too many": 1}, None)


def test_a_list_of_which_nothing_is_left_is_of_no_use_but_an_empty_one_is_an_answer():
    kept, dropped, fault = phrases('{"phrases": ["Paris"]}')
    assert (kept, dropped) == ([], {"not in the sentence": 1}) and "none of these" in fault
    assert phrases('{"phrases": []}') == ([], {}, None)


@pytest.mark.parametrize(
    "text, phrase, found",
    [
        ("Libya 's Tripoli", "Libya's Tripoli", ["Libya 's Tripoli"]),
        ("# BREAKING news", "#breaking", ["# BREAKING"]),
        ("an art for Art's sake", "art", ["art", "Art"]),
        ("die Straße in İzmir, Σίσυφος", "STRASSE", ["Straße"]),
        ("die Straße in İzmir, Σίσυφος", "in i̇zmir", ["in İzmir"]),
        ("die Straße in İzmir, Σίσυφος", "σίσυφοσ", ["Σίσυφος"]),
        ("New\tYork  City", "new york city", ["New\tYork  City"]),
        ("newyork", "new york", []),
        ("a+b (c)", "(c)", ["(c)"]),
        ("a.b axb", "a.b", ["a.b"]),
        ("anything", "", []),
        ("anything", "  ", []),
    ],
)
def test_phrases_are_found_as_whole_words_in_any_case_and_spacing(text, phrase, found):
    assert [text[start:end] for start, end in find_phrase(text, phrase)] == found


# Phrases about the image


def test_visual_phrases_are_free_but_short():
    reply = (
        '{"phrases": ["Red  Car", "red car", "a man who stands in front of a very old car", 3, "a\\nb", "...", "sky"]}'
    )
    answer = read_visual_phrases(reply, REQUEST, 9)
    assert answer.items == ["red car", "sky"] and answer.fault is None
    assert dict(answer.dropped) == {"twice": 1, "too long": 1, "no text": 3}
    assert read_visual_phrases('{"phrases": ["..."]}', REQUEST, 9).fault
    assert read_visual_phrases(reply, REQUEST, 1).items == ["red car"]


# Objects


def test_objects_come_by_number_or_name():
    assert objects('{"objects": [2, "1", "0: man"]}') == ([2, 1, 0], {}, None)
    assert objects('{"objects": ["dog", "MAN", "man"]}') == ([1, 0, 2], {}, None)


def test_what_is_not_among_the_objects_is_dropped_and_counted():
    reply = '{"objects": [7, -1, "cat", "", "12th", true, 1.0, null, [0], 3, 3, 0, "man", "man"]}'
    kept, dropped, fault = objects(reply)
    assert kept == [3, 0, 2] and fault is None
    assert dropped == {"not among the objects": 5, "no number": 4, "twice": 2}
    assert objects(reply, 1)[0] == [3]


def test_a_reply_that_names_no_object_is_of_no_use():
    assert "number of an object" in objects('{"objects": ["cat"]}')[2]
    assert objects('{"objects": []}') == ([], {}, None)
