"""The images of the rows: which there are, which are broken, and arrays that are computed of each.

An array belongs to the content of a file, never to a row: all pairs of an image share it, an edited file is computed
again, and an unchanged one never is.
"""

import json
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from datasets import Dataset, DatasetDict
from PIL import Image

from vmhan.data.disk_cache import DiskCache
from vmhan.data.files import file_checksum
from vmhan.image_inputs import load_image_input

logger = logging.getLogger(__name__)

IMAGE_COLUMNS = ("image", "object_boxes", "entity_boxes", "line")
#: Of images and their boxes an array each, or None.
Compute = Callable[[list[Image.Image], list[list]], Sequence[np.ndarray]]


@dataclass(frozen=True)
class DistinctImage:
    """An image file with the boxes that are cut out of it.

    Args:
        path: The file.
        boxes: (cx, cy, w, h) in 0..1.
        sha256: Checksum of the file.
        split, line: The first row with it.
    """

    path: str
    boxes: list[list[float]]
    sha256: str
    split: str
    line: int


class BadImage(ValueError):
    """An image that cannot be read.

    Args:
        image: The file, and the first row with it.
        why: What is wrong with it.
    """

    def __init__(self, image: DistinctImage, why: str):
        where = f"{image.path}, the image of line {image.line} of {image.split}"
        super().__init__(f'{where}: {why} Or leave such pairs without one, on_error="skip".')
        self.path, self.split, self.line, self.why = image.path, image.split, image.line, why


class ImageReader:
    """Opens images; one that is broken raises, or is noted in `bad` and left out.

    Args:
        on_error: `"raise"` or `"skip"`.
    """

    def __init__(self, on_error: str = "raise"):
        self.on_error = on_error
        self.bad: dict[str, BadImage] = {}  # by path

    def read(self, image: DistinctImage) -> Image.Image | None:
        """Reads an image upright and as RGB; None if it is broken.

        Raises:
            BadImage: It is broken, and `on_error` is `"raise"`.
        """
        try:
            return load_image_input(Path(image.path))
        except (ValueError, OSError) as error:
            bad = BadImage(image, str(error))
            if self.on_error == "raise":
                raise bad from error
            logger.warning("%s, the image of line %d of %s, is left out: %s", bad.path, bad.line, bad.split, bad.why)
            self.bad[bad.path] = bad
            return None


def distinct_images(splits: DatasetDict) -> dict[tuple, DistinctImage]:
    """Lists the images of all rows, each once with each set of boxes, by `image_and_boxes`."""
    checksums: dict[str, str] = {}
    images: dict[tuple, DistinctImage] = {}
    for split, rows in splits.items():
        for row in select_image_columns(rows):
            key = image_and_boxes(row)
            if key is None or key in images:
                continue
            path = row["image"]["path"]
            if path not in checksums:
                checksums[path] = file_checksum(path)
            images[key] = DistinctImage(path, seen_boxes(row), checksums[path], split, row["line"])
    return images


def select_image_columns(rows: Dataset) -> Dataset:
    """Selects the columns that `seen_boxes` and `image_and_boxes` read, and the line."""
    return rows.select_columns([name for name in IMAGE_COLUMNS if name in rows.column_names])


def seen_boxes(row: dict) -> list[list[float]]:
    """Lists the boxes that are cut out of the image of a row: objects that may be tails, then those beside them."""
    entities = row.get("entity_boxes") or []
    return [*entities, *(box for box in row["object_boxes"] if box not in entities)]


def image_and_boxes(row: dict) -> tuple | None:
    """Names the image file and the boxes of a row; None without an image."""
    return None if row["image"] is None else (row["image"]["path"], str(seen_boxes(row)))


def fill_from_images(
    cache: DiskCache,
    images: Iterable[DistinctImage],
    key_of: Callable[[DistinctImage], str],
    compute: Compute,
    reader: ImageReader,
    batch_size: int,
    desc: str,
) -> None:
    """Computes the arrays that are not in a cache; broken images get none.

    Args:
        cache: Where the arrays go.
        images: The images.
        key_of: Computes the key of an image in the cache.
        compute: Computes the array of each of some images and their boxes.
        reader: Opens them, and raises or notes those that are broken.
        batch_size: Images computed at once.
        desc: Names the arrays in the progress bar and the log.
    """

    def compute_readable(batch: list[DistinctImage]) -> list[np.ndarray | None]:
        opened = [(index, image) for index, item in enumerate(batch) if (image := reader.read(item)) is not None]
        values: list[np.ndarray | None] = [None] * len(batch)
        if opened:
            indices, pixels = zip(*opened, strict=True)
            for index, value in zip(indices, compute(list(pixels), [batch[i].boxes for i in indices]), strict=True):
                values[index] = value
        return values

    readable = [(key_of(image), image) for image in images if image.path not in reader.bad]
    cache.fill(dict(readable), compute_readable, batch_size, desc)
    for key, image in readable:  # another file with the bytes of a broken one has not been opened yet
        if key not in cache and image.path not in reader.bad:
            reader.read(image)


def count_images(splits: DatasetDict, reader: ImageReader) -> dict[str, dict[str, int]]:
    """Counts, of each split with images, the rows, their images, those broken, and the rows without one."""
    counts = {}
    for split, rows in splits.items():
        paths = list(_paths_by_line(rows).values())
        counts[split] = {
            "rows": len(paths),
            "pictures": len(set(paths) - {None}),
            "broken_pictures": len(set(paths) & set(reader.bad)),
            "rows_without_picture": sum(path is None or path in reader.bad for path in paths),
        }
    return counts


def report_bad_images(splits: DatasetDict, reader: ImageReader, report: Path) -> None:
    """Adds to JSON lines every row whose image is broken."""
    entries = [
        {"path": path, "line": line, "split": split, "why": reader.bad[path].why}
        for split, rows in splits.items()
        for line, path in _paths_by_line(rows).items()
        if path in reader.bad
    ]
    with open(report, "a", encoding="utf-8") as file:
        file.writelines(json.dumps(entry) + "\n" for entry in entries)


def _paths_by_line(rows: Dataset) -> dict[int, str | None]:
    """The image of each line; a line may stand in several rows, its pair both ways round."""
    return {row["line"]: row["image"] and row["image"]["path"] for row in rows.select_columns(["line", "image"])}
