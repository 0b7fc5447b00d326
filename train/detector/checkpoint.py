"""The checkpoint of a detector's training: weights, optimizer, and how far it is."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from vmhan.data.files import atomic_write

CHECKPOINT = "checkpoint.pt"


@dataclass
class Progress:
    """How far a run is.

    Args:
        epoch: The epoch under way, or to come.
        batch: Batches of it that are done.
        step: Steps done in all.
        seconds: Time taken, over all sittings.
        loss_sum: Sum of the losses of this epoch's steps.
        history: For each finished epoch its mean loss and, where validation was read, the scores.
        best_score: The best of them.
    """

    epoch: int = 0
    batch: int = 0
    step: int = 0
    seconds: float = 0.0
    loss_sum: float = 0.0
    history: list[dict] = field(default_factory=list)
    best_score: float = -1.0


def write_checkpoint(path: Path, parts: Mapping[str, Any], progress: Progress, defining: dict[str, Any]) -> None:
    """Writes a checkpoint, so that a killed run leaves the old one or the new one.

    Args:
        path: The file.
        parts: What has a state, by name.
        progress: How far the run is.
        defining: The settings that a resumed run must share.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    state = {name: part.state_dict() for name, part in parts.items()}
    with atomic_write(path) as partial:
        torch.save({**state, "progress": asdict(progress), "defining": defining}, partial)


def load_checkpoint(path: Path, parts: Mapping[str, Any], defining: dict[str, Any]) -> Progress:
    """Loads the state of the parts; returns how far the run is.

    Raises:
        ValueError: The checkpoint has other settings.
    """
    state = torch.load(path, map_location="cpu", weights_only=True)
    for name, value in defining.items():
        if state["defining"].get(name) != value:
            raise ValueError(
                f"{path} was trained with {name} {state['defining'].get(name)!r}, not {value!r}; "
                "set another --output_dir to begin anew."
            )
    for name, part in parts.items():
        part.load_state_dict(state[name])
    return Progress(**state["progress"])
