from itertools import combinations
from math import log

import numpy as np
import pytest
import torch
from PIL import Image
from tiny import LABELS, save_tiny_checkpoint
from transformers import pipeline

from vmhan import (
    AnswerEntity,
    AnswerMention,
    AnswerPair,
    AttendedObject,
    ExtractionAnswer,
    ImageObject,
    MultimodalRelationExtractionPipeline,
)
from vmhan.extraction_request import read_request
from vmhan.hypergraph import HEAD, IMAGE, OBJECT, TAIL

TASK = "multimodal-relation-extraction"
TEXT = "Ada met Bob in Paris"
REQUEST = {"text": TEXT, "entities": ["Ada", "Bob", "Paris"]}
DESCRIPTION = "A man and a woman on a bridge."
SIZE = (40, 20)
IMAGE_WITH_BOX = {"image": Image.new("RGB", SIZE), "objects": [{"label": "dog", "score": 0.5, "box": [10, 5, 30, 15]}]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    settings = {"visual_features": ["text", "box"], "entity_markers": "shared", "entity_pool": "mean_marker"}
    return save_tiny_checkpoint(tmp_path_factory.mktemp("tiny"), **settings)


@pytest.fixture(scope="module")
def extract(folder):
    return pipeline(TASK, model=folder)


@pytest.fixture
def forward_calls(extract):
    """The number of pairs in each call of the model."""
    calls = []
    hook = extract.model.register_forward_hook(lambda module, inputs, output: calls.append(len(output.logits)))
    yield calls
    hook.remove()


def request(**changes) -> dict:
    return {**REQUEST, **changes}


def assert_same(ours, theirs, tolerance: float = 1e-5):
    """Equal answers, but for the last digits of their numbers."""
    if isinstance(ours, dict):
        assert ours.keys() == theirs.keys()
        ours, theirs = ours.values(), theirs.values()
    elif not isinstance(ours, list):
        assert ours == (pytest.approx(theirs, abs=tolerance) if isinstance(ours, float) else theirs)
        return
    for one, other in zip(ours, theirs, strict=True):
        assert_same(one, other, tolerance)


def ends(pair: dict) -> tuple[str, str]:
    return pair["head"]["text"], pair["tail"]["text"]


# The answer


def test_an_answer_has_the_keys_and_types_it_promises(extract):
    assert type(extract) is MultimodalRelationExtractionPipeline
    answer = extract(request(description=DESCRIPTION))
    keys = {"pairs", "entities", "objects", "description", "warnings"}
    assert set(answer) == keys == ExtractionAnswer.__required_keys__
    assert answer["warnings"] == []
    for entity, name in zip(answer["entities"], REQUEST["entities"], strict=True):
        assert set(entity) == AnswerMention.__required_keys__
        assert (entity["text"], TEXT[entity["start"] : entity["end"]]) == (name, name)
        assert (entity["kind"], entity["score"]) == (None, 1.0)
    assert answer["description"] == DESCRIPTION
    assert answer["objects"] == [{"label": name, "score": 1.0, "box": None} for name in ("man", "woman", "bridge")], (
        "the description names the objects"
    )
    assert len(answer["pairs"]) == 3
    for pair in answer["pairs"]:
        keys = {"head", "tail", "relation", "score", "scores", "entropy", "variance", "objects"}
        assert set(pair) == keys == AnswerPair.__required_keys__
        for entity in (pair["head"], pair["tail"]):
            assert set(entity) == {"text", "start", "end"} == AnswerEntity.__required_keys__
            assert TEXT[entity["start"] : entity["end"]] == entity["text"]
        assert pair["relation"] in LABELS and list(pair["scores"]) == LABELS
        numbers = [pair["score"], pair["entropy"], pair["variance"], *pair["scores"].values()]
        assert all(type(number) is float for number in numbers)
        assert pair["variance"] > 0
        for node in pair["objects"]:
            assert set(node) == {"label", "score", "box", "attention"} == AttendedObject.__required_keys__
            assert set(node) - {"attention"} == ImageObject.__required_keys__
            assert type(node["attention"]) is float


def test_score_is_the_highest_of_scores_that_sum_to_one(extract):
    for pair in extract(REQUEST)["pairs"]:
        assert sum(pair["scores"].values()) == pytest.approx(1, abs=1e-5)
        assert pair["score"] == max(pair["scores"].values()) == pair["scores"][pair["relation"]]


def test_entropy_is_in_nats(extract):
    for pair in extract(REQUEST)["pairs"]:
        assert pair["entropy"] == pytest.approx(-sum(p * log(p) for p in pair["scores"].values()), abs=1e-5)


def test_every_two_entities_make_one_pair(extract):
    answer = extract(REQUEST)
    assert [set(ends(pair)) for pair in answer["pairs"]] == [set(two) for two in combinations(REQUEST["entities"], 2)]
    assert answer["objects"] == [] and answer["description"] is None
    assert all(pair["objects"] == [] for pair in answer["pairs"])


@pytest.mark.parametrize("bias", [0.0, 3.0])
def test_of_both_directions_the_one_that_is_less_likely_no_relation_is_returned(bias, folder):
    extract = pipeline(TASK, model=folder)
    extract.model.classifier.bias.data[LABELS.index("None")] += bias  # at 3 "None" has the highest score both ways
    for head, tail in combinations(range(3), 2):
        two = [extract(REQUEST, pairs=[pair], direction="given")["pairs"][0] for pair in ((head, tail), (tail, head))]
        assert ends(two[0]) == ends(two[1])[::-1]
        likelier = min(two, key=lambda pair: pair["scores"]["None"])
        assert_same(extract(REQUEST, pairs=[(head, tail)])["pairs"], [likelier])
        assert_same(extract(REQUEST, pairs=[(tail, head)])["pairs"], [likelier])


def test_given_direction_keeps_head_and_tail(extract):
    wanted = [(2, 0), (0, 1), (1, 0)]
    pairs = extract(REQUEST, pairs=wanted, direction="given")["pairs"]
    names = REQUEST["entities"]
    assert [ends(pair) for pair in pairs] == [(names[head], names[tail]) for head, tail in wanted]


def test_a_given_direction_is_an_input_of_the_model(tmp_path):
    extract = pipeline(TASK, model=save_tiny_checkpoint(tmp_path, direction_classifier=True))
    seen = []
    extract.model.register_forward_pre_hook(lambda _, args, inputs: seen.append(inputs), with_kwargs=True)
    extract(REQUEST, direction="given")
    extract(REQUEST)
    assert [inputs["direction_given"].tolist() for inputs in seen] == [[True] * 3, [False] * 6]


def test_only_the_named_pairs_are_answered(extract):
    answer = extract(REQUEST, pairs=[(0, 2)])
    assert [set(ends(pair)) for pair in answer["pairs"]] == [{"Ada", "Paris"}]
    assert_same(extract(REQUEST, pairs=np.array([[0, 2]])), answer)


def test_options_may_be_set_once_for_all_calls(folder, extract):
    given = pipeline(TASK, model=folder, direction="given")
    assert_same(given(REQUEST), extract(REQUEST, direction="given"))


# What the pair looked at


def test_attention_falls_and_sums_to_one(extract):
    for pair in extract(request(description=DESCRIPTION))["pairs"]:
        attention = [node["attention"] for node in pair["objects"]]
        assert sum(attention) == pytest.approx(1, abs=1e-5)
        assert attention == sorted(attention, reverse=True)
        assert {node["label"] for node in pair["objects"]} == {"image", "man", "woman", "bridge"}


def test_attention_is_what_head_and_tail_drew_from_the_visual_nodes(extract):
    [pair] = extract(request(description=DESCRIPTION), pairs=[(0, 2)], direction="given")["pairs"]
    objects = [{"label": name} for name in ("man", "woman", "bridge")]
    batch = extract.processor(
        text=[TEXT],
        mentions=[[(0, 3), (8, 11), (15, 20)]],
        pairs=[[(0, 2)]],
        images=[{"description": DESCRIPTION, "objects": objects}],
    )
    with torch.no_grad():
        output = extract.model(**batch, output_attentions=True)
    assert output.node_types.tolist() == [HEAD, TAIL, IMAGE, OBJECT, OBJECT, OBJECT]
    drawn = output.node_flow[0, 0, 2:] + output.node_flow[0, 1, 2:]
    expected = dict(zip(["image", "man", "woman", "bridge"], (drawn / drawn.sum()).tolist(), strict=True))
    assert {node["label"]: node["attention"] for node in pair["objects"]} == pytest.approx(expected, abs=1e-5)
    assert list(pair["scores"].values()) == pytest.approx(output.logits[0].softmax(0).tolist(), abs=1e-5)
    assert pair["variance"] == pytest.approx(output.pair_variance.item(), abs=1e-5)


@pytest.mark.parametrize("nothing", [{}, {"image": Image.new("RGB", SIZE)}, {"description": " "}, {"objects": []}])
def test_without_any_visual_input_there_is_no_attention_on_objects(nothing, extract):
    answer = extract(request(**nothing))
    assert answer["objects"] == []
    assert all(pair["objects"] == [] for pair in answer["pairs"])
    assert_same(answer["pairs"], extract(REQUEST)["pairs"])


def test_a_description_without_objects_has_all_attention(extract):
    answer = extract(request(description="🎉"))
    assert answer["objects"] == []
    assert all([node["label"] for node in pair["objects"]] == ["image"] for pair in answer["pairs"])


def test_objects_may_be_names(extract):
    answer = extract(request(objects=["dog", " red car "]))
    assert answer["objects"] == [
        {"label": "dog", "score": 1.0, "box": None},
        {"label": "red car", "score": 1.0, "box": None},
    ]
    assert all({node["label"] for node in pair["objects"]} == {"dog", "red car"} for pair in answer["pairs"])


def test_objects_given_win_over_those_of_the_description(extract):
    answer = extract(request(description=DESCRIPTION, objects=["dog"]))
    assert [found["label"] for found in answer["objects"]] == ["dog"]
    assert extract(request(description=DESCRIPTION, objects=[]))["objects"] == []


def test_boxes_are_pixels_and_come_back_with_the_object(extract):
    answer = extract(request(**IMAGE_WITH_BOX, description="fog"))
    assert answer["objects"] == [{"label": "dog", "score": 0.5, "box": [10.0, 5.0, 30.0, 15.0]}]
    for pair in answer["pairs"]:
        boxes = {node["label"]: (node["score"], node["box"]) for node in pair["objects"]}
        assert boxes == {"dog": (0.5, [10.0, 5.0, 30.0, 15.0]), "image": (1.0, [0.0, 0.0, 40.0, 20.0])}


def test_the_objects_with_the_highest_scores_are_kept():
    objects = [{"label": name, "score": score} for name, score in (("dog", 0.2), ("cat", 0.9), ("cup", 0.5))]
    kept = read_request(request(objects=objects), max_objects=2).objects
    assert [item["label"] for item in kept] == ["cat", "cup"]


def test_boxes_reach_the_model_as_centre_and_size_in_shares_of_the_image():
    objects = [{"label": "dog", "box": [10, 5, 30, 10]}, {"label": "cat"}]
    seen = read_request(request(image=Image.new("RGB", SIZE), objects=objects)).visual_input()
    assert [found["box"] for found in seen["objects"]] == [(0.5, 0.375, 0.5, 0.25), None]


def test_a_box_means_the_same_in_an_image_of_any_size(extract):
    small = extract(request(image=Image.new("RGB", (40, 20)), objects=[{"label": "dog", "box": [10, 5, 30, 15]}]))
    large = extract(request(image=Image.new("RGB", (80, 60)), objects=[{"label": "dog", "box": [20, 15, 60, 45]}]))
    other = extract(request(image=Image.new("RGB", (80, 60)), objects=[{"label": "dog", "box": [0, 0, 60, 45]}]))
    scores = [[list(pair["scores"].values()) for pair in answer["pairs"]] for answer in (small, large, other)]
    assert_same(scores[0], scores[1])
    assert scores[0] != scores[2]


def test_an_object_without_a_score_is_certain(extract):
    objects = [{"label": "dog", "score": None}]
    assert extract(request(objects=objects))["objects"][0]["score"] == 1.0


# Images


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "P", "CMYK", "1"])
def test_an_image_may_be_a_path_or_a_pil_image_in_any_mode(mode, extract, tmp_path):
    picture = Image.new(mode, SIZE)
    path = tmp_path / "picture.tiff"
    picture.save(path)
    objects = [{"label": "dog", "box": [0, 0, 40, 20]}]
    answers = [extract(request(image=image, objects=objects)) for image in (picture, path, str(path))]
    assert_same(answers[0], answers[1])
    assert_same(answers[0], answers[2])


