"""Events of the page."""

import json
from pathlib import Path

import gradio as gr
import pytest
from PIL import Image
from tiny import save_tiny_checkpoint
from tiny_detectors import save_tiny_bundled

from page.entity_spans import EntitySelection, entity_character_spans, suggest_entities, toggle_word
from page.examples.catalog import example_image, find_example
from page.examples.handlers import ExampleHandlers
from page.extractor import Extractor
from page.handlers import Handlers
from page.render.answer import answer_html
from page.render.downloads import answer_json
from page.updates import RequestForm
from vmhan.object_detection import NO_DETECTOR


def fill_form(sentence: str, image: Image.Image | None = None, **changes) -> RequestForm:
    """A form with the suggested entities."""
    form = RequestForm(sentence, suggest_entities(sentence), image, "", NO_DETECTOR, None, None)
    return form._replace(**changes)


def edited(entities: EntitySelection, sentence: str) -> list[str]:
    """The entities after the sentence became another."""
    entities = Handlers(Extractor("unused")).edit_sentence(sentence, entities).entities
    return [sentence[start:end] for start, end in entity_character_spans(entities)]


def test_picked_words_survive_an_edit_elsewhere():
    entities = toggle_word(toggle_word(EntitySelection("ada met bob in Paris"), 0), 2)
    assert edited(entities, "ada once met bob in Rome") == ["ada", "bob"]


def test_new_sentence_brings_suggestions():
    assert edited(toggle_word(EntitySelection("ada met bob"), 0), "Eve left Rome") == ["Eve", "Rome"]


@pytest.fixture
def finder(tmp_path) -> Extractor:
    """A model that takes every word for a person."""
    extractor = Extractor(save_tiny_checkpoint(tmp_path, mention_kinds=["place", "person"]))
    extractor.get_pipeline().model.mention_head.layers[-1].bias.data[3] += 50
    return extractor


def test_model_finds_the_entities_of_a_sentence(finder):
    entities = Handlers(finder).edit_sentence("ada met Bob", EntitySelection()).entities
    assert [finding.word_span for finding in entities.findings] == [(0, 1), (1, 2), (2, 3)]
    assert {finding.kind for finding in entities.findings} == {"person"} and not entities.by_hand
    assert Handlers(finder).suggest("ada met Bob").words.count('<small class="kind">person</small>') == 3


def test_what_the_model_found_reaches_the_answer_with_kind_and_score(finder):
    handlers = Handlers(finder)
    entities = toggle_word(handlers.suggest_entities("ada met Bob"), 1)
    answer = handlers.build_answer(fill_form("ada met Bob", entities=entities))
    kinds = {entity["text"]: entity["kind"] for entity in answer["entities"]}
    assert kinds == {"ada": "person", "Bob": "person"}
    assert json.loads(answer_json(answer))["entities"] == answer["entities"]
    assert len(answer["pairs"]) == 1


def test_without_a_mention_head_capital_letters_suggest_entities(folder):
    entities = Handlers(Extractor(folder)).suggest_entities("ada met Bob")
    assert entities.findings == () and entities.word_spans == ((2, 3),)


def test_a_model_that_is_unavailable_leaves_capital_letters_and_is_not_tried_at_every_letter(tmp_path, monkeypatch):
    extractor, tried = Extractor(tmp_path), []
    load = extractor._load_pipeline
    monkeypatch.setattr(extractor, "_load_pipeline", lambda: tried.append(1) or load())
    handlers = Handlers(extractor)
    for _ in range(3):
        assert handlers.suggest_entities("ada met Bob").word_spans == ((2, 3),)
    assert tried == [1]
    save_tiny_checkpoint(tmp_path, mention_kinds=["person"])
    extractor.get_pipeline().model.mention_head.layers[-1].bias.data[1] += 50
    assert len(handlers.suggest_entities("ada met Bob").word_spans) == 3, "once a request has loaded it, it suggests"


def test_examples_are_answered_in_each_annotation_style(tmp_path):
    extractor = Extractor(save_tiny_checkpoint(tmp_path, annotation_styles=["general", "mnre"]))
    examples = ExampleHandlers(Handlers(extractor))
    form = examples.choose_example(gr.EventData(None, {"example": "game"}))
    scores = []
    for style in ("general", "mnre"):
        examples.prepare_example("game", style)
        shown = examples.show_example(form.sentence, "game", form.entities, style)
        scores.append([pair["scores"] for pair in shown.answer["pairs"]])
    assert scores[0] != scores[1]


def test_progress_says_what_an_answer_waits_for(folder, detector):
    handlers, said = Handlers(Extractor(folder, detector)), []
    for image in (None, Image.new("RGB", (64, 48)), Image.new("RGB", (64, 48), "red")):
        form = fill_form("Ada met Bob", image, detector=detector)
        handlers.find_relations(*form, progress=lambda share, desc: said.append(desc))
    assert said == ["Loading the model", "Loading the detector", "Detecting objects in the image"]


def test_unavailable_detector_falls_back_to_the_bundled_one_with_a_warning(folder, tmp_path, monkeypatch):
    bundled = save_tiny_bundled(tmp_path / "bundled")
    monkeypatch.setattr("vmhan.bundled_weights.BUNDLED_FOLDER", Path(bundled))
    said = []
    monkeypatch.setattr(gr, "Warning", said.append)
    image, gone = Image.new("RGB", (64, 48), "red"), str(tmp_path / "gone.pt")
    answer = Handlers(Extractor(folder)).build_answer(fill_form("Ada met Bob", image, detector=gone))
    assert answer["objects"] and answer["source"] == "The bundled detector found them."
    assert said == ["The detector is unavailable now, so the bundled detector is used."]
    assert answer["warnings"][-1:] == said


def test_example_in_which_nothing_is_detected_shows_what_we_marked(folder, tmp_path, monkeypatch):
    example = find_example("wedding")
    image = example_image(example)
    handlers = Handlers(Extractor(folder))
    monkeypatch.setattr("vmhan.bundled_weights.BUNDLED_FOLDER", Path(save_tiny_bundled(tmp_path / "bundled")))
    form = fill_form(
        example.sentence, image, description=example.description, detector="bundled", example=example.slug
    )
    found = handlers.build_answer(form)
    assert found["source"] == "The bundled detector found them."
    handlers.extractor.get_detector("bundled").settings.score_threshold = 1.0
    handlers.extractor.cache._results.clear()
    marked = handlers.build_answer(form)
    assert marked["source"] == "Marked by us for this example."
    assert [item["label"] for item in marked["objects"]] == [label for label, _ in example.marked]


@pytest.mark.parametrize("none", ["None", "NA"])
def test_pairs_without_a_relation_have_the_models_own_label(tmp_path, none):
    names = [none, "works_for"]
    labels = {"id2label": dict(enumerate(names)), "label2id": {name: i for i, name in enumerate(names)}}
    extractor = Extractor(save_tiny_checkpoint(tmp_path, no_relation=none, **labels))
    extractor.get_pipeline().model.classifier.bias.data[0] += 50  # so that no pair has one
    answer = Handlers(extractor).build_answer(fill_form("Ada met Bob"))
    (pair,) = answer["pairs"]
    assert pair["relation"] == none
    shown = answer_html(answer, 0)
    assert "No relation in 1 pair" in shown and "no relation" in shown and "marker-end" not in shown
    (kept,) = json.loads(answer_json(answer))["pairs"]
    assert kept == {key: value for key, value in pair.items() if key != "related"}
