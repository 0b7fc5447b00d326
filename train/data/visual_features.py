"""What the vision encoder makes of pictures, computed once for each and found again.

splits, features = add_features(splits, PictureEncoder(model.vmhan, processor), folder, reader)
features[splits["train"][0]["picture"]]  # (1 + objects, visual), for all pairs of that image
"""

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from datasets import DatasetDict, List, Value
from PIL import Image
from tqdm.auto import tqdm

from train.data.image_reader import (
    PictureCache,
    PictureReader,
    checksum,
    distinct_pictures,
    picture_key,
    select_picture_columns,
)
from vmhan import VMHANModel, VMHANProcessor
from vmhan.visual_inputs import encode_images


class PictureEncoder:
    """The frozen vision encoder of a model: pictures and boxes to features in half precision.

    Args:
        model: Has the encoder.
        processor: Has the image processor that goes with it.
    """

    def __init__(self, model: VMHANModel, processor: VMHANProcessor):
        self.model, self.image_processor = model, processor.image_processor

    @torch.inference_mode()
    def __call__(self, pictures: list[Image.Image], boxes: list[list]) -> list[np.ndarray]:
        """Of each picture (1 + objects, visual), float16; row 0 is the whole picture."""
        batch = encode_images(pictures, boxes, self.image_processor)
        device = self.model.vision_model.device
        states = self.model.encode_images(batch["pixel_values"].to(device), batch["visual_state_mask"].to(device))
        states = states.half().cpu()
        if not states.isfinite().all():
            raise ValueError("The features do not fit half precision; tune_vision computes them as training goes.")
        return [of_picture[: 1 + len(of_boxes)].numpy() for of_picture, of_boxes in zip(states, boxes, strict=True)]

    def identity(self) -> str:
        """Kind of the encoder, and a checksum of its settings, its weights and how pixels are made for it."""
        vision = self.model.vision_model
        digest = hashlib.sha256(
            checksum(vision.config.to_json_string(), self.image_processor.to_json_string()).encode()
        )
        for name, tensor in sorted(vision.state_dict().items()):
            digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
            digest.update(tensor.detach().cpu().contiguous().flatten().view(torch.uint8).numpy())
        return f"{vision.config.model_type}-{digest.hexdigest()[:16]}"


def add_features(
    splits: DatasetDict, encoder: PictureEncoder, folder: Path, reader: PictureReader, batch_size: int = 8
) -> tuple[DatasetDict, PictureCache]:
    """Rows with `picture` in place of `image`: a key into the cache that comes with them, None without a picture.

    Args:
        splits: Rows of `load_mnre`, whose `image` is not decoded.
        encoder: Computes what is not in `folder`.
        folder: Keeps the features of all encoders.
        reader: What happens to broken pictures.
        batch_size: Pictures encoded at once.
    """
    cache = PictureCache(folder / encoder.identity(), List(List(Value("float16"))), format="numpy")
    pictures = distinct_pictures(splits)
    for picture in pictures.values():
        picture["key"] = checksum(picture["sha256"], picture["boxes"])
    cache.fill(list(pictures.values()), encoder, reader, batch_size, desc="Features of pictures")
    return _replace_images(splits, lambda row: pictures[picture_key(row)]["key"], reader), cache


def add_paths(splits: DatasetDict, reader: PictureReader) -> DatasetDict:
    """Rows with `picture` in place of `image`, the path, for a vision encoder that learns. Each is opened once."""
    for picture in tqdm(distinct_pictures(splits).values(), desc="Checking pictures", delay=2):
        reader.read(picture)
    return _replace_images(splits, lambda row: row["image"]["path"], reader)


def _replace_images(splits: DatasetDict, name: Callable[[dict], str], reader: PictureReader) -> DatasetDict:
    def picture(row: dict) -> str | None:
        return None if row["image"] is None or row["image"]["path"] in reader.bad else name(row)

    named = {}
    for split, rows in splits.items():
        pictures = [picture(row) for row in select_picture_columns(rows)]
        named[split] = rows.add_column("picture", pictures, feature=Value("string")).remove_columns("image")
    return DatasetDict(named)