def test_an_image_is_turned_upright_before_boxes_are_read(extract, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # orientation: a quarter turn
    Image.new("RGB", SIZE).save(tmp_path / "turned.jpg", exif=exif)
    answer = extract(request(image=tmp_path / "turned.jpg", objects=[{"label": "dog", "box": [0, 0, 20, 40]}]))
    assert answer["objects"][0]["box"] == [0, 0, 20, 40]


@pytest.mark.parametrize("name", ["missing.jpg", ".", "", "a\0b.png"])
def test_a_missing_image_is_named(name, extract):
    with pytest.raises(FileNotFoundError, match="does not exist") as error:
        extract(request(image=name))
    assert repr(name) in str(error.value)


@pytest.mark.parametrize("content", [b"", b"hello, I am a text", b"\x89PNG\r\n\x1a\n and no more", "half"])
def test_a_broken_image_is_named(content, extract, tmp_path):
    path = tmp_path / "broken.png"
    Image.effect_noise((64, 64), 90).save(path)
    path.write_bytes(path.read_bytes()[:900] if content == "half" else content)
    with pytest.raises((ValueError, OSError), match="cannot be read") as error:
        extract(request(image=path))
    assert "broken.png" in str(error.value)


# What is refused


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"entities": ["Ada", "Eve"]}, "'Eve' does not occur in the text 'Ada met Bob in Paris'.*copy it"),
        ({"entities": ["Ada", "ada"]}, "'ada' does not occur"),
        ({"entities": ["Ada", ""]}, "'' does not occur"),
        ({"entities": ["Ada"]}, r"entities is \['Ada'\]; .*at least two"),
        ({"entities": []}, "at least two"),
        ({"entities": None}, 'This model finds no entities by itself; give "entities", .*at least two'),
        ({"entities": "Ada"}, "entities is 'Ada'; .*at least two"),
        ({"entities": 5}, "entities is 5; .*at least two"),
        ({"entities": {"Ada": 1, "Bob": 2}}, "a list of at least two"),
        ({"entities": ["Ada", "Ada"]}, r"Head and tail of the pair \(0, 1\) are both 'Ada'.*another occurrence"),
        ({"entities": ["Ada", (0, 3)]}, r"both 'Ada' at (characters )?0 to 3"),
        ({"entities": [(0, 3), (15, 21)]}, r"\(15, 21\) is not within the 20 characters.*end-exclusive"),
        ({"entities": [(0, 3), (-5, -1)]}, r"\(-5, -1\) is not within"),
        ({"entities": [(0, 3), (11, 8)]}, r"\(11, 8\) .*start < end"),
        ({"entities": [(0, 3), (8, 8)]}, r"\(8, 8\) .*start < end"),
        ({"entities": [(0, 3), (7, 8)]}, r"\(7, 8\) holds only white space; choose"),
        ({"entities": ["Ada", 3]}, "3 is neither a string nor a"),
        ({"entities": ["Ada", None]}, "None is neither"),
        ({"entities": ["Ada", (1, 2, 3)]}, r"\(1, 2, 3\) is neither"),
        ({"entities": ["Ada", (0.0, 3.0)]}, r"\(0.0, 3.0\) is neither"),
        ({"entities": ["Ada", ("0", "3")]}, "is neither"),
        ({"text": ""}, "text is ''; give the sentence"),
        ({"text": "  \n"}, "give the sentence"),
        ({"text": None}, "text is None"),
        ({"text": ["Ada"]}, "text is"),
        ({"image": b"x"}, "The image given as bytes cannot be read"),
        ({"image": 3}, "image is a int; give a path"),
        ({"text": "Ada and Bob \ud83d"}, "text holds half a character at 12"),
        ({"description": 3}, "description is 3; give a string"),
        ({"objects": "dog"}, "objects is 'dog'; give a list"),
        ({"objects": 3}, "objects is 3; give a list"),
        ({"objects": [3]}, "The object 3 is neither a name nor"),
        ({"objects": [""]}, "'label': ''} is neither a name"),
        ({"objects": [{"box": [0, 0, 1, 1]}]}, "'box': .* is neither"),
        ({"objects": [{"label": "dog", "box": [0, 0, 1, 1]}]}, "'dog' has a box, but there is no image"),
        ({"picture": "a.jpg"}, r"Unknown fields \['picture'\]; a request has text, entities, image"),
    ],
)
def test_a_wrong_request_is_refused_with_its_value_and_what_to_do(changes, message, extract):
    with pytest.raises(ValueError, match=message):
        extract(request(**changes))


