"""The running average of the weights."""

import pytest
import torch
from torch import nn

from train.weight_average import WeightAverage


def steps_of(model, average, values):
    for value in values:
        nn.init.constant_(model.weight, value)
        average.on_step_end(None, None, None)


@pytest.mark.parametrize("decay", [0.05, 0.9])
def test_average_forgets_by_its_decay_and_faster_at_first(decay):
    model = nn.Linear(1, 1, bias=False)
    average, values = WeightAverage(model, decay), [3.0, -1.0, 2.0, 5.0]
    steps_of(model, average, values)
    expected = values[0]
    for number, value in enumerate(values[1:], start=1):
        kept = min(decay, (1 + number) / (10 + number))
        expected = kept * expected + (1 - kept) * value
    with average.in_place():
        assert model.weight.item() == pytest.approx(expected, rel=1e-5)
    assert model.weight.item() == 5.0


def test_weights_come_back_even_after_an_error():
    model = nn.Linear(1, 1, bias=False)
    average = WeightAverage(model, 0.5)
    steps_of(model, average, [1.0, 2.0])
    with pytest.raises(KeyError), average.in_place():
        raise KeyError
    assert model.weight.item() == 2.0


def test_saved_and_resumed_average_goes_on_as_if_nothing_had_happened(tmp_path):
    model = nn.Linear(1, 1, bias=False)
    average = WeightAverage(model, 0.9)
    steps_of(model, average, [1.0, 2.0, 4.0])
    average.save_raw(tmp_path)
    with average.in_place():
        saved = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    other = nn.Linear(1, 1, bias=False)
    resumed = WeightAverage(other, 0.9)
    other.load_state_dict(saved)
    resumed.resume(tmp_path, step=3)
    assert other.weight.item() == 4.0
    for one, its in ((model, average), (other, resumed)):
        steps_of(one, its, [7.0])
        with its.in_place():
            one.found = one.weight.item()
    assert model.found == pytest.approx(other.found)
    assert torch.equal(model.weight, other.weight)
