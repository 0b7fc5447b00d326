"""The rows of a run: MNRE or MORE, from local files or from a data set repository on the Hub."""

import logging
from pathlib import Path

from datasets import DatasetDict

from train.data.hub_rows import SPLITS, hub_checksums, load_hub_dataset
from train.data.legacy_crops import legacy_files
from train.data.selection import candidate_objects, selects
from vmhan.data.images import checksums_of
from vmhan.data.mnre import load_mnre, mnre_checksums, mnre_files
from vmhan.data.more import load_more, more_checksums, more_files

logger = logging.getLogger(__name__)


def read_rows(data, report_path: Path | None = None) -> DatasetDict:
    """The rows of each split that these `DataArguments` ask for.

    Args:
        report_path: Where bad lines are listed that are left out.

    Raises:
        ValueError: No data are named, or they are broken.
        FileNotFoundError: A file is missing.
    """
    if data.dataset:
        if report_path is not None:
            report_path.write_text("", encoding="utf-8")  # no line of a file is read here; more may be said of rows
        return load_hub_dataset(
            data.dataset,
            pictures=True if data.visual_setting == "pixels" else None if selects(data) else False,
            boxes=data.boxes is not None,
            descriptions=data.descriptions is not None,
            captions=data.captions,
            no_relation=data.no_relation,
            max_objects=candidate_objects(data),
            on_missing_image=data.on_missing_image,
            limit=data.limit,
        )
    if not data.data_dir:
        raise ValueError("Name the data: --data_dir <folder of the files>, or --dataset user/name on the Hub.")
    settings = {
        **_files(data),
        "on_error": data.on_error,
        "on_missing_image": data.on_missing_image,
        "report_path": report_path,
        "limit": data.limit,
        "no_relation": data.no_relation,
    }
    if data.corpus == "more":
        return load_more(data.data_dir, **settings)
    return load_mnre(data.data_dir, max_objects=candidate_objects(data), **settings)


def checksums(data) -> dict[str, str]:
    """What the numbers were made from."""
    shared = legacy_files(data.legacy_crops).values() if data.legacy_crops else ()
    legacy = checksums_of(path for files in shared for path in files.values())
    if data.dataset:
        return hub_checksums(data.dataset) | legacy
    read = {"mnre": mnre_checksums, "more": more_checksums}[data.corpus]
    return read(data.data_dir, **_files(data)) | legacy


def split_files(data) -> dict[str, str | Path]:
    """What the rows of each split are read from, for messages."""
    if data.dataset:
        return {split: f"{data.dataset}, {split}" for split in SPLITS}
    return {"mnre": mnre_files, "more": more_files}[data.corpus](data.data_dir)


def check_object_tails(data) -> None:
    """Refuses settings that rows whose tail is an object of the image cannot have.

    Raises:
        ValueError: Says which, and why.
    """
    refused = {
        "visual_setting text_only": (data.visual_setting == "text_only", "without the image there is no tail"),
        "control text_only": (data.control == "text_only", "blank_images takes away all but that there is a tail"),
        "control constant_objects": (data.control == "constant_objects", "one of the objects is the tail"),
        "legacy_crops": (data.legacy_crops is not None, "they are MNRE's"),
        "undirected_pairs": (data.undirected_pairs, "the head is in the text and the tail in the image"),
        "selector": (selects(data), "nodes are selected for two entities of the text"),
        "boxes": (data.boxes is not None, "they bring their own"),
        "on_missing_image none": (
            data.visual_setting == "pixels" and data.on_missing_image == "none",
            "a tail needs its picture",
        ),
    }
    for name, (asked, why) in refused.items():
        if asked:
            raise ValueError(f"Leave {name} out for data whose tails are objects, such as MORE: {why}.")


def leave_out_unseen_tails(splits: DatasetDict) -> DatasetDict:
    """Rows whose tail is an object and whose picture is broken have no tail: they go, counted and logged."""
    kept = {}
    for split, rows in splits.items():
        places = [place for place, picture in enumerate(rows["picture"]) if picture is not None]
        if gone := len(rows) - len(places):
            logger.warning("%d of %d rows of %s are left out, for their picture is broken", gone, len(rows), split)
        kept[split] = rows.select(places)
    return DatasetDict(kept)


def _files(data) -> dict:
    """Which files are read; pictures, if the model or a selector of nodes looks at them."""
    image_dir = data.image_dir if data.visual_setting == "pixels" or selects(data) else None
    if data.corpus == "more":
        return {"captions": data.captions, "image_dir": image_dir}
    return {"descriptions": data.descriptions, "boxes": data.boxes, "image_dir": image_dir}