WRONG_BOXES = [[1, 2, 3], [1, 2, 3, 4, 5], [1, 2, 3, None], "abcd", 7]
WRONG_BOXES += [[30, 5, 10, 15], [0, 0, 0, 5], [0, 0, 42, 10], [-2, 0, 5, 5], [0, 0, 5, float("nan")]]


@pytest.mark.parametrize("box", WRONG_BOXES)
def test_a_box_that_is_none_in_this_image_is_refused(box, extract):
    with pytest.raises(ValueError, match=r"The box .* of 'dog' is not"):
        extract(request(image=Image.new("RGB", SIZE), objects=[{"label": "dog", "box": box}]))


@pytest.mark.parametrize("nonsense", [TEXT, None, 3, b"Ada", [TEXT], (REQUEST, 3)])
def test_what_is_no_request_is_refused(nonsense, extract):
    with pytest.raises(ValueError, match='A request is a dict with "text" and "entities"'):
        extract(nonsense)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"pairs": [(0, 3)]}, r"\(0, 3\) is no \(head, tail\) out of the 3 entities"),
        ({"pairs": [(-1, 0)]}, r"\(-1, 0\) is no"),
        ({"pairs": [(0, 1, 2)]}, r"\(0, 1, 2\) is no"),
        ({"pairs": [(1, 1)]}, r"Head and tail of the pair \(1, 1\)"),
        ({"pairs": (0, 2)}, r"pairs is \(0, 2\); give a list"),
        ({"pairs": 5}, "pairs is 5; give a list"),
        ({"pairs": [("Ada", "Bob")]}, "give a list of .*indices"),
        ({"pairs": []}, "pairs is empty; name at least one"),
        ({"direction": "reverse"}, 'direction is \'reverse\'; it is "best" or "given"'),
        ({"top_k": 1}, r"Unknown options \['top_k'\]; there are pairs, direction"),
    ],
)
def test_a_wrong_option_is_refused_with_what_there_is(options, message, extract):
    with pytest.raises(ValueError, match=message):
        extract(REQUEST, **options)


