"""Learning rates and weight decay of the parameters."""

from torch import nn
from transformers import Trainer


def freeze(model: nn.Module, prefixes: list[str]) -> None:
    """Stops the gradient of every parameter whose name starts with one of `prefixes`.

    Raises:
        ValueError: A prefix matches nothing.
    """
    for prefix in prefixes:
        matching = [parameter for name, parameter in model.named_parameters() if name.startswith(prefix)]
        if not matching:
            raise ValueError(f"freeze: no parameter's name starts with {prefix!r}.")
        for parameter in matching:
            parameter.requires_grad_(False)


def parameter_groups(model: nn.Module, encoder_rate: float, head_rate: float, weight_decay: float) -> list[dict]:
    """Groups the trainable parameters, each exactly once, for the optimizer.

    The encoders of text and images learn at `encoder_rate`, all else at `head_rate`; biases and norms do not decay.
    """
    decaying = set(Trainer.get_decay_parameter_names(None, model))
    groups = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            rate = encoder_rate if {"text_model", "vision_model"} & set(name.split(".")) else head_rate
            decay = weight_decay if name in decaying else 0.0
            group = groups.setdefault((rate, decay), {"params": [], "lr": rate, "weight_decay": decay})
            group["params"].append(parameter)
    return list(groups.values())
