"""Entities and objects as other pipelines return them."""

import numpy as np
import pytest
from PIL import Image
from tiny import tiny_tokenizer
from transformers import BertConfig, BertForTokenClassification, pipeline

from vmhan.extraction_request import read_request

TEXT = "Ada Lovelace met Jose\u0301 Bob-Smith in Paris"
SIZE = (400, 200)


def mentions(*entities, text: str = TEXT, **options) -> list[str]:
    """The letters of the entities."""
    request = read_request({"text": text, "entities": list(entities)}, **options)
    return [text[start:end] for start, end in request.mentions]


def token(tag: str, index: int, word: str, start=None, end=None) -> dict:
    score = np.float32(0.9)
    return {"entity": tag, "score": score, "index": index, "word": word, "start": start, "end": end}


# Entities


def test_groups_of_a_recognizer_are_entities_by_their_offsets():
    groups = [
        {"entity_group": "PER", "score": np.float32(0.99), "word": "ada lovelace", "start": 0, "end": 12},
        {"entity_group": "PER", "score": np.float32(0.98), "word": "jose bob - smith", "start": 17, "end": 32},
        {"entity_group": "LOC", "score": np.float32(0.97), "word": "paris", "start": 36, "end": 41},
    ]
    assert mentions(*groups) == ["Ada Lovelace", "Jose\u0301 Bob-Smith", "Paris"]


@pytest.mark.parametrize(
    "entity",
    [
        {"text": "Paris", "start": 36, "end": 41, "label": "GPE"},
        {"start": 36, "end": 41, "label": "GPE"},
        {"start": np.int64(36), "end": np.int64(41), "text": "PARIS", "label": "GPE", "score": 0.9},
        {"text": "Paris", "start": None, "end": None},
        {"entity_group": "LOC", "word": "Paris", "start": float("nan"), "end": float("nan")},
        {"entity_group": "LOC", "word": " Paris", "start": 35, "end": 41},  # a tokenizer that counts the blank in
        {"entity": "I-LOC", "word": "▁Paris", "index": 9, "start": None, "end": None},
        {"text": "Paris"},
    ],
)
def test_one_entity_of_a_recognizer_goes_beside_a_string(entity):
    assert mentions("Ada Lovelace", entity) == ["Ada Lovelace", "Paris"]


def test_an_entity_of_an_answer_is_an_entity_of_a_request():
    assert mentions({"text": "Ada Lovelace", "start": 0, "end": 12}, {"text": "Paris", "start": 36, "end": 41})


@pytest.mark.parametrize(
    "tokens, expected",
    [
        (
            [token("B-PER", 1, "Ada", 0, 3), token("I-PER", 2, "Love", 4, 8), token("I-PER", 3, "##lace", 8, 12)],
            ["Ada Lovelace"],
        ),
        ([token("B-PER", 1, "Ada", 0, 3), token("B-PER", 2, "Love", 4, 8)], ["Ada", "Love"]),
        ([token("B-PER", 1, "Ada", 0, 3), token("I-ORG", 2, "Love", 4, 8)], ["Ada", "Love"]),
        ([token("B-PER", 1, "Love", 4, 8), token("B-PER", 2, "##lace", 8, 12)], ["Lovelace"]),
        ([token("B-PER", 1, "▁Love", 3, 8), token("I-ORG", 2, "lace", 8, 12)], ["Lovelace"]),
        ([token("PER", 1, "Ada", 0, 3), token("PER", 2, "Lovelace", 4, 12)], ["Ada Lovelace"]),
        ([token("B-PER", 1, "Ada", 0, 3), token("E-PER", 2, "Lovelace", 4, 12)], ["Ada Lovelace"]),
        ([token("S-PER", 1, "Ada", 0, 3), token("S-PER", 2, "Lovelace", 4, 12)], ["Ada", "Lovelace"]),
        ([token("I-PER", 1, "Ada", 0, 3), token("I-PER", 3, "Lovelace", 4, 12)], ["Ada", "Lovelace"]),
        ([token("B-PER", 1, "Ada"), token("I-PER", 2, "Love"), token("I-PER", 3, "##lace")], ["Ada Lovelace"]),
        ([token("B-PER", 1, "▁Ada"), token("I-PER", 2, "▁Love"), token("I-PER", 3, "lace")], ["Ada Lovelace"]),
    ],
)
def test_tokens_of_one_entity_are_merged(tokens, expected):
    assert mentions(*tokens, token("B-LOC", 9, "Paris", 36, 41)) == [*expected, "Paris"]


