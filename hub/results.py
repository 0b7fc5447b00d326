"""Result files as they are pushed and shown on the card, and the check that one belongs to the pushed weights."""

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

#: Fields that the card needs.
NEEDED = ("config", "data", "metrics", "protocol")
#: Replaces the name of a private data set on the Hub.
PRIVATE = "a-private/data-set"


def shown_results(paths: Iterable[Path]) -> dict[str, bytes]:
    """Collects result files under `results/`, without the names of private data sets.

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
        if dataset is not None and not _is_public(dataset):
            content = content.replace(dataset.encode(), PRIVATE.encode())
        shown[path_on_hub(path)] = content
    return shown


def path_on_hub(path: Path) -> str:
    """Returns the path of a result file on the Hub."""
    return f"results/{path.name}"


def result_of(path: Path, shown: dict[str, bytes]) -> Result:
    """Reads a result file as `shown_results` shows it."""
    return json.loads(shown[path_on_hub(path)])


def _is_public(dataset: str) -> bool:
    """Whether the data set is visible without a token; private where the Hub cannot be reached."""
    try:
        return not HfApi().dataset_info(dataset, token=False).private
    except (HTTPError, OfflineModeIsEnabled):
        return False


def check_weights(folder: Path, result: Path) -> None:
    """Checks that a result was measured with the weights of a folder: seeds of one run differ in nothing else.

    The predictions that training writes beside a result file hold the checksum of the weights; without them nothing
    is checked.

    Raises:
        HubError: It was not, or the predictions cannot be read.
    """
    predictions = predictions_path(result)
    if not predictions.is_file():
        return
    try:
        measured = read_predictions(predictions).weights
    except ValueError as error:
        raise HubError(f"{error}; write it again, or remove it.") from error
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
