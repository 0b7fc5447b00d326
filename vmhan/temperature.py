"""Temperature scaling: logits to calibrated probabilities.

The method is that of Guo et al., 2017, "On Calibration of Modern Neural Networks", section 4.2.

A model is overconfident about the relations that it names, and underconfident where it names none. One temperature
cannot mend both, so each mode has two: one for pairs whose likeliest label is a relation, one for the others. Dividing
the logits of a pair by one number keeps the order of its labels: no answer changes.
"""

import torch

from .configuration_vmhan import DIRECTION_GIVEN, DIRECTION_UNKNOWN, VMHANConfig

#: The two temperatures of a mode, in the order of `has_relation`.
KINDS = ("no_relation", "relation")


def calibrated_scores(logits: torch.Tensor, direction_given: torch.Tensor | bool, config: VMHANConfig) -> torch.Tensor:
    """Computes the calibrated probability of every label.

    Args:
        logits: (pairs, labels).
        direction_given: Whether the direction of each pair is given, (pairs,) or one for all.
        config: Its `temperatures` are fitted on validation by `train/run.py`; without them they are 1.

    Returns:
        (pairs, labels), rows sum to one.
    """
    logits = logits.float()
    given = torch.as_tensor(direction_given, device=logits.device).expand(len(logits))
    is_relation = has_relation(logits, config)
    temperatures = logits.new_ones(len(logits))
    for mode, of_mode in (config.temperatures or {}).items():
        in_mode = given == (mode == DIRECTION_GIVEN)
        for kind, of_kind in zip(KINDS, (~is_relation, is_relation), strict=True):
            temperatures[in_mode & of_kind] = of_mode[kind]
    return (logits / temperatures[:, None]).softmax(dim=-1)


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
]
