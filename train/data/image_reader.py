"""The pictures of the rows: which there are, which are broken, and what was computed of each, kept on disk.

What is computed belongs to the content of a file, never to a row: all pairs of an image share it, an edited file is
computed again, and an unchanged one never is.
"""

import hashlib
import json
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from datasets import Dataset, DatasetDict, Features, Value, concatenate_datasets
from PIL import Image

from vmhan.image_inputs import load_image_input

logger = logging.getLogger(__name__)

PICTURE_COLUMNS = ("image", "object_boxes", "entity_boxes", "line")
#: Pictures after which results are on disk: a stopped run goes on there.
PICTURES_IN_A_FILE = 512


class BadPicture(ValueError):
    """A picture that cannot be read.

    Args:
        path (`str`): The file.
        split (`str`), line (`int`): Where the first row with it stands.
        why (`str`): What is wrong with it.
    """

    def __init__(self, path: str, split: str, line: int, why: str):
        super().__init__(
            f'{path}, the image of line {line} of {split}: {why} Or leave such pairs without one, on_error="skip".'
        )
        self.path, self.split, self.line, self.why = path, split, line, why


class PictureReader:
    """Opens pictures; one that is broken stops it, or is noted in `bad` and left out.

    Args:
        on_error: `"raise"` or `"skip"`.
    """

    def __init__(self, on_error: str = "raise"):
        self.on_error = on_error
        self.bad: dict[str, BadPicture] = {}

    def read(self, picture: dict) -> Image.Image | None:
        """The upright RGB picture, or None if it is broken; `picture` as `distinct_pictures` gives them."""
        try:
            return load_image_input(Path(picture["path"]))
        except (ValueError, OSError) as error:
            bad = BadPicture(picture["path"], picture["split"], picture["line"], str(error))
            if self.on_error == "raise":
                raise bad from error
            logger.warning("%s, the image of line %d of %s, is left out: %s", bad.path, bad.line, bad.split, bad.why)
            self.bad[bad.path] = bad
            return None


def distinct_pictures(splits: DatasetDict) -> dict[tuple, dict]:
    """By `picture_key`: `path`, `boxes`, `sha256` of the file, and `split` and `line` of the first row with it."""
    checksums, pictures = {}, {}
    for split, rows in splits.items():
        for row in select_picture_columns(rows):
            if row["image"] is None:
                continue
            path = row["image"]["path"]
            if path not in checksums:
                with open(path, "rb") as file:
                    checksums[path] = hashlib.file_digest(file, "sha256").hexdigest()
            picture = {"path": path, "boxes": seen_boxes(row), "sha256": checksums[path]}
            pictures.setdefault(picture_key(row), {**picture, "split": split, "line": row["line"]})
    return pictures


def select_picture_columns(rows: Dataset) -> Dataset:
    """The columns that `seen_boxes` and `picture_key` read, and the line."""
    return rows.select_columns([name for name in PICTURE_COLUMNS if name in rows.column_names])


def seen_boxes(row: dict) -> list[list[float]]:
    """All boxes that are cut out of the picture of a row: objects that may be tails, then those beside them."""
    entities = row.get("entity_boxes") or []
    return [*entities, *(box for box in row["object_boxes"] if box not in entities)]


def picture_key(row: dict) -> tuple | None:
    """Equal for rows that see the same: one file and its boxes."""
    return None if row["image"] is None else (row["image"]["path"], str(seen_boxes(row)))