def test_a_text_of_ten_thousand_words_is_refused_with_both_lengths(extract):
    with pytest.raises(ValueError, match=r"\d{5} wordpieces .* at most 512.*Split it"):
        extract(request(text=TEXT + " on" * 10_000), limits=None)


# Entities in the text


def test_a_string_means_its_first_occurrence(extract):
    answer = extract({"text": "Ada met Bob, then Bob left Ada", "entities": ["Bob", "Ada"]})
    [pair] = answer["pairs"]
    assert {(entity["text"], entity["start"]) for entity in (pair["head"], pair["tail"])} == {("Bob", 8), ("Ada", 0)}


def test_spans_reach_another_occurrence(extract):
    answer = extract({"text": "Ada met Bob, then Bob left Ada", "entities": [(8, 11), [18, 21]]})
    [pair] = answer["pairs"]
    assert {pair["head"]["start"], pair["tail"]["start"]} == {8, 18}


@pytest.mark.parametrize("spans", [[(0, 13), (9, 13)], [(0, 8), (4, 13)], [(0, 18), (0, 3)]])
def test_entities_may_overlap(spans, extract):
    [pair] = extract({"text": "New York City Hall", "entities": spans}, direction="given")["pairs"]
    assert [(entity["start"], entity["end"]) for entity in (pair["head"], pair["tail"])] == spans


