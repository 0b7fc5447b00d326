"""Requests without entities, which the model finds itself."""

import pandas as pd
import pytest
from PIL import Image
from tiny import save_tiny_checkpoint
from transformers import pipeline

from vmhan import RequestLimits, mention_finder, pipeline_vmhan
from vmhan.mention_finder import FoundMention
from vmhan.registrations import TASK

KINDS = ["person", "place", "organization", "other"]
FOUND = {
    "Ada": FoundMention(0, 3, "person", 0.9),
    "Bob": FoundMention(8, 11, "person", 0.8),
    "Paris": FoundMention(15, 20, "place", 0.7),
}
ADA, BOB, PARIS = FOUND.values()
TEXTS = {
    "Ada met Bob in Paris": [ADA, BOB, PARIS],
    "Ada met Bob": [ADA, BOB],
    "Ada sleeps": [ADA],
    "it rains": [],
}
REQUEST = {"text": "Ada met Bob in Paris"}
GIVEN = {**REQUEST, "entities": list(FOUND)}
MANY = [f"n{number}" for number in range(10, 30)]


@pytest.fixture(scope="module")
def extract(tmp_path_factory):
    settings = {"mention_kinds": KINDS, "entity_markers": "shared", "visual_features": ["text", "box"]}
    return pipeline(TASK, model=save_tiny_checkpoint(tmp_path_factory.mktemp("tiny"), **settings))


@pytest.fixture
def calls(monkeypatch) -> list[list[str]]:
    """Lets the finder find what is in `TEXTS`, and every word of other texts; returns the texts of each call."""
    texts_of_calls = []

    def find(texts, model, processor):
        texts_of_calls.append(list(texts))
        return [TEXTS[text] if text in TEXTS else find_words(text) for text in texts]

    monkeypatch.setattr(pipeline_vmhan, "find_mentions", find)
    return texts_of_calls


def find_words(text: str) -> list[FoundMention]:
    """Finds every word, of which later ones have higher scores."""
    words = text.split()
    starts = [text.index(word) for word in words]
    return [
        FoundMention(start, start + len(word), "other", (index + 1) / len(words))
        for index, (word, start) in enumerate(zip(words, starts, strict=True))
    ]


def assert_same(ours, theirs):
    """Equal answers, but for the last digits of their numbers."""
    if isinstance(ours, dict):
        assert ours.keys() == theirs.keys()
        ours, theirs = ours.values(), theirs.values()
    elif not isinstance(ours, list):
        assert ours == (pytest.approx(theirs, abs=1e-5) if isinstance(ours, float) else theirs)
        return
    for one, other in zip(ours, theirs, strict=True):
        assert_same(one, other)


def test_every_two_found_entities_are_answered_as_if_they_were_given(extract, calls):
    found, given = extract(REQUEST), extract(GIVEN)
    assert_same(found["pairs"], given["pairs"])
    assert found["warnings"] == given["warnings"] == []
    assert found["entities"] == [
        {"text": "Ada", "start": 0, "end": 3, "kind": "person", "score": 0.9},
        {"text": "Bob", "start": 8, "end": 11, "kind": "person", "score": 0.8},
        {"text": "Paris", "start": 15, "end": 20, "kind": "place", "score": 0.7},
    ]


def test_found_entities_of_an_answer_may_be_those_of_the_next_request(extract, calls):
    first = extract(REQUEST)
    again = extract({**REQUEST, "entities": first["entities"][:0:-1]})
    assert again["entities"] == first["entities"][1:], "in the order of the text"
    assert len(again["pairs"]) == 1


@pytest.mark.parametrize("absent", [None, float("nan"), pd.NA])
def test_missing_entities_are_absent_ones(extract, calls, absent):
    assert_same(extract({**REQUEST, "entities": absent}), extract(REQUEST))


def test_empty_list_of_entities_is_refused(extract, calls):
    with pytest.raises(ValueError, match=r"entities is \[\]; a relation needs a list of at least two"):
        extract({**REQUEST, "entities": []})
    assert calls == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Ada sleeps", "The model finds one entity in the text, 'Ada'; a relation needs two."),
        ("it rains", "The model finds no entities in the text; a relation needs two."),
    ],
)
def test_fewer_than_two_found_entities_are_an_answer_without_pairs(extract, calls, text, said):
    image = Image.new("RGB", (40, 20))
    answer = extract({"text": text, "image": image, "objects": [{"label": "dog", "box": [0, 0, 9, 9]}], "id": 7})
    assert answer["pairs"] == [] and answer["id"] == 7
    assert [entity["text"] for entity in answer["entities"]] == (["Ada"] if "Ada" in text else [])
    assert answer["objects"] == [{"label": "dog", "score": 1.0, "box": [0, 0, 9, 9]}]
    assert [warning[: len(said)] for warning in answer["warnings"]] == [said]


@pytest.mark.parametrize("limits", [{}, {"max_entities": 3}, {"max_entities": 3, "max_pairs": 3}, {"max_pairs": 4}])
def test_entities_with_the_highest_scores_are_kept_within_the_limits(extract, calls, limits):
    kept = 3 if limits else 16
    answer = extract({"text": " ".join(MANY)}, limits=limits)
    assert [entity["text"] for entity in answer["entities"]] == MANY[-kept:]
    assert len(answer["pairs"]) == kept * (kept - 1) // 2
    (said,) = answer["warnings"]
    assert said.startswith(f"The model finds 20 entities in the text; the {kept} with the highest scores are kept.")


