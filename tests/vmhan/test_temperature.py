"""Temperatures: what a user's scores are divided by."""

import pytest
import torch
from huggingface_hub.errors import StrictDataclassClassValidationError

from vmhan import VMHANConfig
from vmhan.temperature import calibrated_scores

NAMES = ["None", "a", "b"]
TEMPERATURES = {
    "direction_unknown": {"no_relation": 0.5, "relation": 2.0},
    "direction_given": {"no_relation": 0.8, "relation": 1.25},
}
LOGITS = torch.tensor([[2.0, 1.0, 0.0], [0.0, 1.0, 3.0]])


def config(temperatures=TEMPERATURES, **settings):
    labels = {"id2label": dict(enumerate(NAMES)), "label2id": {name: i for i, name in enumerate(NAMES)}}
    return VMHANConfig(**labels, temperatures=temperatures, **settings)


@pytest.mark.parametrize("given", [False, True])
def test_each_pair_has_the_temperature_of_its_mode_and_of_its_answer(given):
    scores = calibrated_scores(LOGITS, torch.tensor([given, given]), config())
    none, relation = (0.8, 1.25) if given else (0.5, 2.0)
    for row, temperature in enumerate((none, relation)):
        exact = [float(torch.exp(LOGITS[row, label] / temperature)) for label in range(3)]
        assert scores[row].tolist() == pytest.approx([value / sum(exact) for value in exact])
    assert scores.sum(dim=1).tolist() == pytest.approx([1, 1])
    assert scores.argmax(dim=1).tolist() == LOGITS.argmax(dim=1).tolist()


def test_without_temperatures_scores_are_the_softmax():
    torch.testing.assert_close(calibrated_scores(LOGITS, False, config(None)), LOGITS.softmax(dim=-1))


def test_temperatures_travel_with_the_config(tmp_path):
    config().save_pretrained(tmp_path)
    assert VMHANConfig.from_pretrained(tmp_path).temperatures == TEMPERATURES


@pytest.mark.parametrize(
    "wrong",
    [
        {"direction_unknown": {"no_relation": 0.0, "relation": 1.0}},
        {"direction_unknown": {"relation": 1.0}},
        {"sideways": {"no_relation": 1.0, "relation": 1.0}},
        {"direction_given": 1.5},
    ],
)
def test_temperatures_that_divide_by_nothing_known_are_refused(wrong):
    with pytest.raises(StrictDataclassClassValidationError, match="temperatures"):
        config(wrong)
