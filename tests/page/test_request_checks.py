"""Requests: invalid ones are refused with a friendly error."""

import gradio as gr
import pytest
from tiny import save_tiny_checkpoint

from page.extractor import Extractor
from page.request_checks import check_request, run_extraction
from vmhan.request_limits import DEFAULT_LIMITS


@pytest.mark.parametrize(
    ("text", "entities", "told"),
    [
        (" ", ["a", "b"], "Write a sentence first"),
        ("Ada sleeps", ["Ada"], "needs two entities"),
        ("Ada Lovelace sleeps", [(0, 3), (0, 12)], "“Ada” and “Ada Lovelace” overlap"),
        ("Ada Lovelace sleeps", ["Ada Lovelace", "Lovelace"], "overlap"),
        ("word " * 10_000, [(0, 4), (5, 9)], "50,000 characters"),
        ("a b c d e f g h i j k l m n o p q", list("abcdefghijklmnopq"), "Up to 16"),
    ],
)
def test_request_that_cannot_be_answered_is_refused(text, entities, told):
    with pytest.raises(gr.Error, match=told):
        check_request(text, entities)


@pytest.mark.parametrize(("text", "told"), [(" ", "Write a sentence first"), ("a" * 2001, "2,001 characters")])
def test_sentence_is_checked_without_entities_too(text, told):
    with pytest.raises(gr.Error, match=told):
        check_request(text, None)


def test_unknown_style_is_refused_with_those_that_the_model_knows(tmp_path):
    extractor = Extractor(save_tiny_checkpoint(tmp_path, annotation_styles=["general", "mnre"]))
    request = extractor, "Ada met Bob", ["Ada", "Bob"]
    with pytest.raises(gr.Error, match="'tacred', which this model does not know: it knows 'general', 'mnre'"):
        run_extraction(*request, annotation_style="tacred")
    scores = [run_extraction(*request, annotation_style=style)["pairs"][0]["scores"] for style in (None, "mnre")]
    assert scores[0] != scores[1]


def test_entities_are_found_by_a_model_that_can_and_asked_of_others(folder, tmp_path):
    finder = Extractor(save_tiny_checkpoint(tmp_path, mention_kinds=["person"]))
    finder.get_pipeline().model.mention_head.layers[-1].bias.data[1] += 50  # every word is a person
    answer = run_extraction(finder, "Ada met Bob", None)
    assert [entity["text"] for entity in answer["entities"]] == ["Ada", "met", "Bob"] and len(answer["pairs"]) == 3
    with pytest.raises(gr.Error, match='finds no entities by itself; give "entities"'):
        run_extraction(Extractor(folder), "Ada met Bob", None)


def test_limits_are_those_of_the_pipeline():
    longest, most = DEFAULT_LIMITS.max_text_length, DEFAULT_LIMITS.max_entities
    names = [f"n{number}" for number in range(10, 11 + most)]
    text = " ".join(names)
    check_request(text.ljust(longest, "."), names[:most], "." * DEFAULT_LIMITS.max_description_length)
    with pytest.raises(gr.Error, match=f"Up to {longest:,} can be read"):
        check_request(text.ljust(longest + 1, "."), names[:most])
    with pytest.raises(gr.Error, match=f"Up to {most} go at once"):
        check_request(text, names)
    with pytest.raises(gr.Error, match="This description has 2,001 characters"):
        check_request(text, names[:most], "." * 2001)


def test_a_city_and_a_person_named_after_it_do_not_overlap():
    check_request("Paris Hilton in Paris", ["Paris", "Paris Hilton"])
    check_request("Bob met Bob", ["Bob", "Bob"])


@pytest.mark.parametrize("entities", [["Ada", "Eve"], [(0, 3), (4, 900)], [(0, 3), "😀"], [{}, 3]])
def test_entities_that_are_not_there_are_refused_by_name(folder, entities):
    with pytest.raises(gr.Error, match="entity"):
        run_extraction(Extractor(folder), "Ada met Bob", entities)