@pytest.mark.parametrize("text", ["😀 Ada met محمد", "Ada 👩‍👩‍👧 met محمد", "Jose\u0301 Ada met محمد"])
def test_offsets_count_characters_of_any_kind(text, extract):
    for pair in extract({"text": text, "entities": ["Ada", "محمد"]})["pairs"]:
        assert set(ends(pair)) == {"Ada", "محمد"}
        assert all(text[entity["start"] : entity["end"]] == entity["text"] for entity in (pair["head"], pair["tail"]))


# Several requests

REQUESTS = [
    REQUEST,
    {"text": "Dan likes Eve very much", "entities": [(0, 3), (10, 13)], "description": DESCRIPTION},
    {"text": "Eve, Dan", "entities": ["Eve", "Dan"], **IMAGE_WITH_BOX},
    {"text": "Grace saw Ada and Bob and Eve", "entities": ["Grace", "Ada", "Bob", "Eve"], "objects": ["dog", "car"]},
    REQUEST,
]


@pytest.mark.parametrize("batch_size", [None, 2, 5, 50])
def test_several_requests_get_what_each_gets_alone(batch_size, extract):
    answers = extract(REQUESTS, batch_size=batch_size)
    assert isinstance(answers, list)
    for answer, one in zip(answers, REQUESTS, strict=True):
        assert_same(answer, extract(one))


