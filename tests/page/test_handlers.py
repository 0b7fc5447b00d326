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
from page.extractor import Extractor
from page.handlers import Handlers
from page.render.answer import answer_html
from page.render.downloads import answer_json
from page.updates import RequestForm
from vmhan.object_detection import NO_DETECTOR


def fill_form(sentence: str, image: Image.Image | None = None, **changes) -> RequestForm:
    """A form with the suggested entities."""
    form = RequestForm(sentence, suggest_entities(sentence), image, "", NO_DETECTOR, None)
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
