"""Temperatures: what a user's scores are divided by."""

import pytest
import torch
from huggingface_hub.errors import StrictDataclassClassValidationError

from vmhan import VMHANConfig
from vmhan.temperature import calibrated_scores, shift_likeliest

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


STYLES = ["general", "mnre"]
BY_STYLE = {"mnre": TEMPERATURES, "general": {"direction_unknown": {"no_relation": 4.0, "relation": 0.5}}}


@pytest.mark.parametrize("given", [False, True])
def test_each_pair_has_the_temperature_of_its_annotation_style(given):
    by_style = config(BY_STYLE, annotation_styles=STYLES)
    mixed = calibrated_scores(LOGITS, given, by_style, torch.tensor([1, 0]))
    torch.testing.assert_close(mixed[0], calibrated_scores(LOGITS, given, config())[0])
    general = 1.0 if given else 0.5  # the style has no temperatures where the direction is given
    torch.testing.assert_close(mixed[1], (LOGITS[1] / general).softmax(dim=0))


def test_without_a_style_the_temperatures_are_those_of_the_first():
    by_style = config(BY_STYLE, annotation_styles=STYLES)
    first = calibrated_scores(LOGITS, False, by_style, 0)
    torch.testing.assert_close(calibrated_scores(LOGITS, False, by_style), first)
    assert not torch.allclose(first, calibrated_scores(LOGITS, False, by_style, 1))


def test_temperatures_without_styles_are_those_of_every_style():
    flat = config(annotation_styles=STYLES)
    expected = calibrated_scores(LOGITS, False, config())
    for style in (None, 0, 1):
        torch.testing.assert_close(calibrated_scores(LOGITS, False, flat, style), expected)


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


def test_bias_moves_the_log_odds_of_the_likeliest_label():
    probabilities = torch.tensor([[0.2, 0.7, 0.1]]).double()
    shifted = shift_likeliest(probabilities, torch.tensor([-0.5]).double())[0]
    odds = 0.7 / 0.3 * torch.tensor(-0.5).double().exp()
    assert shifted[1] == pytest.approx(float(odds / (1 + odds)))
    assert float(shifted[0] / shifted[2]) == pytest.approx(2)
    assert shifted.sum() == pytest.approx(1)


def test_bias_changes_no_answer():
    probabilities = torch.rand(50, 4).softmax(dim=-1)
    shifted = shift_likeliest(probabilities, torch.full((50,), -3.0))
    assert shifted.argmax(dim=-1).tolist() == probabilities.argmax(dim=-1).tolist()
    torch.testing.assert_close(shifted.sum(dim=-1), torch.ones(50))


def test_temperature_and_bias_of_a_style_hold_for_its_pairs():
    hot = {"no_relation": 1.0, "relation": {"temperature": 2.0, "bias": 0.0}}
    styled = config({"mnre": {"direction_unknown": hot}}, annotation_styles=["general", "mnre"])
    scores = calibrated_scores(LOGITS[[1, 1]], False, styled, torch.tensor([0, 1]))
    torch.testing.assert_close(scores, torch.stack([LOGITS[1].softmax(-1), (LOGITS[1] / 2).softmax(-1)]))
    torch.testing.assert_close(calibrated_scores(LOGITS, False, styled), LOGITS.softmax(dim=-1))