def test_offsets_may_be_whole_floats_as_a_table_with_gaps_holds_them():
    tokens = [token("B-PER", 1.0, "Love", 4.0, 8.0), token("I-PER", 2.0, "##lace", 8.0, 12.0)]
    paris = {"word": "Paris", "start": np.float64(36), "end": np.float32(41)}
    assert mentions(*tokens, paris, {"word": "Ada", "start": np.nan}) == ["Lovelace", "Paris", "Ada"]


@pytest.mark.parametrize("aggregation", ["none", "simple", "first", "max"])
def test_what_the_pipeline_returns_is_taken_as_it_is(aggregation):
    names = ["O", "B-PER", "I-PER"]
    tokenizer = tiny_tokenizer()
    config = BertConfig(vocab_size=len(tokenizer), hidden_size=16, num_hidden_layers=1, num_attention_heads=2)
    config.id2label, config.label2id = dict(enumerate(names)), {name: i for i, name in enumerate(names)}
    model = BertForTokenClassification(config).eval()
    model.classifier.bias.data[1] += 9  # every piece of every word opens a person
    ner = pipeline("ner", model=model, tokenizer=tokenizer, aggregation_strategy=aggregation)
    found = ner("Ada met Bob")
    assert len(found) == (9 if aggregation in ("none", "simple") else 3)
    assert mentions(*found, text="Ada met Bob") == ["Ada", "met", "Bob"]


def details(*entities) -> list[tuple]:
    """Kind and score of the entities."""
    return [(entity.kind, entity.score) for entity in read_request({"text": TEXT, "entities": entities}).entities]


@pytest.mark.parametrize(
    ("tag", "kind"),
    [("PER", "person"), ("I-LOC", "place"), ("B-ORG", "organization"), ("MISC", "other"), ("LABEL_3", None)],
)
def test_kind_is_that_of_the_recognizers_tag(tag, kind):
    for name in ("entity", "entity_group", "label"):
        assert details("Ada", {name: tag, "word": "Paris", "start": 36, "end": 41})[1] == (kind, 1.0)


def test_entities_of_an_answer_keep_kind_and_score():
    ada = {"text": "Ada Lovelace", "start": 0, "end": 12, "kind": "person", "score": 0.75}
    paris = {"text": "Paris", "start": 36, "end": 41, "kind": None, "score": 1.0}
    assert details(ada, paris, "Bob-Smith", (17, 21)) == [("person", 0.75), (None, 1.0), (None, 1.0), (None, 1.0)]


def test_score_of_an_entity_is_the_mean_of_its_tokens():
    tokens = [
        {**token("B-PER", 1, "Ada", 0, 3), "score": np.float32(0.75)},
        {**token("I-PER", 2, "Love", 4, 8), "score": np.float32(0.5)},
        {**token("I-PER", 3, "##lace", 8, 12), "score": np.float32(0.25)},
    ]
    assert details(*tokens, {"word": "Paris", "score": float("nan")}) == [("person", 0.5), (None, 1.0)]


def test_score_that_is_none_is_refused():
    with pytest.raises(ValueError, match="The score 93 of 'Paris' is no number from 0 to 1"):
        details("Ada", {"text": "Paris", "score": 93})


def test_pairs_do_not_count_tokens_that_are_merged():
    tokens = [token("B-PER", 1, "Love", 4, 8), token("I-PER", 2, "##lace", 8, 12), token("B-LOC", 9, "Paris", 36, 41)]
    with pytest.raises(ValueError, match=r'3 entities are tokens of 2 .*aggregation_strategy="first"'):
        mentions(*tokens, pairs=[(0, 2)])
    assert mentions(tokens[0], tokens[2], pairs=[(0, 1)]) == ["Love", "Paris"]


@pytest.mark.parametrize(
    "entity, why",
    [
        ({"text": "Eve", "start": None, "end": None}, "'Eve' does not occur"),
        ({"text": "Paris", "start": 36, "end": 60}, r"\(36, 60\) is not within the 41 characters"),
        ({"text": "Paris", "start": 36, "end": None}, 'has no "start" and "end", nor a "text" or a "word"'),
        ({"word": 3}, 'nor a "text" or a "word"'),
        ({"entity_group": "LOC", "start": 36.5, "end": 41.0}, r"\(36.5, 41\) is neither"),
        ({"entity_group": "LOC"}, "is no object of the image: .* A mention in the text is"),
    ],
)
def test_what_no_recognizer_returns_is_refused(entity, why):
    with pytest.raises(ValueError, match=why):
        mentions("Ada Lovelace", entity)


# Objects


