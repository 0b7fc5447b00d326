"""Result files as they are pushed and as the card shows them."""

import json
from collections.abc import Iterable
from pathlib import Path

from huggingface_hub import HfApi
from huggingface_hub.errors import HTTPError, OfflineModeIsEnabled

from .connection import HubError
from .contents import read_json

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
        if place_of(path) in shown:
            raise HubError(f"Two result files are called {path.name}; rename one.")
        dataset, content = result["data"].get("dataset"), path.read_bytes()
        hidden = dataset is not None and not _is_public(dataset)
        shown[place_of(path)] = content.replace(dataset.encode(), PRIVATE.encode()) if hidden else content
    return shown


def place_of(path: Path) -> str:
    """Where a result file lies on the Hub."""
    return f"results/{path.name}"


def result_of(path: Path, shown: dict[str, bytes]) -> dict:
    """A result file as `shown_results` shows it."""
    return json.loads(shown[place_of(path)])


def _is_public(dataset: str) -> bool:
    """Whether somebody without a token sees the data set; where nobody can be asked, it counts as private."""
    try:
        return not HfApi().dataset_info(dataset, token=False).private
    except (HTTPError, OfflineModeIsEnabled):
        return False
