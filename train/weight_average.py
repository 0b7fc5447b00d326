"""A running average of the weights, which generalizes better than the weights of the last step."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from safetensors.torch import load_model, save_model
from torch import nn
from torch.optim.swa_utils import AveragedModel
from transformers import TrainerCallback

RAW_WEIGHTS = "raw_weights.safetensors"


def ema_update(decay: float) -> Callable:
    """Builds the update of an `AveragedModel`, `decay` of whose average stays at each step.

    The decay is faster at first, so that the initial weights leave no trace. Counts, which have no mean, are copied.
    """

    def mix(averages, parameters, steps):
        if averages[0].is_floating_point():
            torch._foreach_lerp_(averages, parameters, 1 - min(decay, (1 + int(steps)) / (10 + int(steps))))
        else:
            torch._foreach_copy_(averages, parameters)

    return mix


class WeightAverage(TrainerCallback):
    """An exponential moving average of the parameters of `model`, updated after each step.

    Args:
        model: The model in training.
        decay: Share of the average that stays at each step.
    """

    def __init__(self, model: nn.Module, decay: float):
        self.model = model
        self.average = AveragedModel(model, multi_avg_fn=ema_update(decay))

    def on_step_end(self, args, state, control, **kwargs):
        self.average.update_parameters(self.model)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Gives the model the average for weights in the meantime."""
        self._swap()
        try:
            yield
        finally:
            self._swap()

    def save_raw(self, folder: str) -> None:
        """Saves the weights of the last step, from which training goes on, beside the average."""
        save_model(self.model, str(Path(folder) / RAW_WEIGHTS))

    def resume(self, folder: str, step: int) -> None:
        """Restores the average, which the model has loaded, and gives the model its raw weights back."""
        self.average.module.load_state_dict(self.model.state_dict())
        self.average.n_averaged.fill_(step)
        load_model(self.model, str(Path(folder) / RAW_WEIGHTS))

    @torch.no_grad()
    def _swap(self) -> None:
        for ours, theirs in zip(self.model.parameters(), self.average.module.parameters(), strict=True):
            ours.data, theirs.data = theirs.data, ours.data
