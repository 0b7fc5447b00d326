"""What data files hold of images: boxes, pictures in a folder, and checksums of all that was read."""

import hashlib
import logging
from collections.abc import Iterable
from pathlib import Path

from tqdm.auto import tqdm

from .data_lines import SILENT

logger = logging.getLogger(__name__)

PICTURES = (".jpg", ".jpeg", ".png")
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


def add_images(rows: list[dict], folder: Path, split: str, on_missing: str) -> None:
    """Adds `image`, the path of `{image_id}.jpg` in `folder`; None where there is none.

    Raises:
        FileNotFoundError: `folder` is none, or a picture is missing and `on_missing` is "raise".
    """
    paths = {path.name: str(path) for path in pictures_in(folder)}
    for row in rows:
        row["image"] = paths.get(f"{row['image_id']}.jpg") or paths.get(row["image_id"])
    missing = [row for row in rows if row["image"] is None]
    if not missing:
        return
    first = f'image "{missing[0]["image_id"]}.jpg" of line {missing[0]["line"]} of {split} is not under {folder}'
    if on_missing == "raise":
        raise FileNotFoundError(f"{first}; set image_dir to the folder that holds it.")
    logger.warning("%d of %d rows of %s have no picture: %s", len(missing), len(rows), split, first)


def pictures_in(folder: Path) -> list[Path]:
    """The pictures of a folder by name."""
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder} is not a folder; set image_dir to that of the pictures, or leave it out.")
    return sorted(path for path in folder.iterdir() if path.suffix in PICTURES)


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
