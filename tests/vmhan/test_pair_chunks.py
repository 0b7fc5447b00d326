"""Pairs go through the model in chunks, with the answers of all at once."""

from contextlib import contextmanager

import pytest
import torch
from PIL import Image
from tiny import tiny_batch, tiny_image_processor, tiny_model, tiny_processor, tiny_vgg_config
from transformers import pipeline

from vmhan import pipeline_vmhan
from vmhan.node_selection import NodeSelection
from vmhan.registrations import TASK

FEATURES = ["pixels", "text", "box"]
NAMES = [f"n{number}" for number in range(10, 34)]
DESCRIPTION = "A man and a woman on a bridge."
MANY = {"text": " ".join(NAMES), "entities": NAMES, "description": DESCRIPTION}
FEW = {"text": "Ada met Bob in Rome", "entities": ["Ada", "Bob", "Rome"], "objects": ["dog"]}
PICTURE = Image.linear_gradient("L").convert("RGB").resize((60, 40))
EVERY_KIND = [
    {},
    {"update": "sequential", "num_layers": 1},
    {"structure_encoder": "gat"},
    {"structure_encoder": "none"},
    {"entity_markers": "pair", "entity_pool": "mean_marker"},
    {"entity_markers": "shared", "entity_pool": "first", "order_embedding": True},
    {"direction_classifier": True, "pair_features": "interaction"},
    {"visual_features": []},
]


def assert_same(ours, theirs):
    """Equal answers, floats within 1e-6."""
    assert type(ours) is type(theirs)
    if isinstance(ours, dict):
        assert ours.keys() == theirs.keys()
        ours, theirs = list(ours.values()), list(theirs.values())
    if not isinstance(ours, list):
        assert ours == (pytest.approx(theirs, abs=1e-6) if isinstance(ours, float) else theirs)
        return
    assert len(ours) == len(theirs)
    for one, other in zip(ours, theirs, strict=True):
        assert_same(one, other)


@contextmanager
def counted(module):
    """The rows of each call of a module."""
    calls = []
    hook = module.register_forward_pre_hook(
        lambda module, args, kwargs: calls.append(len((args or list(kwargs.values()))[0])), with_kwargs=True
    )
    yield calls
    hook.remove()


# The model


@pytest.mark.parametrize("settings", EVERY_KIND, ids=str)
@pytest.mark.parametrize("objects_as_tails", [False, True])
@pytest.mark.parametrize("size", [1, 2])
def test_chunks_of_pairs_give_what_all_give_at_once(settings, objects_as_tails, size):
    settings = {"visual_features": FEATURES, **settings}
    model, batch, pairs = tiny_model(**settings), tiny_batch(), 5
    del batch["labels"]
    given = torch.tensor([True, False, True, True, False])
    if objects_as_tails and settings["visual_features"]:
        batch["tail_object"] = torch.tensor([-1, 1, 0, -1, 0])
        batch["pair_object_mask"] = torch.tensor([[1, 1, 1], [1, 1, 0], [0, 1, 1], [1, 0, 0], [1, 1, 1]]).bool()
    wanted = {"output_attentions": True, "output_hidden_states": True}
    with torch.no_grad():
        whole = model(**batch, direction_given=given, **wanted)
        encoded = model.vmhan.encode(**batch, sentences_at_once=1)
        chunks = [
            model(encoded=encoded.pairs(start, start + size), direction_given=given[start : start + size], **wanted)
            for start in range(0, pairs, size)
        ]
    for name, value in whole.items():
        for layer, tensor in enumerate(value if isinstance(value, tuple) else [value]):
            parts = [chunk[name][layer] if isinstance(value, tuple) else chunk[name] for chunk in chunks]
            joined = parts[0] if name == "node_types" else torch.cat(parts)
            torch.testing.assert_close(joined, tensor, atol=1e-6, rtol=1e-5)


def test_sentences_out_of_order_are_encoded_a_few_at_a_time():
    model, batch = tiny_model(), tiny_batch()
    batch["pair_sentence"] = torch.tensor([1, 0, 1, 1, 0])
    del batch["labels"]
    with torch.no_grad(), counted(model.vmhan.text_model) as calls:
        ours = model.vmhan.encode(**batch, sentences_at_once=1)
        assert calls[:2] == [1, 1]
        theirs = model.vmhan.encode(**batch)
    torch.testing.assert_close(ours.mentions.states, theirs.mentions.states)
    torch.testing.assert_close(ours.text_phrases.states, theirs.text_phrases.states)
    assert torch.equal(ours.text_phrases.mask, theirs.text_phrases.mask)


def test_training_gets_the_gradients_it_got():
    """Encoding apart from the hypergraph leaves `forward` as it is."""
    gradients = []
    for apart in (False, True):
        model, batch = tiny_model(visual_features=FEATURES), tiny_batch()
        labels = batch.pop("labels")
        inputs = {"encoded": model.vmhan.encode(**batch)} if apart else batch
        model(**inputs, labels=labels).loss.backward()
        gradients.append([parameter.grad for parameter in model.parameters() if parameter.grad is not None])
    torch.testing.assert_close(*gradients)