@pytest.mark.parametrize("limits", [None, RequestLimits(max_entities=20), {"max_entities": None}])
def test_raised_limits_keep_all(extract, calls, limits):
    answer = extract({"text": " ".join(MANY)}, limits=limits)
    assert len(answer["pairs"]) == 190 and answer["warnings"] == []


@pytest.mark.parametrize(("limits", "most"), [((16, 240), 16), ((16, 3), 3), ((None, 2), 2), ((None, 1), 2)])
def test_most_found_entities_are_those_whose_pairs_are_within_the_limits(limits, most):
    assert RequestLimits(max_entities=limits[0], max_pairs=limits[1]).most_found == most


def test_no_limits_limit_no_found_entities():
    assert RequestLimits(max_entities=None, max_pairs=None).most_found is None


BATCH = [REQUEST, GIVEN, {"text": "it rains"}, {"text": "Ada met Bob", "id": "b"}, {"text": "Ada sleeps"}, REQUEST]


def test_one_call_finds_the_entities_of_a_batch(extract, calls):
    extract(BATCH, batch_size=6)
    assert calls == [[request["text"] for request in BATCH if "entities" not in request]]
    extract(GIVEN)
    assert len(calls) == 1


@pytest.mark.parametrize("batch_size", [2, 6])
@pytest.mark.parametrize("direction", ["best", "given"])
def test_answers_of_a_batch_are_those_of_each_request_alone(extract, calls, batch_size, direction):
    together = extract(BATCH, batch_size=batch_size, direction=direction)
    alone = [extract(request, direction=direction) for request in BATCH]
    assert_same(together, alone)
    stream = extract(iter(BATCH), batch_size=batch_size, direction=direction)
    assert_same(list(stream), alone)


def test_a_bad_request_leaves_found_entities_of_the_others_alone(extract, calls):
    bad = {"text": "Ada met Bob", "pairs": [(0, 1)]}
    answers = extract([REQUEST, bad, {"text": "it rains"}], batch_size=3, on_error="return")
    assert answers[1]["error"].startswith('pairs is [(0, 1)], but the request has no "entities"')
    assert_same([answers[0], answers[2]], [extract(REQUEST), extract({"text": "it rains"})])
    with pytest.raises(ValueError, match='no "entities" that it could be indices into'):
        extract(REQUEST, pairs=[(0, 1)])


def test_requests_that_fail_together_are_answered_alone_with_each_warning_once(extract, calls, monkeypatch):
    build_batch, counts = extract._build_batch, []

    def fail_once(rows):
        counts.append(len(rows))
        if len(counts) == 1:
            raise RuntimeError("out of memory")
        return build_batch(rows)

    monkeypatch.setattr(extract, "_build_batch", fail_once)
    answers = extract([REQUEST, {"text": "Ada sleeps"}], batch_size=2)
    assert len(answers[0]["pairs"]) == 3 and len(answers[1]["warnings"]) == 1
    assert len(calls) == 1, "what was found is not searched again"


def test_a_model_without_a_mention_head_says_what_it_lacks(tmp_path):
    extract = pipeline(TASK, model=save_tiny_checkpoint(tmp_path))
    with pytest.raises(ValueError, match=r'This model finds no entities by itself; give "entities".*mention_kinds'):
        extract(REQUEST)
    skipped = extract([REQUEST, GIVEN], on_error="skip")
    assert len(skipped) == 1 and len(skipped[0]["pairs"]) == 3


def test_a_text_that_is_too_long_is_refused_before_its_entities_are_searched(extract, calls):
    with pytest.raises(ValueError, match="wordpieces with its markers, the encoder at most 512"):
        extract({"text": "no " * 300})
    assert calls == []


@pytest.mark.parametrize("markers", ["none", "shared", "pair"])
def test_found_entities_are_those_of_the_models_mention_head(tmp_path, markers, monkeypatch):
    settings = {"mention_kinds": KINDS, "entity_markers": markers}
    extract = pipeline(TASK, model=save_tiny_checkpoint(tmp_path, **settings))
    bias = extract.model.mention_head.layers[-1].bias.data
    bias[1] += 50  # every word is a person
    texts = ["Ada met Bob", "It rains"]
    answers = extract([{"text": text} for text in texts], batch_size=2)
    found = mention_finder.find_mentions(texts, extract.model, extract.processor)
    for answer, mentions, text in zip(answers, found, texts, strict=True):
        assert [entity["text"] for entity in answer["entities"]] == text.split()
        entities = [(entity["start"], entity["end"], entity["kind"], entity["score"]) for entity in answer["entities"]]
        assert entities == [tuple(mention) for mention in mentions]
        assert len(answer["pairs"]) == len(mentions) * (len(mentions) - 1) // 2


def test_objects_that_are_entities_are_listed_behind_the_mentions(extract):
    box = {"box": [1, 2, 30, 15], "label": "dog"}
    answer = extract({**REQUEST, "entities": ["Paris", box, "Ada"], "image": Image.new("RGB", (40, 20))})
    assert answer["entities"] == [
        {"text": "Ada", "start": 0, "end": 3, "kind": None, "score": 1.0},
        {"text": "Paris", "start": 15, "end": 20, "kind": None, "score": 1.0},
        {"text": "dog", "start": None, "end": None, "box": [1.0, 2.0, 30.0, 15.0], "object": 0},
    ]
