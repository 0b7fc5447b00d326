"""Whether a result was measured with the weights of a folder: seeds of one run differ in nothing else.

The predictions that training writes beside a result file, `<run>.predictions.json.gz`, hold the checksum of the
weights that made them.
"""

import gzip
import hashlib
import json
from pathlib import Path

from safetensors import safe_open

from .connection import HubError
from .contents import weight_files

PREDICTIONS = ".predictions.json.gz"


def check_weights(folder: Path, result: Path) -> None:
    """Refuses a result of other weights; without predictions beside it nothing is known of them.

    Raises:
        HubError: Says which file to give; or the predictions cannot be read.
    """
    predictions = result.with_suffix(PREDICTIONS)
    if not predictions.is_file():
        return
    try:
        measured = json.loads(gzip.decompress(predictions.read_bytes()))["weights"]
    except (OSError, EOFError, ValueError, TypeError, KeyError) as error:
        raise HubError(f"{predictions} is no predictions file ({error!r}); make it anew, or remove it.") from error
    if weights_checksum(folder) != measured:
        raise HubError(
            f"{result} was measured with other weights than those in {folder}, perhaps of another seed; give --result "
            "the file that training wrote for this model."
        )


def weights_checksum(folder: Path) -> str:
    """sha256 over names and values, in single precision: as training counts it, however the weights are stored."""
    tensors = {}
    for path in weight_files(folder):
        with safe_open(path, framework="pt") as weights:
            tensors |= {name: weights.get_tensor(name) for name in weights.keys()}  # noqa: SIM118 - it is no dict
    checksum = hashlib.sha256()
    for name, tensor in sorted(tensors.items()):
        checksum.update(name.encode())
        checksum.update((tensor.float() if tensor.is_floating_point() else tensor).numpy().tobytes())
    return checksum.hexdigest()
