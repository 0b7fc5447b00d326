"""The images of a data set: their names in files, boxes, image files in a folder, and checksums of all files read."""

import hashlib
import logging
import os
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from tqdm.auto import tqdm

from vmhan.data.files import file_checksum
from vmhan.data.parsing import SILENT

logger = logging.getLogger(__name__)

#: Endings of image files, in any case; of two files of one image the one whose ending comes first here is taken.
IMAGE_SUFFIXES = (".jpg", ".jpeg", ".jfif", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff")
_ROUNDING = 1e-3  # how far a box may exceed its image: one pixel of a thousand


def box_fault(box: object) -> str | None:
    """Describes why `box` is not (cx, cy, w, h) in 0..1; None if it is."""
    if not isinstance(box, list | tuple) or len(box) != 4 or any(type(number) not in (int, float) for number in box):
        return "is not four numbers"
    cx, cy, width, height = box
    edges = (cx - width / 2, cx + width / 2, cy - height / 2, cy + height / 2)
    inside = all(-_ROUNDING <= number <= 1 + _ROUNDING for number in (*box, *edges))  # not a number is not inside
    return None if inside else "reaches out of the image"


def clip_box(box: list | tuple) -> list[float]:
    """Clips a box without faults to 0..1, which rounding may have exceeded."""
    return [min(max(float(number), 0.0), 1.0) for number in box]


class ImageNames:
    """Index of images by the names of files or the keys of a JSON object, which may have an ending or none.

    Args:
        names: In any order.
        source: The file or folder that holds them, for the log.
    """

    def __init__(self, names: Iterable[str], source: Path):
        self.names, self.source = set(names), source
        self._alike: dict[str, list[str]] = defaultdict(list)
        self._ambiguous: dict[str, str] = {}
        for name in sorted(self.names, key=_rank):
            self._alike[without_ending(name)].append(name)

    def find(self, image: str) -> str | None:
        """Finds the name of an image: `{image}.jpg`, the very name, or the same with another ending."""
        alike = self._alike.get(without_ending(image), [])
        exact = next((name for name in (f"{image}.jpg", image) if name in self.names), None)
        found = exact or next(iter(alike), None)
        fully_named = exact is not None and without_ending(image) != image
        if len(alike) > 1 and not fully_named:
            self._ambiguous[image] = f"{found} is taken, not {', '.join(name for name in alike if name != found)}"
        return found

    def report_ambiguous(self) -> None:
        """Logs the number of images with several names, and which name of the first was used."""
        if self._ambiguous:
            first = next(iter(self._ambiguous.values()))
            logger.warning("%d images have several names in %s: %s", len(self._ambiguous), self.source, first)


def without_ending(name: str) -> str:
    """Removes the ending of an image file from its name."""
    stem, ending = os.path.splitext(name)
    return stem if ending.lower() in IMAGE_SUFFIXES else name


def _rank(name: str) -> tuple:
    ending = name.removeprefix(without_ending(name))
    return IMAGE_SUFFIXES.index(ending.lower()) if ending else -1, ending != ending.lower(), name


def add_images(rows: list[dict], folder: Path, split: str, on_missing: str) -> None:
    """Adds `image`, the path in `folder` of `{image_id}.jpg`, or of the same with another ending; None without one.

    Raises:
        FileNotFoundError: `folder` is not a folder, or an image is missing and `on_missing` is "raise".
    """
    paths = {path.name: str(path) for path in image_files(folder)}
    names = ImageNames(paths, folder)
    for row in rows:
        name = names.find(row["image_id"])
        row["image"] = paths[name] if name is not None else None
    names.report_ambiguous()
    missing = [row for row in rows if row["image"] is None]
    if not missing:
        return
    image = missing[0]["image_id"]
    name = f"{image}.jpg" if without_ending(image) == image else image
    first = f'image "{name}" of line {missing[0]["line"]} of {split} is not under {folder}, nor with another ending'
    if on_missing == "raise":
        raise FileNotFoundError(f"{first}; set image_dir to the folder that holds it.")
    logger.warning("%d of %d rows of %s have no image: %s", len(missing), len(rows), split, first)


def image_files(folder: Path) -> list[Path]:
    """Lists the image files of a folder by name.

    Raises:
        FileNotFoundError: `folder` is not a folder.
    """
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder} is not a folder; set image_dir to that of the images, or leave it out.")
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in IMAGE_SUFFIXES)


def checksums_of(files: Iterable[Path]) -> dict[str, str]:
    """Computes the sha256 of each file, by its name."""
    return {path.name: file_checksum(path) for path in files}


def checksum_of_images(files: Iterable[Path]) -> str:
    """Computes the sha256 over the name and the sha256 of each image file."""
    digest = hashlib.sha256()
    for path in tqdm(files, desc="checksums of images", delay=SILENT):
        digest.update(f"{path.name} {file_checksum(path)}\n".encode())
    return digest.hexdigest()
