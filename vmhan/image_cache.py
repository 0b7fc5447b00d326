"""What was made of the last images, kept for the next question about one: objects, descriptions and encodings."""

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from threading import Lock

import torch


class ImageCache:
    """Results by the content of an image and by what made them; the longest unused is forgotten first.

    Safe to share between threads. Equal images that come at the same time may be worked on twice.

    Args:
        size: How many results are kept, at least one.
    """

    def __init__(self, size: int = 64):
        if size < 1:
            raise ValueError(f"size is {size}; an ImageCache keeps at least one result.")
        self.size = size
        self._results: OrderedDict = OrderedDict()
        self._lock = Lock()

    def __getstate__(self) -> dict:
        """A copy, by pickle or deepcopy, starts empty: results are kept by the very models that made them."""
        return {"size": self.size}

    def __setstate__(self, state: dict):
        self.__init__(**state)

    def get_or_compute(self, maker: Hashable, keys: Sequence[Hashable], make: Callable[[list[int]], Sequence]) -> list:
        """The result for each key; `make` is called with the places in `keys` of those that are new, each once."""
        wanted = {(maker, key): place for place, key in enumerate(keys)}
        with self._lock:
            found = {key: self._results[key] for key in wanted if key in self._results}
        new = [key for key in wanted if key not in found]
        if new:
            found |= zip(new, make([wanted[key] for key in new]), strict=True)
        with self._lock:
            for key in wanted:
                self._results[key] = found[key]
                self._results.move_to_end(key)
            while len(self._results) > self.size:
                self._results.popitem(last=False)
        return [found[maker, key] for key in keys]


def cached_visual_states(batch: dict, model, cache: ImageCache) -> None:
    """Puts `visual_states` in the place of `pixel_values`; of images and crops only new ones are encoded.

    Args:
        batch: Of the processor.
        model: A `VMHANModel` with a vision encoder.
        cache: Where the states of earlier images are.
    """
    pixels, mask = batch.pop("pixel_values"), batch["visual_state_mask"]
    crops = pixels[mask]  # (crops, channels, height, width)
    if not len(crops):
        batch["visual_states"] = torch.zeros(*mask.shape, model.config.visual_hidden_size, dtype=model.dtype)
        return
    keys = [hashlib.sha256(crop.contiguous().numpy().tobytes()).digest() for crop in crops]

    def encode(places: list[int]) -> torch.Tensor:
        new = crops[places][:, None].to(model.device)  # as many images without objects
        return model.encode_images(new, torch.ones(len(new), 1, dtype=torch.bool, device=new.device))[:, 0].cpu()

    states = torch.stack(cache.get_or_compute(model, keys, encode))
    batch["visual_states"] = torch.zeros(*mask.shape, states.shape[-1], dtype=states.dtype)
    batch["visual_states"][mask] = states


__all__ = ["ImageCache", "cached_visual_states"]