def test_a_generator_is_answered_as_it_comes(extract):
    asked = []

    def requests():
        for one in REQUESTS:
            asked.append(one)
            yield one

    answers = iter(extract(requests(), batch_size=2))
    assert_same(next(answers), extract(REQUESTS[0]))
    assert len(asked) < len(REQUESTS)
    assert_same(list(answers), extract(REQUESTS[1:]))


def test_requests_within_the_batch_size_take_one_forward_call(extract, forward_calls):
    extract(REQUESTS, batch_size=5)
    assert forward_calls == [2 * (3 + 1 + 1 + 6 + 3)]
    extract(REQUESTS, batch_size=2, direction="given")
    assert forward_calls[1:] == [3 + 1, 1 + 6, 3]


def test_many_entities_take_one_forward_call(extract, forward_calls):
    names = ["Ada", "Bob", "Eve", "Dan", "Grace", "Alan", "Joan", "Kurt"]
    answer = extract({"text": " and ".join(names), "entities": names})
    assert len(answer["pairs"]) == 28
    assert forward_calls == [56]


# Other models


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_a_model_in_half_precision_answers_about_the_same(dtype, folder, extract):
    half = pipeline(TASK, model=folder, dtype=dtype)
    asked = request(**IMAGE_WITH_BOX)
    assert half.model.dtype == dtype
    for ours, theirs in zip(half(asked)["pairs"], extract(asked)["pairs"], strict=True):
        assert_same(ours["scores"], theirs["scores"], tolerance=0.05)


@pytest.mark.parametrize(
    "settings",
    [
        {"structure_encoder": "none"},
        {"visual_features": []},
        {"visual_features": ["pixels"]},
        {"entity_markers": "pair", "entity_pool": "marker"},
        {"update": "sequential", "num_layers": 1},
    ],
    ids=str,
)
def test_every_kind_of_model_answers(settings, tmp_path):
    extract = pipeline(TASK, model=save_tiny_checkpoint(tmp_path, **settings))
    for pair in extract(request(description=DESCRIPTION))["pairs"]:
        attention = [node["attention"] for node in pair["objects"]]
        assert sum(attention) == (pytest.approx(1, abs=1e-5) if attention else 0)


def test_of_several_requests_the_wrong_one_is_numbered(extract):
    with pytest.raises(ValueError, match="does not occur") as error:
        extract([REQUEST, REQUEST, request(entities=["Ada", "Zoe"])], batch_size=2)
    assert error.value.__notes__ == ["It is request 2, counted from 0."]
