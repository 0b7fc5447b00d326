"""Boxes of objects by a detector, in place of those of a file, found once for each image."""

import re
from pathlib import Path

import numpy as np
from datasets import DatasetDict
from PIL import Image

from train.data.image_reader import DistinctImage, ImageReader, distinct_images, fill_from_images
from vmhan import bundled_weights
from vmhan.data.disk_cache import DiskCache, checksum
from vmhan.data.files import file_checksum
from vmhan.object_detection import ObjectDetector


def add_detected_boxes(
    splits: DatasetDict,
    detector: ObjectDetector,
    name: str,
    folder: Path,
    reader: ImageReader,
    max_objects: int = 3,
    batch_size: int = 8,
) -> DatasetDict:
    """Replaces `object_boxes` by the `max_objects` surest of a detector.

    Args:
        name: Of the detector; a file or folder counts with its content.
        folder, reader, batch_size: As of `add_features`.
    """
    identity = f"{re.sub(r'[^A-Za-z0-9]+', '-', Path(name).name)}-{_content_checksum(name)[:16]}"
    cache, images = DiskCache(folder / f"boxes-{identity}"), list(distinct_images(splits).values())

    def key_of(image: DistinctImage) -> str:
        return checksum(image.sha256, max_objects)

    def detect(pixels: list[Image.Image], _) -> list[np.ndarray]:
        found = zip(pixels, detector.detect(pixels), strict=True)
        return [_relative_boxes([item.box for item in of_image[:max_objects]], image) for image, of_image in found]

    fill_from_images(cache, images, key_of, detect, reader, batch_size, desc="Boxes of objects")
    boxes = {image.path: cache[key_of(image)].tolist() for image in images if key_of(image) in cache}

    def boxes_of(row: dict) -> dict:
        return {"object_boxes": [] if row["image"] is None else boxes.get(row["image"]["path"], [])}

    return DatasetDict({split: rows.map(boxes_of, features=rows.features) for split, rows in splits.items()})


def _relative_boxes(corners: list[tuple[float, float, float, float]], image: Image.Image) -> np.ndarray:
    """Converts pixel corners to (objects, 4) of cx, cy, w, h in 0..1."""
    width, height = image.size
    boxes = [
        [(x0 + x1) / 2 / width, (y0 + y1) / 2 / height, (x1 - x0) / width, (y1 - y0) / height]
        for x0, y0, x1, y1 in corners
    ]
    return np.array(boxes, dtype=np.float32).reshape(-1, 4)


def _content_checksum(name: str) -> str:
    """Computes a checksum of a name, and of the files that it stands for, if there are any."""
    path = bundled_weights.BUNDLED_FOLDER if name == bundled_weights.BUNDLED else Path(name)
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    return checksum(name, [file_checksum(file) for file in files if file.is_file()])
