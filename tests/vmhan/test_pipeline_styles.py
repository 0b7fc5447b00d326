"""The annotation style that a request chooses, or the pipeline for all of them."""

import pytest
from tiny import save_tiny_checkpoint
from transformers import pipeline

from vmhan.registrations import TASK

REQUEST = {"text": "Ada met Bob in Paris", "entities": ["Ada", "Bob", "Paris"]}
MNRE = {**REQUEST, "annotation_style": "mnre"}
HOT = {"no_relation": 4.0, "relation": 4.0}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> str:
    """A model of two styles, of which one has temperatures."""
    settings = {"annotation_styles": ["general", "mnre"], "initializer_range": 0.5}
    temperatures = {"mnre": {"direction_unknown": HOT}}
    return save_tiny_checkpoint(tmp_path_factory.mktemp("styles"), temperatures=temperatures, **settings)


@pytest.fixture(scope="module")
def extract(folder):
    return pipeline(TASK, model=folder)


def scores(answer: dict) -> list[float]:
    """The scores of all pairs."""
    return [score for pair in answer["pairs"] for score in pair["scores"].values()]


def test_first_style_is_that_of_requests_which_name_none(extract):
    general = extract({**REQUEST, "annotation_style": "general"})
    for unnamed in (REQUEST, {**REQUEST, "annotation_style": None}):
        assert scores(extract(unnamed)) == pytest.approx(scores(general), abs=1e-6)
    assert scores(extract(MNRE)) != pytest.approx(scores(general), abs=1e-2)


def test_option_is_that_of_requests_without_their_own(extract, folder):
    mnre = scores(extract(MNRE))
    assert scores(extract(REQUEST, annotation_style="mnre")) == pytest.approx(mnre, abs=1e-6)
    assert scores(pipeline(TASK, model=folder, annotation_style="mnre")(REQUEST)) == pytest.approx(mnre, abs=1e-6)
    assert scores(extract(MNRE, annotation_style="general")) == pytest.approx(mnre, abs=1e-6)


@pytest.mark.parametrize("direction", ["best", "given"])
def test_requests_of_a_batch_keep_their_styles(extract, direction):
    requests = [REQUEST, MNRE, {**REQUEST, "text": "Ada, Bob, Paris", "annotation_style": "general"}, MNRE]
    together = extract(requests, batch_size=4, direction=direction)
    for answer, request in zip(together, requests, strict=True):
        assert scores(answer) == pytest.approx(scores(extract(request, direction=direction)), abs=1e-5)


def test_scores_have_the_temperature_of_their_style(extract, monkeypatch):
    answers = extract(REQUEST), extract(MNRE)
    monkeypatch.setattr(extract.model.config, "temperatures", None)
    assert scores(extract(REQUEST)) == pytest.approx(scores(answers[0]), abs=1e-6)
    for before, after in zip(extract(MNRE)["pairs"], answers[1]["pairs"], strict=True):
        powers = {label: score**0.25 for label, score in before["scores"].items()}
        assert after["scores"] == pytest.approx({k: v / sum(powers.values()) for k, v in powers.items()}, abs=1e-4)


def test_unknown_style_of_a_request_is_refused_with_those_that_the_model_knows(extract):
    answers = extract([REQUEST, {**REQUEST, "annotation_style": "tacred"}], on_error="return", batch_size=2)
    assert "pairs" in answers[0]
    assert "'tacred', which this model does not know: it knows 'general', 'mnre'" in answers[1]["error"]
    with pytest.raises(ValueError, match="annotation_style is 3, which this model does not know"):
        extract({**REQUEST, "annotation_style": 3})


def test_unknown_style_of_the_pipeline_is_refused_before_any_request_is_read(extract, folder):
    with pytest.raises(ValueError, match="'tacred', which this model does not know"):
        extract([], annotation_style="tacred", on_error="skip")
    with pytest.raises(ValueError, match="it knows 'general', 'mnre'"):
        pipeline(TASK, model=folder, annotation_style="tacred")


def test_model_without_styles_says_so(tmp_path):
    extract = pipeline(TASK, model=save_tiny_checkpoint(tmp_path))
    with pytest.raises(ValueError, match="'mnre', which this model does not know: it has none"):
        extract(MNRE)
    assert extract(REQUEST)["pairs"]
