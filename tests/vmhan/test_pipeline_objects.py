"""The pipeline on relations to an object of the image."""

import pytest
import torch
from PIL import Image
from tiny import save_tiny_checkpoint
from transformers import pipeline

from vmhan.extraction_request import read_request
from vmhan.registrations import TASK

TEXT = "Ada met Bob in Paris"
BOX = [10, 5, 40, 45]
COAT = {"box": BOX, "label": "a red coat"}


@pytest.fixture(scope="module")
def extract(tmp_path_factory):
    folder = save_tiny_checkpoint(tmp_path_factory.mktemp("model"), visual_features=["text", "box"])
    return pipeline(TASK, model=folder)


@pytest.fixture(scope="module")
def image() -> Image.Image:
    return Image.new("RGB", (80, 50), (90, 20, 160))


def asked(image, *entities, **more) -> dict:
    return {"text": TEXT, "image": image, "entities": list(entities), **more}


def test_the_tail_of_the_answer_is_the_object(extract, image):
    answer = extract(asked(image, "Ada", COAT))
    (pair,) = answer["pairs"]
    assert pair["head"] == {"text": "Ada", "start": 0, "end": 3}
    assert pair["tail"] == {"text": "a red coat", "start": None, "end": None, "box": BOX, "object": 0}
    assert answer["objects"][0]["box"] == BOX
    assert sum(pair["scores"].values()) == pytest.approx(1) and pair["relation"] in pair["scores"]


def test_a_label_is_optional_and_makes_a_difference(extract, image):
    named, unnamed = (extract(asked(image, "Ada", entity))["pairs"][0] for entity in (COAT, {"box": BOX}))
    assert unnamed["tail"]["text"] is None and named["scores"] != unnamed["scores"]


def test_an_object_can_be_named_by_its_index(extract, image):
    objects = [{"label": "a dog", "score": 0.2, "box": [0, 0, 9, 9]}, {**COAT, "score": 1.0}]
    by_index = extract(asked(image, "Ada", {"object": 1}, objects=objects))
    by_box = extract(asked(image, "Ada", COAT, objects=objects))
    assert by_index == by_box and by_index["pairs"][0]["tail"]["text"] == "a red coat"
    assert [item["label"] for item in by_index["objects"]] == ["a red coat", "a dog"]


def test_beside_the_tail_are_the_other_objects(extract, image):
    objects = [{"label": name, "box": [i, i, i + 9, i + 9]} for i, name in enumerate(("dog", "tie", "cup", "hat"))]
    answer = extract(asked(image, "Ada", "Bob", {"object": 0}, COAT, objects=objects))
    seen = [{item["label"] for item in pair["objects"]} - {"image"} for pair in answer["pairs"]]
    tails = [pair["tail"]["text"] for pair in answer["pairs"]]
    assert tails == ["Bob", "dog", "a red coat", "dog", "a red coat"] or tails[0] in ("Bob", "Ada")
    for of_pair, tail in zip(seen, tails, strict=True):
        assert tail not in of_pair and len(of_pair) == 3


def test_pairs_go_from_the_text_to_an_object_whatever_their_order(extract, image):
    first, last = (extract(asked(image, *order))["pairs"] for order in ((COAT, "Ada"), ("Ada", COAT)))
    assert first == last
    given = extract(asked(image, "Ada", COAT), direction="given")["pairs"]
    assert given[0]["scores"] == pytest.approx(last[0]["scores"])


def test_two_objects_make_no_pair(extract, image):
    answer = extract(asked(image, "Ada", COAT, {"box": [0, 0, 9, 9], "label": "a dog"}))
    assert [pair["tail"]["text"] for pair in answer["pairs"]] == ["a red coat", "a dog"]


def test_a_batch_answers_as_its_requests_alone(extract, image):
    requests = [
        asked(image, "Ada", COAT),
        {"text": TEXT, "entities": ["Ada", "Bob"], "description": "Two people shake hands."},
        asked(image, "Bob", {"box": BOX}, "Paris"),
    ]
    together = extract(requests, batch_size=3)
    for answer, request in zip(together, requests, strict=True):
        alone = extract(request)
        for pair, same in zip(answer["pairs"], alone["pairs"], strict=True):
            assert pair["tail"] == same["tail"] and pair["scores"] == pytest.approx(same["scores"], abs=1e-5)


def test_another_box_is_another_object(extract, image):
    scores = [extract(asked(image, "Ada", {"box": box}))["pairs"][0]["scores"] for box in (BOX, [60, 5, 80, 45])]
    assert not torch.allclose(*(torch.tensor(list(of_box.values())) for of_box in scores), atol=1e-6)


def test_the_hypergraph_names_the_tail_and_the_objects_beside_it(extract, image):
    beside = {"label": "dog", "box": [0, 0, 9, 9]}
    request = {**asked(image, "Ada", {"box": BOX}), "objects": [beside], "description": "A coat."}
    (pair,) = extract(request, hypergraph=True)["pairs"]
    named = [(node["kind"], node["name"]) for node in pair["hypergraph"]["nodes"]]
    assert named[:2] == [("head", "Ada"), ("tail", "object")]
    assert [name for kind, name in named if kind == "object"] == ["dog"]


@pytest.mark.parametrize(
    "entities, more, why",
    [
        (["Ada", {"box": [10, 5, 90, 45]}], {}, r"box \[10.0, 5.0, 90.0, 45.0\] of 'entity' is not within the image"),
        (["Ada", {"box": [1, 2, 3]}], {}, "is not four numbers"),
        (["Ada", {"name": "coat"}], {}, r"is no object of the image: give \{\"box\""),
        (["Ada", {**COAT, "color": "red"}], {}, "is no object of the image"),
        (["Ada", {"object": 0}], {}, "is none of the 0 objects of the request"),
        (["Ada", {"object": 1}], {"objects": ["dog"]}, "is none of the 1 objects of the request, counted from 0"),
        (["Ada", {"object": True}], {"objects": ["dog", "tie"]}, "is none of the 2 objects"),
        ([COAT, {"box": [0, 0, 9, 9]}], {}, "All entities are objects of the image"),
        (["Ada", COAT], {"image": None}, "has a box, but there is no image"),
    ],
)
def test_what_is_no_object_is_refused(image, entities, more, why):
    with pytest.raises(ValueError, match=why):
        read_request({**asked(image, *entities), **more})


def test_an_object_is_no_head(image):
    with pytest.raises(ValueError, match=r"head of the pair \(1, 0\) is an object of the image"):
        read_request(asked(image, "Ada", COAT), pairs=[(1, 0)])


def test_a_model_that_cannot_know_the_object_says_what_it_needs(tmp_path, image):
    blind = pipeline(TASK, model=save_tiny_checkpoint(tmp_path, visual_features=["text"]))
    with pytest.raises(ValueError, match=r"tail of pair 0.* a label \(text\)"):
        blind(asked(image, "Ada", {"box": BOX}))


def test_a_model_trained_with_selected_nodes_refuses_objects(extract, image, monkeypatch):
    settings = {"selector": "words", "num_text_phrases": 1, "num_visual_phrases": 1, "num_objects": 1}
    monkeypatch.setattr(extract.processor, "node_selection", settings)
    with pytest.raises(ValueError, match=r"Entity 1 is an object of the image, but this model"):
        extract(asked(image, "Ada", COAT))