def checksum(*parts: Any) -> str:
    """sha256 of what JSON can write."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def count_pictures(splits: DatasetDict, reader: PictureReader) -> dict[str, dict[str, int]]:
    """Of each split, with images, the rows, their pictures, those broken, and the rows without one."""
    counts = {}
    for split, rows in splits.items():
        paths = list(_paths(rows).values())
        counts[split] = {
            "rows": len(paths),
            "pictures": len(set(paths) - {None}),
            "broken_pictures": len(set(paths) & set(reader.bad)),
            "rows_without_picture": sum(path is None or path in reader.bad for path in paths),
        }
    return counts


def report_bad_pictures(splits: DatasetDict, reader: PictureReader, path: Path) -> None:
    """Adds to the JSON lines at `path` every row whose picture is broken."""
    entries = [
        {"path": path, "line": line, "split": split, "why": reader.bad[path].why}
        for split, rows in splits.items()
        for line, path in _paths(rows).items()
        if path in reader.bad
    ]
    with open(path, "a", encoding="utf-8") as report:
        report.writelines(json.dumps(entry) + "\n" for entry in entries)


def _paths(rows: Dataset) -> dict[int, str | None]:
    """Of each line the picture; a line may stand in several rows, its pair both ways round."""
    return {row["line"]: row["image"] and row["image"]["path"] for row in rows.select_columns(["line", "image"])}


class PictureCache:
    """Values by key, in the Arrow files of a folder.

    Args:
        folder: Of whatever computes the values; another encoder needs another one.
        feature: Type of a value.
        format: As `datasets.Dataset.with_format` takes it.
    """

    def __init__(self, folder: Path, feature, format: str | None = None):
        self.folder, self.format = folder, format
        self.features = Features({"key": Value("string"), "value": feature})
        folder.mkdir(parents=True, exist_ok=True)
        self._open()

    def __contains__(self, key: str) -> bool:
        return key in self.places

    def __getitem__(self, key: str):
        return self.rows[self.places[key]]["value"]

    def fill(
        self,
        pictures: Sequence[dict],
        compute: Callable[[list[Image.Image], list[list]], list],
        reader: PictureReader,
        batch_size: int,
        desc: str,
    ) -> None:
        """Computes what is not there. Broken pictures stay without a value.

        Args:
            pictures: As of `distinct_pictures`, each with its `"key"`.
            compute: Pictures and their boxes to a value of each.
        """
        readable = [picture for picture in pictures if picture["path"] not in reader.bad]
        missing = list({picture["key"]: picture for picture in readable if picture["key"] not in self}.values())
        logger.info("%s: %d of %d pictures are known", desc, len(pictures) - len(missing), len(pictures))
        for start in range(0, len(missing), PICTURES_IN_A_FILE):
            chunk = missing[start : start + PICTURES_IN_A_FILE]
            self._write(chunk, compute, reader, batch_size, f"{desc} ({start + len(chunk)} of {len(missing)})")
        self._open()

    def _write(self, pictures: list[dict], compute, reader: PictureReader, batch_size: int, desc: str) -> None:
        def compute_batch(batch: dict[str, list]) -> dict[str, list]:
            rows = [dict(zip(batch, values, strict=True)) for values in zip(*batch.values(), strict=True)]
            read = [(row, picture) for row in rows if (picture := reader.read(row)) is not None]
            values = compute([picture for _, picture in read], [row["boxes"] for row, _ in read]) if read else []
            return {"key": [row["key"] for row, _ in read], "value": values}

        name = checksum([picture["key"] for picture in pictures])
        path = self.folder / f"{name}.arrow"
        written = Dataset.from_list(pictures).map(
            compute_batch,
            batched=True,
            batch_size=batch_size,
            remove_columns=list(pictures[0]),
            features=self.features,
            cache_file_name=str(path),
            load_from_cache_file=False,
            new_fingerprint=name,  # by itself it would take the checksum of the encoder, weights and all, by pickling
            desc=desc,
        )
        if not len(written):
            path.unlink(missing_ok=True)

    def _open(self) -> None:
        files = [Dataset.from_file(str(path)) for path in sorted(self.folder.glob("*.arrow"))]
        self.rows = concatenate_datasets(files).with_format(self.format) if files else None
        keys = self.rows.with_format(None)["key"] if files else []
        self.places = {key: place for place, key in enumerate(keys)}
