"""Calibration: logits to probabilities that are as high as answers are right.

Temperature scaling is that of Guo et al., 2017, "On Calibration of Modern Neural Networks", section 4.2, with the bias
of Platt, 1999, "Probabilistic Outputs for Support Vector Machines", on the log-odds of the likeliest label.

A model is overconfident about the relations that it names, and underconfident where it names none. One temperature
cannot mend both, so each mode has two: one for pairs whose likeliest label is a relation, one for the others; and so
that the sure of both kinds can be compared, each has a bias. No answer changes: dividing the logits of a pair by one
number keeps the order of its labels, and a bias moves the likeliest label no further than to the second.
"""

from collections.abc import Mapping

import torch

from .configuration_vmhan import DIRECTION_GIVEN, DIRECTION_UNKNOWN, VMHANConfig

#: The two kinds of answers of a mode, in the order of `has_relation`.
KINDS = ("no_relation", "relation")


def calibrated_scores(
    logits: torch.Tensor,
    direction_given: torch.Tensor | bool,
    config: VMHANConfig,
    annotation_style: torch.Tensor | int | None = None,
) -> torch.Tensor:
    """Computes the calibrated probability of every label.

    Args:
        logits: (pairs, labels).
        direction_given: Whether the direction of each pair is given, (pairs,) or one for all.
        config: Its `temperatures` are fitted on validation by `train/run.py`; without them they are 1.
        annotation_style: Index into `config.annotation_styles` of each pair, (pairs,) or one for all; by default the
            first.

    Returns:
        (pairs, labels), rows sum to one.
    """
    logits = logits.float()
    given = torch.as_tensor(direction_given, device=logits.device).expand(len(logits))
    style = torch.as_tensor(0 if annotation_style is None else annotation_style, device=logits.device)
    style = style.expand(len(logits))  # (pairs,)
    is_relation = has_relation(logits, config)
    temperatures, biases = logits.new_ones(len(logits)), logits.new_zeros(len(logits))
    for index, modes in enumerate(_modes_of_styles(config)):
        for mode, of_mode in modes.items():
            in_mode = (given == (mode == DIRECTION_GIVEN)) & (style == index)
            for kind, of_kind in zip(KINDS, (~is_relation, is_relation), strict=True):
                temperatures[in_mode & of_kind], biases[in_mode & of_kind] = read_calibration(of_mode[kind])
    return shift_likeliest((logits / temperatures[:, None]).softmax(dim=-1), biases)


def shift_likeliest(probabilities: torch.Tensor, biases: torch.Tensor) -> torch.Tensor:
    """Adds a bias to the log-odds of the likeliest label of each pair, at most down to the second label.

    Args:
        probabilities: (pairs, labels).
        biases: (pairs,).
    """
    if not biases.any():
        return probabilities
    first, index = probabilities.max(dim=-1)  # (pairs,)
    others = (1 - first).clamp(min=torch.finfo(first.dtype).tiny)
    second = probabilities.scatter(-1, index[:, None], 0).amax(dim=-1)  # (pairs,)
    least = second / (others + second) * (1 + 1e-6)  # where it is just above the second label
    shifted = torch.sigmoid(torch.logit(first, eps=1e-6) + biases).maximum(least)
    scaled = probabilities * ((1 - shifted) / others)[:, None]
    return scaled.scatter(-1, index[:, None], shifted[:, None])


def read_calibration(of_kind: float | Mapping[str, float]) -> tuple[float, float]:
    """Reads temperature and bias of an entry of `temperatures`; a number is a temperature without a bias."""
    return (of_kind["temperature"], of_kind["bias"]) if isinstance(of_kind, Mapping) else (of_kind, 0.0)


def _modes_of_styles(config: VMHANConfig) -> list[Mapping]:
    """Finds the temperatures of each annotation style; those without styles hold for all."""
    temperatures, styles = config.temperatures or {}, config.annotation_styles
    if set(temperatures) <= {DIRECTION_UNKNOWN, DIRECTION_GIVEN}:
        return [temperatures] * max(len(styles), 1)
    return [temperatures.get(name, {}) for name in styles]


def has_relation(logits: torch.Tensor, config: VMHANConfig) -> torch.Tensor:
    """Computes whether the likeliest label of each pair is a relation, (pairs,), from logits (pairs, labels)."""
    index = no_relation_index(config)
    return logits.argmax(dim=-1) != (-1 if index is None else index)


def no_relation_index(config: VMHANConfig) -> int | None:
    """Returns the index of the label of pairs without a relation, or None if the model has no such label."""
    index = (config.label2id or {}).get(config.no_relation)
    return None if index is None else int(index)


__all__ = [
    "DIRECTION_GIVEN",
    "DIRECTION_UNKNOWN",
    "KINDS",
    "calibrated_scores",
    "has_relation",
    "no_relation_index",
    "read_calibration",
    "shift_likeliest",
]
