"""Rows from a data set repository on the Hub, as `hub.dataset` makes it, in place of local files."""

from collections.abc import Callable
from pathlib import Path

import datasets
from datasets import DatasetDict, load_dataset
from huggingface_hub import HfApi
from tqdm.auto import tqdm

from vmhan import NO_RELATION
from vmhan.data.files import atomic_write
from vmhan.data.more import MORE_NO_RELATION
from vmhan.data.schema import choose_no_relation, has_object_tails, relation_feature

SPLITS = ("train", "validation", "test")
NEEDED = ("line", "words", "mentions", "head_span", "relation", "image_id", "description", "object_names")
#: By whether the tail is an object.
OF_TAIL = {True: ("tail_object", "entity_boxes", "entity_captions"), False: ("tail_span",)}


def hub_checksums(name: str) -> dict[str, str]:
    """Finds name and newest commit of a repository, for result files."""
    return {"dataset": name, "revision": HfApi().dataset_info(name).sha}


def load_hub_dataset(
    name: str,
    *,
    images: bool | None = False,
    boxes: bool = True,
    descriptions: bool = True,
    captions: bool = True,
    max_objects: int = 3,
    on_missing_image: str = "none",
    limit: int | None = None,
    no_relation: str | None = None,
) -> DatasetDict:
    """Loads the rows that `load_mnre` or `load_more` gave when they were pushed, in the same columns.

    Args:
        name: `user/name`.
        images: True for rows that hold their image, as the path of a file in the cache; None for those where the
            repository has images.
        boxes: False leaves out boxes; where tails are objects all stay.
        descriptions: False leaves out descriptions and the names of objects out of them.
        captions: False leaves out the captions of objects that are tails.
        max_objects: Most names and boxes of a row. Where tails are objects all are kept.
        on_missing_image: With `images`, what a row without one does: `"none"` leaves it empty, `"raise"` stops.
        limit: Keeps the first so many rows of each split.
        no_relation: The negative label; by default the only one with a usual name for it.

    Raises:
        ValueError: The repository holds something else, or the negative label is not named and cannot be found.
    """
    revision = hub_checksums(name)["revision"]
    splits = load_dataset(name, revision=revision)
    _check(splits, name, images)
    splits = DatasetDict({split: splits[split].take(limit) if limit else splits[split] for split in SPLITS})
    names = splits["train"].features["relation"].names
    expected = MORE_NO_RELATION if has_object_tails(splits["train"].column_names) else NO_RELATION
    relations = relation_feature(names, choose_no_relation(names, no_relation, expected))
    splits = splits.cast_column("relation", relations)
    if "image" in splits["train"].column_names:
        splits = splits.cast_column("image", datasets.Image(decode=False))
        folder = Path(datasets.config.HF_DATASETS_CACHE) / "vmhan-images" / revision
        wanted = images is not False
        splits = _unpack(splits, folder, on_missing_image) if wanted else splits.remove_columns("image")
    if has_object_tails(splits["train"].column_names):
        return splits if captions else _change(splits, _without_captions)
    splits = splits if descriptions else _change(splits, _without_descriptions)
    return splits.map(_keep_objects, fn_kwargs={"names": max_objects, "boxes": max_objects if boxes else 0})


def _change(splits: DatasetDict, change: Callable[[dict], dict]) -> DatasetDict:
    """Changes every row, and keeps the types of columns that are empty afterwards."""
    return DatasetDict({split: rows.map(change, features=rows.features) for split, rows in splits.items()})


def _without_captions(row: dict) -> dict:
    return {"entity_captions": [None] * len(row["entity_captions"])}


def _without_descriptions(row: dict) -> dict:
    return {"description": None, "object_names": []}


def _keep_objects(row: dict, names: int, boxes: int) -> dict:
    return {"object_names": row["object_names"][:names], "object_boxes": row["object_boxes"][:boxes]}


def _check(splits: DatasetDict, name: str, images: bool | None) -> None:
    for split in SPLITS:
        if split not in splits:
            raise ValueError(f"{name} has the splits {sorted(splits)}, not {split!r}; push it with hub.dataset.")
        columns = splits[split].column_names
        needed = [*NEEDED, *OF_TAIL[has_object_tails(columns)], "object_boxes", *(["image"] if images else [])]
        missing = [column for column in needed if column not in columns]
        if missing:
            fix = "push it again with --images" if missing == ["image"] else "push it with hub.dataset"
            raise ValueError(f"{name} has no {', '.join(missing)} in {split!r}; {fix}.")


def _unpack(splits: DatasetDict, folder: Path, on_missing: str) -> DatasetDict:
    """Replaces the image of each row by a file in `folder`, written once for all rows of an image."""
    folder.mkdir(parents=True, exist_ok=True)
    feature = splits["train"].features["image"]
    unpacked = {}
    for split, rows in splits.items():
        paths = []
        for row in tqdm(rows.select_columns(["image_id", "image", "line"]), desc=f"Images of {split}", delay=2):
            if row["image"] is None and on_missing == "raise":
                fix = "push it again with all images, or set on_missing_image to none"
                raise ValueError(f"Line {row['line']} of {split} came without its image {row['image_id']!r}; {fix}.")
            paths.append(_write(row["image"], folder / f"{split}-{Path(row['image_id']).name}.jpg"))
        unpacked[split] = rows.remove_columns("image").add_column("image", paths, feature=feature)
    return DatasetDict(unpacked)


def _write(image: dict | None, path: Path) -> dict | None:
    if image is None or image["bytes"] is None:  # none, or a file that is here already
        return image
    if not path.is_file():
        with atomic_write(path) as partial:
            partial.write_bytes(image["bytes"])
    return {"path": str(path), "bytes": None}
