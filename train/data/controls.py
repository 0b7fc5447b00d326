"""Controls: how a run scores when the image cannot help, or its objects cannot.

Each changes the visual inputs of the rows and nothing else. `text_only`: there are none. `shuffled_images`: they are
those of another image. `blank_images`: every row has the same gray image, a description that says so, and no objects.
`constant_objects`: every row keeps its own image or description, but all have the objects of one training image, by
name and box, and with pixels by what that image shows there.

Where the tail is an object of the image (MORE), which of them is the tail is given, and there are two controls: with
`shuffled_images` the boxes of such objects stay, and hold pixels and captions of another image; with `blank_images`
each is all of the gray image.
"""

import random
from collections.abc import Callable
from itertools import cycle, islice
from pathlib import Path

from datasets import Dataset, DatasetDict
from PIL import Image

from vmhan.data.schema import has_object_tails

IMAGE_COLUMNS = ("description", "object_names", "object_boxes", "image")
BLANK_DESCRIPTION = "A blank image."
_WHOLE = [0.5, 0.5, 1.0, 1.0]  # the box of a whole image
_BLANK_SIZE, _GRAY = (224, 224), (128, 128, 128)


def apply_control(splits: DatasetDict, control: str, seed: int, folder: Path) -> DatasetDict:
    """Changes the visual inputs of all rows as a control says.

    `"constant_objects"` changes nothing here: it waits for a detector, see `same_objects`.

    Args:
        splits: Rows of `load_mnre`, images not decoded.
        control: As in `DataArguments`.
        seed: Of the shuffling.
        folder: Gets the blank image, if the rows have images.
    """
    changes: dict[str, Callable[[Dataset], Dataset]] = {
        "text_only": hide_images,
        "shuffled_images": lambda rows: shuffle_images(rows, seed),
        "blank_images": lambda rows: blank_images(rows, folder),
    }
    change = changes.get(control, lambda rows: rows)
    return DatasetDict({name: change(rows) for name, rows in splits.items()})


def hide_images(dataset: Dataset) -> Dataset:
    """Removes all visual inputs."""
    return _overwrite(dataset, {"description": None, "object_names": [], "object_boxes": [], "image": None})


def blank_images(dataset: Dataset, folder: Path) -> Dataset:
    """Gives every row the same gray image, which is written into `folder`, and its description."""
    values = {"description": BLANK_DESCRIPTION, "object_names": [], "object_boxes": []}
    if "image" in dataset.column_names:
        values["image"] = {"path": str(_write_blank_image(folder)), "bytes": None}
    blank = _overwrite(dataset, values)
    return _blank_tails(blank) if has_object_tails(dataset.column_names) else blank


def _blank_tails(dataset: Dataset) -> Dataset:
    """Makes every object that may be a tail the whole image, with a caption that says nothing, if it has one."""

    def blank(row: dict) -> dict:
        captions = [None if caption is None else BLANK_DESCRIPTION for caption in row["entity_captions"]]
        return {"entity_boxes": [_WHOLE] * len(captions), "entity_captions": captions}

    return dataset.map(blank, features=dataset.features, desc="Replacing objects")


def shuffle_images(dataset: Dataset, seed: int) -> Dataset:
    """Gives every image the visual inputs of another one; rows of one image still agree."""
    columns = [name for name in (*IMAGE_COLUMNS, "entity_captions") if name in dataset.column_names]
    inputs = {
        row["image_id"]: {name: row[name] for name in columns}
        for row in dataset.select_columns(["image_id", *columns])
    }
    images = sorted(inputs)
    random.Random(seed).shuffle(images)
    other = dict(zip(images, images[1:] + images[:1], strict=True))  # one cycle: no image keeps its own

    def exchange(row: dict) -> dict:
        of_other = inputs[other[row["image_id"]]]
        if "entity_captions" not in of_other:
            return of_other
        captions = islice(cycle(of_other["entity_captions"]), len(row["entity_boxes"]))  # one for each of its boxes
        return {**of_other, "entity_captions": list(captions)}

    return dataset.map(exchange, features=dataset.features, desc="Shuffling images")


def reference_row(dataset: Dataset) -> int:
    """Finds the first of the rows whose image has the most objects, and is there if the rows have images."""
    columns = [name for name in IMAGE_COLUMNS if name in dataset.column_names]
    counts = [
        len(row.get("object_names") or ()) + len(row.get("object_boxes") or ()) if row.get("image", row) else -1
        for row in dataset.select_columns(columns)
    ]
    return counts.index(max(counts))


def same_objects(splits: DatasetDict, reference: dict) -> DatasetDict:
    """Gives every row the names and boxes of the objects of one row."""
    objects = {name: reference[name] for name in ("object_names", "object_boxes") if name in reference}
    return DatasetDict({name: _overwrite(rows, objects) for name, rows in splits.items()})


def _overwrite(dataset: Dataset, values: dict) -> Dataset:
    present = {name: value for name, value in values.items() if name in dataset.column_names}
    return dataset.map(lambda row: present, features=dataset.features, desc="Replacing images")


def _write_blank_image(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "blank.png"
    Image.new("RGB", _BLANK_SIZE, _GRAY).save(path)
    return path