def test_a_model_that_is_given_nothing_says_so():
    with pytest.raises(ValueError, match=r"given no input_ids, .*tail_span; call it as model"):
        tiny_model()()


# The pipeline


def load(folder, **settings):
    seeing = settings.get("vision_config") is not None
    model = tiny_model(**settings)
    model.save_pretrained(folder)
    processor = {"image_processor": tiny_image_processor()} if seeing else {}
    tiny_processor(entity_markers=model.config.entity_markers, **processor).save_pretrained(folder)
    return pipeline(TASK, model=str(folder))


@pytest.mark.parametrize("settings", EVERY_KIND, ids=str)
def test_the_pipeline_answers_in_chunks_as_at_once(settings, tmp_path, monkeypatch):
    extract = load(tmp_path, **{"visual_features": ["text", "box"], **settings})
    options = {"batch_size": 2, "hypergraph": True}
    monkeypatch.setattr(pipeline_vmhan, "PAIRS_AT_ONCE", 10**6)
    monkeypatch.setattr(pipeline_vmhan, "WORDPIECES_AT_ONCE", 10**9)
    whole = [
        extract([FEW, {**FEW, "text": "Rome, Ada met Bob"}], direction=way, **options) for way in ("best", "given")
    ]
    monkeypatch.setattr(pipeline_vmhan, "PAIRS_AT_ONCE", 2)
    monkeypatch.setattr(pipeline_vmhan, "WORDPIECES_AT_ONCE", 60)
    parts = [
        extract([FEW, {**FEW, "text": "Rome, Ada met Bob"}], direction=way, **options) for way in ("best", "given")
    ]
    assert_same(parts, whole)


def test_each_chunk_has_the_directions_of_its_own_pairs(tmp_path, monkeypatch):
    """A pair whose tail is an object has one direction, which is given; those beside it are tried both ways round."""
    extract = load(tmp_path, visual_features=["text"], direction_classifier=True)
    tails = [{"box": [0, 0, 9, 9], "label": "hat"}, {"box": [9, 9, 20, 20], "label": "dog"}]
    request = {**FEW, "image": PICTURE, "entities": ["Ada", tails[0], "Bob", tails[1], "Rome"]}
    whole = extract([FEW, request], batch_size=2, detector="none")
    for size in (1, 2, 3, 4):
        monkeypatch.setattr(pipeline_vmhan, "PAIRS_AT_ONCE", size)
        assert_same(extract([FEW, request], batch_size=2, detector="none"), whole)


def test_many_pairs_are_encoded_once_and_their_chunks_are_bounded(tmp_path):
    extract = load(tmp_path, visual_features=["pixels", "text"], vision_config=tiny_vgg_config())
    asked = {**MANY, "image": PICTURE, "objects": [{"label": "hat", "box": [0, 0, 30, 20]}]}
    model = extract.model.vmhan
    with (
        counted(model.text_model) as sentences,
        counted(model.vision_model) as images,
        counted(model.gaussian_nodes) as chunks,
    ):
        answer = extract(asked, limits=None)
    assert len(answer["pairs"]) == 276
    assert chunks == [128, 128, 128, 128, 40]
    assert images == [2], "the image and a crop"
    assert sentences[0] == 1 and len(sentences) == 2, "the sentence, then the words about the image"


def test_each_of_many_sentences_with_markers_of_a_pair_is_encoded_once(tmp_path, monkeypatch):
    extract = load(tmp_path, entity_markers="pair")
    monkeypatch.setattr(pipeline_vmhan, "WORDPIECES_AT_ONCE", 20_000)
    with counted(extract.model.vmhan.text_model) as sentences:
        extract({name: MANY[name] for name in ("text", "entities")}, limits=None)
    assert sum(sentences) == 2 * 276 and len(sentences) > 2
    length = 2 * len(NAMES) + len("".join(NAMES))
    assert max(sentences) * length <= 20_000 * 2


def test_selected_phrases_are_encoded_once_for_all_chunks(tmp_path, monkeypatch):
    tiny_model().save_pretrained(tmp_path)
    counts = {"num_text_phrases": 1, "num_visual_phrases": 1, "num_objects": 1}
    tiny_processor(node_selection={"selector": "words", **counts}).save_pretrained(tmp_path)
    extract = pipeline(TASK, model=str(tmp_path))

    class Alternating:
        def select(self, requests):
            return [
                NodeSelection(text_phrases=[(0, 3)] * (i % 2), visual_phrases=["a kite", "a red kite"][: 1 + i % 2])
                for i in range(len(requests))
            ]

    whole = extract(FEW, selector=Alternating(), hypergraph=True)
    monkeypatch.setattr(pipeline_vmhan, "PAIRS_AT_ONCE", 2)
    with counted(extract.model.vmhan.text_model) as calls:
        parts = extract(FEW, selector=Alternating(), hypergraph=True)
    assert len(calls) == 3, "the sentence, the object, the phrases"
    assert_same(parts, whole)
