"""Scores of the pipeline are calibrated, and no answer depends on that."""

import pytest
from tiny import save_tiny_checkpoint
from transformers import pipeline

REQUEST = {
    "text": "Ada met Bob in Paris, where Acme and Zed play.",
    "entities": ["Ada", "Bob", "Paris", "Acme", "Zed"],
    "description": "Two men wave.",
}
TEMPERATURES = {
    "direction_unknown": {"no_relation": 0.5, "relation": 3.0},
    "direction_given": {"no_relation": 0.25, "relation": 2.0},
}


@pytest.fixture(scope="module")
def extract(tmp_path_factory):
    checkpoint = save_tiny_checkpoint(tmp_path_factory.mktemp("model"), seed=5, initializer_range=0.5)
    return pipeline("multimodal-relation-extraction", model=checkpoint)


@pytest.mark.parametrize(("direction", "mode"), [("best", "direction_unknown"), ("given", "direction_given")])
def test_scores_are_those_of_the_model_by_the_temperature_of_mode_and_answer(extract, monkeypatch, direction, mode):
    plain = extract(REQUEST, direction=direction)["pairs"]
    monkeypatch.setattr(extract.model.config, "temperatures", TEMPERATURES)
    calibrated = extract(REQUEST, direction=direction)["pairs"]
    kinds = {pair["relation"] == "None" for pair in plain}
    assert kinds == {True, False}, "both temperatures are in use"
    for before, after in zip(plain, calibrated, strict=True):
        assert (after["head"], after["tail"], after["relation"]) == (
            before["head"],
            before["tail"],
            before["relation"],
        )
        assert sum(after["scores"].values()) == pytest.approx(1, abs=1e-5)
        temperature = TEMPERATURES[mode]["no_relation" if before["relation"] == "None" else "relation"]
        powers = {label: score ** (1 / temperature) for label, score in before["scores"].items()}
        expected = {label: power / sum(powers.values()) for label, power in powers.items()}
        assert after["scores"] == pytest.approx(expected, abs=1e-4)
        assert after["score"] == after["scores"][after["relation"]]