def read_objects(*objects, size=SIZE) -> list[dict]:
    request = {"text": TEXT, "entities": ["Ada", "Paris"], "image": Image.new("RGB", size), "objects": list(objects)}
    return read_request(request, max_objects=9).objects


def corners(xmin, ymin, xmax, ymax) -> dict:
    return {"xmin": xmin, "ymin": ymin, "xmax": xmax, "ymax": ymax}


def test_what_an_object_detection_pipeline_returns_are_objects():
    found = [{"score": np.float32(0.75), "label": "dog", "box": corners(10, 20, 110, 120)}]
    (item,) = read_objects(*found)
    assert item == {"label": "dog", "score": 0.75, "box": [10.0, 20.0, 110.0, 120.0]}
    assert all(type(number) is float for number in (item["score"], *item["box"]))


@pytest.mark.parametrize("box", [np.array([10, 20, 110, 120]), (np.float32(10), 20, np.int64(110), 120)])
def test_boxes_may_be_of_numpy(box):
    assert read_objects({"label": "dog", "box": box})[0]["box"] == [10, 20, 110, 120]


def test_a_detected_object_is_an_entity_with_its_score():
    found = {"score": 0.75, "label": "dog", "box": corners(10, 20, 110, 120)}
    request = {"text": TEXT, "entities": ["Ada", found], "image": Image.new("RGB", SIZE)}
    assert read_request(request).entity_objects == [{"label": "dog", "score": 0.75, "box": [10, 20, 110, 120]}]
    assert read_request({**request, "objects": [found]}).visible_objects == read_request(request).entity_objects


@pytest.mark.parametrize(
    "box, size, cut",
    [
        ([-0.3, 20, 110, 200.3], SIZE, [0, 20, 110, 200]),
        ([-1, -1, 401, 201], SIZE, [0, 0, 400, 200]),
        ([-5, 0, 1005, 100], (1000, 100), [0, 0, 1000, 100]),  # half a percent
        (corners(-1, 20, 110, 201), SIZE, [0, 20, 110, 200]),
    ],
)
def test_a_box_a_little_outside_is_cut_at_the_border(box, size, cut):
    assert read_objects({"label": "dog", "box": box}, size=size)[0]["box"] == cut


def test_a_score_that_rounding_carried_above_1_is_1():
    assert read_objects({"label": "dog", "score": 1 + 1e-6})[0]["score"] == 1
    assert read_objects({"label": "dog", "score": np.nextafter(np.float32(1), np.float32(2))})[0]["score"] == 1


@pytest.mark.parametrize(
    "item, why",
    [
        ({"box": [-2.1, 0, 9, 9]}, r"box \[-2.1, 0.0, 9.0, 9.0\] of 'dog' is not within the image of \(400, 200\)"),
        ({"box": [0, 0, 9, 202]}, "is not within the image"),
        ({"box": [400, 0, 401, 9]}, "is not within the image"),  # nothing is left of it
        ({"box": [9, 0, 3, 9]}, "is not within the image"),
        ({"box": [float("nan"), 0, 9, 9]}, r"box \[nan, 0.0, 9.0, 9.0\] of 'dog' is not of finite numbers"),
        ({"box": [0, 0, float("inf"), 9]}, "of 'dog' is not of finite numbers"),
        ({"box": np.array([0, 0, np.nan, 9])}, "of 'dog' is not of finite numbers"),
        ({"box": {"xmin": 0, "ymin": 0, "xmax": 9}}, "of 'dog' is not four numbers.* or a dict of xmin, ymin"),
        ({"score": float("nan")}, "score nan of 'dog' is no number from 0 to 1"),
        ({"score": np.float32("nan")}, "nan.* of 'dog' is no number from 0 to 1"),
        ({"score": float("inf")}, "score inf of 'dog'"),
        ({"score": -0.1}, "score -0.1 of 'dog'"),
        ({"score": 1.00001}, "score 1.00001 of 'dog'"),
        ({"score": 98}, "score 98 of 'dog'"),
        ({"score": "high"}, "score 'high' of 'dog'"),
        ({"score": [0.5]}, r"score \[0.5\] of 'dog'"),
    ],
)
def test_numbers_that_no_object_has_are_refused_by_name(item, why):
    with pytest.raises(ValueError, match=why):
        read_objects({"label": "dog", **item})
    entity = {"box": [0, 0, 9, 9], "label": "dog", **item}
    with pytest.raises(ValueError, match=why):
        read_request({"text": TEXT, "entities": ["Ada", entity], "image": Image.new("RGB", SIZE)})
