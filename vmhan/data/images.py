"""What data files hold of images: their names, boxes, pictures in a folder, and checksums of all that was read."""

import hashlib
import logging
import os
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from tqdm.auto import tqdm

from vmhan.data.parsing import SILENT

logger = logging.getLogger(__name__)

#: Endings of image files, in any case; of two files of one image the one whose ending comes first here is taken.
PICTURES = (".jpg", ".jpeg", ".jfif", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff")
_ROUNDING = 1e-3  # how far a box may reach over the border of its image: a pixel of a thousand


def box_fault(box: object) -> str | None:
    """What keeps `box` from being (cx, cy, w, h) in 0..1; None if nothing does."""
    if not isinstance(box, list | tuple) or len(box) != 4 or any(type(number) not in (int, float) for number in box):
        return "is not four numbers"
    cx, cy, width, height = box
    edges = (cx - width / 2, cx + width / 2, cy - height / 2, cy + height / 2)
    inside = all(-_ROUNDING <= number <= 1 + _ROUNDING for number in (*box, *edges))  # not a number is not inside
    return None if inside else "reaches out of the image"


def clip_box(box: list | tuple) -> list[float]:
    """A box without faults, and without what rounding put outside of 0..1."""
    return [min(max(float(number), 0.0), 1.0) for number in box]


class ImageNames:
    """Finds images among the names of files or the keys of a JSON object, which may have an ending or none.

    Args:
        names: In any order.
        source: Where they stand, for the log.
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
        """Logs how many images were found under several names, and what was taken of the first."""
        if self._ambiguous:
            first = next(iter(self._ambiguous.values()))
            logger.warning("%d images have several names in %s: %s", len(self._ambiguous), self.source, first)


def without_ending(name: str) -> str:
    """Drops the ending of an image file."""
    stem, ending = os.path.splitext(name)
    return stem if ending.lower() in PICTURES else name


def _rank(name: str) -> tuple:
    ending = name.removeprefix(without_ending(name))
    return PICTURES.index(ending.lower()) if ending else -1, ending != ending.lower(), name


def add_images(rows: list[dict], folder: Path, split: str, on_missing: str) -> None:
    """Adds `image`, the path in `folder` of `{image_id}.jpg`, or of the same with another ending; None without one.

    Raises:
        FileNotFoundError: `folder` is none, or a picture is missing and `on_missing` is "raise".
    """
    paths = {path.name: str(path) for path in pictures_in(folder)}
    names = ImageNames(paths, folder)
    for row in rows:
        row["image"] = paths.get(names.find(row["image_id"]))
    names.report_ambiguous()
    missing = [row for row in rows if row["image"] is None]
    if not missing:
        return
    image = missing[0]["image_id"]
    name = f"{image}.jpg" if without_ending(image) == image else image
    first = f'image "{name}" of line {missing[0]["line"]} of {split} is not under {folder}, nor with another ending'
    if on_missing == "raise":
        raise FileNotFoundError(f"{first}; set image_dir to the folder that holds it.")
    logger.warning("%d of %d rows of %s have no picture: %s", len(missing), len(rows), split, first)


def pictures_in(folder: Path) -> list[Path]:
    """The pictures of a folder by name."""
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder} is not a folder; set image_dir to that of the pictures, or leave it out.")
    return sorted(path for path in folder.iterdir() if path.suffix.lower() in PICTURES)


def checksums_of(files: Iterable[Path]) -> dict[str, str]:
    """sha256 of each file, by its name."""
    return {path.name: _sha256(path) for path in files}


def checksum_of_pictures(pictures: Iterable[Path]) -> str:
    """sha256 over the name and the sha256 of each picture."""
    digest = hashlib.sha256()
    for path in tqdm(pictures, desc="checksums of pictures", delay=SILENT):
        digest.update(f"{path.name} {_sha256(path)}\n".encode())
    return digest.hexdigest()


def _sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
