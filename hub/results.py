"""Result files as they are pushed and as the card shows them, and whether one is of the weights that are pushed."""

import json
from collections.abc import Iterable
from pathlib import Path

import torch
from huggingface_hub import HfApi
from huggingface_hub.errors import HTTPError, OfflineModeIsEnabled
from safetensors import safe_open

from vmhan.evaluation.predictions import predictions_path, read_predictions, tensors_checksum
from vmhan.evaluation.result_file import Result

from .connection import HubError
from .contents import read_json, weight_files

#: What the card is made of.
NEEDED = ("config", "data", "metrics", "protocol")
#: Stands in the place of the name of a data set on the Hub that not everyone may see.
PRIVATE = "a-private/data-set"


def shown_results(paths: Iterable[Path]) -> dict[str, bytes]:
    """Result files under `results/`, which do not name a private data set.

    Raises:
        HubError: A file is missing, is no result, or shares its name with another.
    """
    shown: dict[str, bytes] = {}
    for path in paths:
        result = read_json(path)
        missing = [name for name in NEEDED if name not in result]
        if missing:
            raise HubError(
                f"{path} is no result: it lacks {', '.join(missing)}; name a file that training wrote under "
                "assets/results."
            )
        if path_on_hub(path) in shown:
            raise HubError(f"Two result files are called {path.name}; rename one.")
        dataset, content = result["data"].get("dataset"), path.read_bytes()
        hidden = dataset is not None and not _is_public(dataset)
        shown[path_on_hub(path)] = content.replace(dataset.encode(), PRIVATE.encode()) if hidden else content
    return shown


def path_on_hub(path: Path) -> str:
    """Where a result file lies on the Hub."""
    return f"results/{path.name}"


def result_of(path: Path, shown: dict[str, bytes]) -> Result:
    """A result file as `shown_results` shows it."""
    return json.loads(shown[path_on_hub(path)])


def _is_public(dataset: str) -> bool:
    """Whether somebody without a token sees the data set; where nobody can be asked, it counts as private."""
    try:
        return not HfApi().dataset_info(dataset, token=False).private
    except (HTTPError, OfflineModeIsEnabled):
        return False


def check_weights(folder: Path, result: Path) -> None:
    """Refuses a result of other weights: seeds of one run differ in nothing else.

    The predictions that training writes beside a result file hold the checksum of the weights; without them nothing
    is checked.

    Raises:
        HubError: Names the file to give; or the predictions cannot be read.
    """
    predictions = predictions_path(result)
    if not predictions.is_file():
        return
    try:
        measured = read_predictions(predictions).weights
    except ValueError as error:
        raise HubError(f"{error}; make it anew, or remove it.") from error
    if folder_checksum(folder) != measured:
        raise HubError(
            f"{result} was measured with other weights than those in {folder}, perhaps of another seed; give --result "
            "the file that training wrote for this model."
        )


def folder_checksum(folder: Path) -> str:
    """Computes the checksum of saved weights in single precision, as training does, however they are stored."""
    tensors: dict[str, torch.Tensor] = {}
    for path in weight_files(folder):
        with safe_open(path, framework="pt") as weights:
            tensors |= {name: weights.get_tensor(name) for name in weights.keys()}  # noqa: SIM118 - it is no dict
    single = {name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in tensors.items()}
    return tensors_checksum(single)
