"""Cache of results about the last images: objects, descriptions and encodings, for further requests about them."""

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Hashable, MutableMapping, Sequence
from threading import Lock
from typing import TYPE_CHECKING, TypeVar

import torch

if TYPE_CHECKING:  # the Hub's loader runs a file again that it has not loaded itself
    from .modeling_vmhan import VMHANModel

Result = TypeVar("Result")


class ImageCache:
    """Caches results by the content of an image and by what computed them; drops the least recently used first.

    Safe to share between threads. Equal images that come at the same time may be computed twice.

    Args:
        size: Results that are kept, at least one.

    Raises:
        ValueError: `size` is below one.
    """

    def __init__(self, size: int = 64):
        if size < 1:
            raise ValueError(f"size is {size}; an ImageCache keeps at least one result.")
        self.size = size
        self._results: OrderedDict = OrderedDict()
        self._lock = Lock()

    def __getstate__(self) -> dict:
        """Returns the settings alone: a copy, by pickle or deepcopy, starts empty, for keys hold whole models."""
        return {"size": self.size}

    def __setstate__(self, state: dict):
        self.__init__(**state)

    def get_or_compute(
        self, owner: Hashable, keys: Sequence[Hashable], compute: Callable[[list[int]], Sequence[Result]]
    ) -> list[Result]:
        """Returns the result for each key; `compute` gets the indices of new keys, each distinct one once.

        Args:
            owner: Detector, describer or model whose results these are.
            keys: Content of each image.
            compute: Indices into `keys` to results.
        """
        wanted = {(owner, key): index for index, key in enumerate(keys)}
        with self._lock:
            found = {key: self._results[key] for key in wanted if key in self._results}
        new = [key for key in wanted if key not in found]
        if new:
            found |= zip(new, compute([wanted[key] for key in new]), strict=True)
        with self._lock:
            for key in wanted:
                self._results[key] = found[key]
                self._results.move_to_end(key)
            while len(self._results) > self.size:
                self._results.popitem(last=False)
        return [found[owner, key] for key in keys]


def cached_visual_states(batch: MutableMapping[str, torch.Tensor], model: "VMHANModel", cache: ImageCache) -> None:
    """Replaces `pixel_values` of a batch by `visual_states`; encodes only images and crops that the cache lacks.

    Args:
        batch: Of `VMHANProcessor`; `pixel_values` (images, 1 + objects, channels, height, width) become
            `visual_states` (images, 1 + objects, visual).
        model: A model with a vision encoder.
        cache: Cache of earlier states.
    """
    pixels, mask = batch.pop("pixel_values"), batch["visual_state_mask"]
    crops = pixels[mask]  # (crops, channels, height, width)
    if not len(crops):
        batch["visual_states"] = torch.zeros(*mask.shape, model.config.visual_hidden_size, dtype=model.dtype)
        return
    keys = [hashlib.sha256(crop.contiguous().numpy().tobytes()).digest() for crop in crops]

    def encode(indices: list[int]) -> list[torch.Tensor]:
        new = crops[indices][:, None].to(model.device)  # (new crops, 1, ...): as many images without objects
        exists = torch.ones(len(new), 1, dtype=torch.bool, device=new.device)
        return list(model.encode_images(new, exists)[:, 0].cpu())

    states = torch.stack(cache.get_or_compute(model, keys, encode))  # (crops, visual)
    batch["visual_states"] = torch.zeros(*mask.shape, states.shape[-1], dtype=states.dtype)
    batch["visual_states"][mask] = states


__all__ = ["ImageCache", "cached_visual_states"]
