"""Boxes of objects by a detector, in place of those of a file, found once for each picture."""

import hashlib
import re
from pathlib import Path

from datasets import DatasetDict, List, Value
from PIL import Image

from train.data.image_reader import PictureCache, PictureReader, checksum, distinct_pictures
from vmhan import bundled_weights
from vmhan.object_detection import ObjectDetector


def add_detected_boxes(
    splits: DatasetDict,
    detector: ObjectDetector,
    name: str,
    folder: Path,
    reader: PictureReader,
    max_objects: int = 3,
    batch_size: int = 8,
) -> DatasetDict:
    """Rows whose `object_boxes` are the `max_objects` surest of `detector`, found once for each picture.

    Args:
        name: What the detector was loaded by; a file or folder counts with its content.
        folder, reader, batch_size: As of `add_features`.
    """
    identity = f"{re.sub(r'[^A-Za-z0-9]+', '-', Path(name).name)}-{_content(name)[:16]}"
    cache = PictureCache(folder / f"boxes-{identity}", List(List(Value("float32"), length=4)))
    pictures = list(distinct_pictures(splits).values())
    for picture in pictures:
        picture["key"] = checksum(picture["sha256"], max_objects)

    def detect(images: list[Image.Image], boxes: list[list]) -> list[list]:
        return [
            [_relative(found.box, image.size) for found in of_image[:max_objects]]
            for image, of_image in zip(images, detector.detect(images), strict=True)
        ]

    cache.fill(pictures, detect, reader, batch_size, desc="Boxes of objects")
    found = {picture["path"]: cache[picture["key"]] for picture in pictures if picture["key"] in cache}

    def boxes_of(row: dict) -> dict:
        return {"object_boxes": [] if row["image"] is None else found.get(row["image"]["path"], [])}

    return DatasetDict({split: rows.map(boxes_of, features=rows.features) for split, rows in splits.items()})


def _relative(corners: tuple[float, float, float, float], size: tuple[int, int]) -> list[float]:
    """(cx, cy, w, h) in 0..1 of pixel corners."""
    x0, y0, x1, y1 = corners
    width, height = size
    return [(x0 + x1) / 2 / width, (y0 + y1) / 2 / height, (x1 - x0) / width, (y1 - y0) / height]


def _content(name: str) -> str:
    """A checksum of a name, and of the files that it stands for, if there are any."""
    path = bundled_weights.BUNDLED_FOLDER if name == bundled_weights.BUNDLED else Path(name)
    files = sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
    return checksum(name, [hashlib.sha256(file.read_bytes()).hexdigest() for file in files if file.is_file()])
