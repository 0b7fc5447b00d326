"""Arrays on disk that took long to compute, by the checksum of what they were computed from.

Example: three arrays are computed, the process is killed, and the next one computes only the rest.

    cache = DiskCache(folder)
    cache.fill({key: image for ...}, compute=encode, batch_size=8)
    cache[key]  # the array
"""

import hashlib
import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save
from tqdm.auto import tqdm

from vmhan.data.files import atomic_write

logger = logging.getLogger(__name__)

#: Values after which a file is written: a killed process goes on there.
VALUES_IN_A_FILE = 512
Item = TypeVar("Item")


class DiskCache:
    """Arrays by key, in the safetensors files of a folder.

    A file appears at once and whole, so a killed process goes on after the last one, and processes side by side do not
    disturb each other. A damaged file is removed with a warning, and its arrays are computed again.

    Args:
        folder: Of one kind of value: what another encoder or detector computes goes to another folder.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self._files: dict[str, Any] = {}  # by key, the open file that holds its array
        folder.mkdir(parents=True, exist_ok=True)
        for path in sorted(folder.glob("*.safetensors")):
            self._open(path)

    def __reduce__(self):
        return DiskCache, (self.folder,)  # open files cannot be pickled: workers open their own

    def __contains__(self, key: str) -> bool:
        return key in self._files

    def __len__(self) -> int:
        return len(self._files)

    def __getitem__(self, key: str) -> np.ndarray:
        return self._files[key].get_tensor(key)

    def fill(
        self,
        items: Mapping[str, Item],
        compute: Callable[[list[Item]], Sequence[np.ndarray | None]],
        batch_size: int,
        desc: str,
    ) -> None:
        """Computes the arrays that are missing.

        Args:
            items: What to compute each array from, by its key.
            compute: Computes the array of each of some items; None where there is none, which is not stored.
            batch_size: Items computed at once.
            desc: Names the values in the progress bar and the log.
        """
        missing = [key for key in items if key not in self]
        logger.info("%s: %d of %d are in the cache", desc, len(items) - len(missing), len(items))
        with tqdm(total=len(missing), desc=desc, disable=not missing) as progress:
            for chunk in batched(missing, VALUES_IN_A_FILE):
                computed: dict[str, np.ndarray] = {}
                for batch in batched(chunk, batch_size):
                    values = zip(batch, compute([items[key] for key in batch]), strict=True)
                    computed.update((key, value) for key, value in values if value is not None)
                    progress.update(len(batch))
                self.store(computed)

    def store(self, values: Mapping[str, np.ndarray]) -> None:
        """Writes arrays, by their keys, into a file of their own."""
        if not values:
            return
        path = self.folder / f"{checksum(*sorted(values))}.safetensors"
        with atomic_write(path) as partial:
            partial.write_bytes(save({key: np.ascontiguousarray(value) for key, value in values.items()}))
        self._open(path)

    def _open(self, path: Path) -> None:
        try:
            file = safe_open(path, framework="numpy")
        except SafetensorError as error:
            logger.warning("%s is damaged and is computed again: %s", path, error)
            path.unlink(missing_ok=True)
            return
        self._files.update(dict.fromkeys(file.keys(), file))


def checksum(*parts: Any) -> str:
    """Computes the sha256 of anything that JSON can write."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def batched(items: list, size: int) -> Iterator[list]:
    """Splits a list into chunks of at most `size` items."""
    return (items[start : start + size] for start in range(0, len(items), size))
