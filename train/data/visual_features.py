"""Features that the frozen vision encoder computes of the images, once for each.

splits, features = add_features(splits, ImageEncoder(model.vmhan, processor), folder, reader)
features[splits["train"][0]["image_key"]]  # (1 + objects, visual), for all pairs of that image
"""

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from datasets import DatasetDict, Value
from PIL import Image
from tqdm.auto import tqdm

from train.data.image_reader import (
    DistinctImage,
    ImageReader,
    distinct_images,
    fill_from_images,
    image_and_boxes,
    select_image_columns,
)
from vmhan import VMHANModel, VMHANProcessor
from vmhan.data.disk_cache import DiskCache, checksum
from vmhan.visual_inputs import encode_images


class ImageEncoder:
    """The frozen vision encoder of a model: images and boxes to features in half precision.

    Args:
        model: Has the encoder.
        processor: Has the image processor that goes with it.
    """

    def __init__(self, model: VMHANModel, processor: VMHANProcessor):
        self.model, self.image_processor = model, processor.image_processor

    @torch.inference_mode()
    def __call__(self, images: list[Image.Image], boxes: list[list]) -> list[np.ndarray]:
        """Computes float16 features (1 + objects, visual) of each image; row 0 is the whole image."""
        batch = encode_images(images, boxes, self.image_processor)
        device = self.model.vision_model.device
        states = self.model.encode_images(batch["pixel_values"].to(device), batch["visual_state_mask"].to(device))
        states = states.half().cpu()  # (images, 1 + most objects, visual)
        if not states.isfinite().all():
            raise ValueError("The features do not fit half precision; tune_vision computes them as training goes.")
        return [of_image[: 1 + len(of_boxes)].numpy() for of_image, of_boxes in zip(states, boxes, strict=True)]

    def identity(self) -> str:
        """Computes a name of the encoder: its kind, and a checksum of settings, weights and pixel preparation."""
        vision = self.model.vision_model
        digest = hashlib.sha256(
            checksum(vision.config.to_json_string(), self.image_processor.to_json_string()).encode()
        )
        for name, tensor in sorted(vision.state_dict().items()):
            digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
            digest.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy())
        return f"{vision.config.model_type}-{digest.hexdigest()[:16]}"


def add_features(
    splits: DatasetDict, encoder: ImageEncoder, folder: Path, reader: ImageReader, batch_size: int = 8
) -> tuple[DatasetDict, DiskCache]:
    """Adds the column `image_key` in place of `image`: a key into the cache that is returned, None without an image.

    Args:
        splits: Rows of `load_mnre`, whose `image` is not decoded.
        encoder: Computes what is not in `folder`.
        folder: The caches of all encoders.
        reader: Opens images; what happens to broken ones.
        batch_size: Images encoded at once.
    """
    cache, images = DiskCache(folder / encoder.identity()), distinct_images(splits)
    fill_from_images(cache, images.values(), _feature_key, encoder, reader, batch_size, "Features of images")
    return _replace_images(splits, lambda row: _feature_key(images[image_and_boxes(row)]), reader), cache


def add_paths(splits: DatasetDict, reader: ImageReader) -> DatasetDict:
    """Adds the column `image_key` in place of `image`: its path, for a vision encoder that learns. Opens each once."""
    for image in tqdm(distinct_images(splits).values(), desc="Checking images", delay=2):
        reader.read(image)
    return _replace_images(splits, lambda row: row["image"]["path"], reader)


def _feature_key(image: DistinctImage) -> str:
    return checksum(image.sha256, image.boxes)


def _replace_images(splits: DatasetDict, name: Callable[[dict], str], reader: ImageReader) -> DatasetDict:
    def name_readable(row: dict) -> str | None:
        return None if row["image"] is None or row["image"]["path"] in reader.bad else name(row)

    named = {}
    for split, rows in splits.items():
        column = [name_readable(row) for row in select_image_columns(rows)]
        named[split] = rows.add_column("image_key", column, feature=Value("string")).remove_columns("image")
    return DatasetDict(named)
