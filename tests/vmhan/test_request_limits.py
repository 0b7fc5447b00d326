"""How large a request may be, whoever asks."""

import json
import time
from dataclasses import make_dataclass
from itertools import combinations, islice, permutations
from pathlib import Path

import pytest
from tiny import save_tiny_checkpoint
from transformers import pipeline

from hub.contents import model_contents, write_contents
from hub.handler import EndpointHandler
from vmhan import RequestLimits
from vmhan.extraction_request import read_request
from vmhan.registrations import TASK
from vmhan.request_limits import DEFAULT_LIMITS, NO_LIMITS, read_limits

NAMES = [f"n{number}" for number in range(10, 40)]
REQUEST = {"text": " ".join(NAMES), "entities": NAMES[:3]}
#: 220 spans inside one word of 100 letters, which cost 33.8 s and 3.5 GB.
SPANS_OF_ONE_WORD = {"text": "a" * 100, "entities": list(islice(combinations(range(1, 100), 2), 220))}

TOO_LARGE = [
    ({"text": REQUEST["text"].ljust(2001, ".")}, "text has 2,001 characters, up to 2,000", "max_text_length"),
    ({"description": "a" * 2001}, "description has 2,001 characters, up to 2,000", "max_description_length"),
    ({"objects": ["a" * 2001]}, "of an object has 2,001 characters, up to 2,000", "max_description_length"),
    ({"objects": [{"label": "a" * 2001}]}, "of an object has 2,001 characters,", "max_description_length"),
    ({"entities": NAMES[:17]}, "entities holds 17 entities, up to 16", "max_entities"),
    ({"objects": ["dog"] * 101}, "objects holds 101 objects, up to 100", "max_objects"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return save_tiny_checkpoint(tmp_path_factory.mktemp("tiny"), entity_markers="shared")


@pytest.fixture(scope="module")
def extract(folder):
    return pipeline(TASK, model=folder)


@pytest.mark.parametrize(("changes", "said", "limit"), TOO_LARGE)
def test_a_request_over_a_limit_is_refused_with_value_limit_and_fix(changes, said, limit):
    with pytest.raises(ValueError, match=rf"{said}.*; .+ limits=RequestLimits\({limit}=") as error:
        read_request({**REQUEST, **changes})
    assert len(str(error.value)) < 300


@pytest.mark.parametrize(("changes", "said", "limit"), TOO_LARGE)
def test_a_python_caller_may_raise_each_limit(changes, said, limit):
    for limits in (RequestLimits(**{limit: 3000}), RequestLimits(**{limit: None}), NO_LIMITS):
        assert read_request({**REQUEST, **changes}, limits=limits)


def test_pairs_over_the_limit_are_refused_and_a_python_caller_may_raise_it():
    request = {**REQUEST, "entities": NAMES[:17], "pairs": list(permutations(range(17), 2))[:241]}
    with pytest.raises(ValueError, match=r"pairs holds 241 pairs, up to 240.*; .+ limits=RequestLimits\(max_pairs="):
        read_request(request, limits=RequestLimits(max_entities=None))
    for limits in (RequestLimits(max_entities=None, max_pairs=241), NO_LIMITS):
        assert len(read_request(request, limits=limits).pairs) == 241


def test_a_request_at_its_limits_is_read():
    text = REQUEST["text"].ljust(2000, ".")
    request = {"text": text, "entities": NAMES[:16], "description": "a" * 2000, "objects": ["dog"] * 100}
    assert len(read_request(request).pairs) == 120
    assert len(read_request({**request, "pairs": list(permutations(range(16), 2))}).pairs) == 240


def test_default_pairs_are_counted_too():
    with pytest.raises(ValueError, match="pairs holds 435 pairs"):
        read_request({**REQUEST, "entities": NAMES}, limits=RequestLimits(max_entities=30))


@pytest.mark.parametrize("limits", [RequestLimits(max_entities=17), {"max_entities": 17}, None])
def test_limits_may_be_set_for_a_pipeline_or_a_call(limits, folder, extract):
    request = {**REQUEST, "entities": NAMES[:17]}
    assert len(extract(request, limits=limits)["pairs"]) == 136
    with pytest.raises(ValueError, match="17 entities"):
        extract(request)
    raised = pipeline(TASK, model=folder, limits=limits)
    assert len(raised(request)["pairs"]) == 136
    with pytest.raises(ValueError, match="17 entities"):
        raised(request, limits=DEFAULT_LIMITS)


@pytest.mark.parametrize(
    ("limits", "said"),
    [
        ({"max_words": 3}, r"'max_words'.*give RequestLimits, a dict out of \['max_text_length'"),
        (7, "limits is 7; give RequestLimits"),
        ({"max_pairs": 0}, "max_pairs is 0; a limit is a whole number of at least 1, or None"),
        ({"max_pairs": True}, "max_pairs is True"),
        ({"max_pairs": 2.5}, "max_pairs is 2.5"),
    ],
)
def test_limits_that_are_none_are_refused(limits, said, extract):
    with pytest.raises(ValueError, match=said):
        extract(REQUEST, limits=limits)


def test_limits_of_another_copy_of_the_code_are_read():
    """A model that brought its code along has a `RequestLimits` of its own."""
    other = make_dataclass("RequestLimits", list(RequestLimits.__dataclass_fields__))
    assert read_limits(other(1, 2, 3, 4, None)) == RequestLimits(1, 2, 3, 4, None)


# Several spans of one wordpiece


@pytest.fixture(scope="module")
def words(tmp_path_factory):
    """A model whose wordpieces are words: what it does not know is one piece."""
    extract = pipeline(TASK, model=save_tiny_checkpoint(tmp_path_factory.mktemp("words")))
    extract.processor.tokenizer.add_tokens(["annapolis", SPANS_OF_ONE_WORD["text"]])
    extract.model.resize_token_embeddings(len(extract.processor.tokenizer))
    return extract


def test_spans_of_the_same_wordpieces_are_refused_with_the_reason(words):
    with pytest.raises(
        ValueError, match=r"'nna' \(1 to 4\) and 'polis' \(4 to 9\) are the same wordpieces .* keep one"
    ):
        words({"text": "annapolis bob", "entities": [(1, 4), (4, 9)]})


def test_spans_that_overlap_in_some_wordpieces_are_read(words):
    (pair,) = words({"text": "annapolis bob", "entities": [(0, 13), (3, 9)]}, direction="given")["pairs"]
    assert (pair["head"]["end"], pair["tail"]["start"]) == (13, 3)


def test_one_span_given_twice_is_read(words):
    request = {"text": "annapolis bob", "entities": [(0, 9), (0, 9), "bob"]}
    assert len(words(request, pairs=[(0, 2), (1, 2)])["pairs"]) == 2


# The endpoint


@pytest.fixture(scope="module")
def handler(folder, tmp_path_factory):
    repository = tmp_path_factory.mktemp("repository")
    write_contents(model_contents(Path(folder)), repository)  # the handler takes its code from there
    return EndpointHandler(str(repository))


def seconds(ask) -> float:
    """The shortest of three tries, which the machine's other work disturbs least."""
    times = []
    for _ in range(3):
        started = time.perf_counter()
        ask()
        times.append(time.perf_counter() - started)
    return min(times)


def test_a_small_body_of_very_many_pairs_is_refused_at_once(handler):
    body = json.dumps({"inputs": SPANS_OF_ONE_WORD}, separators=(",", ":"))
    assert len(body) < 2_200
    answer = handler(json.loads(body))
    assert "entities holds 220 entities, up to 16" in answer["error"]
    assert seconds(lambda: handler(json.loads(body))) < 0.05


def test_without_limits_these_pairs_are_refused_for_their_wordpiece(words):
    with pytest.raises(ValueError, match="are the same wordpieces"):
        words(SPANS_OF_ONE_WORD, limits=None)


@pytest.mark.parametrize(
    "body",
    [
        {"inputs": SPANS_OF_ONE_WORD, "parameters": {"limits": None}},
        {"inputs": SPANS_OF_ONE_WORD, "parameters": {"limits": {"max_entities": 500}}},
        {"inputs": {**SPANS_OF_ONE_WORD, "limits": None}},
        {"inputs": [{**SPANS_OF_ONE_WORD, "limits": None}]},
    ],
)
def test_a_request_to_the_endpoint_cannot_raise_its_limits(body, handler):
    assert "limits" in handler(body)["error"]
