"""Temperature scaling: logits to the probabilities that a user sees.

The method is that of Guo et al., 2017, "On Calibration of Modern Neural Networks", section 4.2.

A model is surer of the relations that it names than it is right about them, and less sure where it names none. One
temperature cannot mend both, so each mode has two: one for pairs whose likeliest label is a relation, one for the
others. Dividing the logits of a pair by one number keeps the order of its labels: no answer changes.
"""

import torch

from .configuration_vmhan import DIRECTION_GIVEN, DIRECTION_UNKNOWN, VMHANConfig

#: The two temperatures of a mode, in the order of `has_relation`.
KINDS = ("no_relation", "relation")


def calibrated_scores(logits: torch.Tensor, direction_given: torch.Tensor | bool, config: VMHANConfig) -> torch.Tensor:
    """Computes the probability of every label.

    Args:
        logits: (pairs, labels).
        direction_given: Whether the direction of each pair is given, (pairs,) or one for all.
        config: With the `temperatures` that `train/run.py` fits on validation, and without them 1.

    Returns:
        (pairs, labels), rows sum to one.
    """
    logits = logits.float()
    given = torch.as_tensor(direction_given, device=logits.device).expand(len(logits))
    named = has_relation(logits, config)
    temperatures = logits.new_ones(len(logits))
    for mode, of_mode in (config.temperatures or {}).items():
        in_mode = given == (mode == DIRECTION_GIVEN)
        for kind, is_relation in zip(KINDS, (False, True), strict=True):
            temperatures[in_mode & (named == is_relation)] = of_mode[kind]
    return (logits / temperatures[:, None]).softmax(dim=-1)


def has_relation(logits: torch.Tensor, config: VMHANConfig) -> torch.Tensor:
    """Tells where the likeliest label is a relation, (pairs,)."""
    return logits.argmax(dim=-1) != config.label2id.get(config.no_relation, -1)


__all__ = ["DIRECTION_GIVEN", "DIRECTION_UNKNOWN", "KINDS", "calibrated_scores", "has_relation"]
