"""Wiring of the page: events take and return what their handlers do."""

import inspect

import gradio as gr
import pytest
from tiny import save_tiny_checkpoint

from page.components import style_note
from page.extractor import Extractor
from page.layout import build_page
from page.updates import RequestForm

KINDS = {
    "sentence": gr.Textbox,
    "entities": gr.State,
    "words": gr.HTML,
    "image": gr.Image,
    "description": gr.Textbox,
    "filled_description": gr.State,
    "detector": gr.Dropdown,
    "annotation_style": gr.State,
    "example": gr.State,
    "answer": gr.State,
    "answer_html": gr.HTML,
}


@pytest.fixture(scope="module")
def events() -> list:
    return list(build_page(Extractor("unused")).fns.values())


def check_kinds(names, blocks) -> None:
    for name, block in zip(names, blocks, strict=True):
        assert isinstance(block, KINDS[name]), name


def test_values_of_an_update_reach_components_of_their_kind(events):
    updates = [(event, inspect.signature(event.fn).return_annotation) for event in events]
    named = [(event, update) for event, update in updates if hasattr(update, "_fields")]
    assert {event.name for event, _ in named} >= {"choose_example", "toggle_word", "change_image", "find_relations"}
    for event, update in named:
        check_kinds(update._fields, event.outputs)


def test_a_request_takes_the_fields_of_its_form(events):
    (event,) = [event for event in events if event.name == "find_relations"]
    *names, progress = inspect.signature(event.fn).parameters
    assert tuple(names) == RequestForm._fields and progress == "progress"
    check_kinds(names, event.inputs)


def find_styles(page: gr.Blocks) -> list[gr.Dropdown]:
    """The choices of an annotation style."""
    return [block for block in page.blocks.values() if getattr(block, "label", None) == "Annotation style"]


def test_styles_are_a_choice_where_the_model_knows_some(folder, tmp_path):
    styled = save_tiny_checkpoint(tmp_path, annotation_styles=["general", "mnre"])
    (choice,) = find_styles(build_page(Extractor(styled)))
    assert choice.value == "general" and [value for _, value in choice.choices] == ["general", "mnre"]
    assert choice.info == "general: plain sentences; mnre: as the annotators of the MNRE benchmark would mark"
    with pytest.raises(gr.Error, match="Choose one of the annotation styles"):
        choice.preprocess("tacred")
    assert find_styles(build_page(Extractor(folder))) == []


def test_only_known_styles_are_explained():
    assert style_note(["tacred", "general"]) == "general: plain sentences"
