"""Reader of MNRE's files to one `DatasetDict`, a row for each entity pair.

A line of `mnre_{train,val,test}.txt` is a Python dict literal: `token` (words), `h` and `t` (the entities, with their
`pos`, a [start, end) pair of word offsets), `img_id` and `relation`. Everything else is keyed by the image and never
by the row: `{name}_{split}.json` files of descriptions and of boxes, and a folder of images.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from datasets import ClassLabel, DatasetDict

from vmhan.configuration_vmhan import NO_RELATION
from vmhan.data.images import (
    ImageNames,
    add_images,
    box_fault,
    checksum_of_images,
    checksums_of,
    clip_box,
    image_files,
)
from vmhan.data.parsing import (
    BadLine,
    check_reading,
    is_text,
    read_lines,
    read_object,
    read_sentence,
    read_span,
    report_bad_lines,
)
from vmhan.data.schema import SPAN, add_mentions, choose_no_relation, make_split, relation_feature
from vmhan.object_nouns import object_names

_FILE_SPLITS = {"train": "train", "validation": "val", "test": "test"}


def load_mnre(
    data_dir: str | Path,
    *,
    descriptions: str | None = "llavanext",
    boxes: str | None = "detect",
    image_dir: str | Path | None = None,
    max_objects: int = 3,
    on_error: str = "raise",
    on_missing_image: str = "none",
    report_path: str | Path | None = None,
    limit: int | None = None,
    no_relation: str | None = None,
) -> DatasetDict:
    """Reads, checks and joins MNRE's files.

    A row holds `line` (its line in the source file, from 1), `words`, `head_span` and `tail_span` (word offsets,
    end-exclusive), `mentions` (the sorted spans that are head or tail of any row with these words and this image in
    the split), `relation`, `image_id`, `image` (only with `image_dir`; decoded on access), `description`,
    `object_names` (from the description) and `object_boxes` (cx, cy, w, h in 0..1). Names and boxes come from
    different sources: the first name need not belong to the first box.

    The relation names are those of the whole training file, the negative label first and the others sorted. Own data
    in this form may have another negative label than MNRE's "None".

    Args:
        data_dir (`str` or `Path`): Folder of the text and JSON files.
        descriptions (`str`, *optional*): Stem of the description files; `None` leaves descriptions and names out.
        boxes (`str`, *optional*): Stem of the box files; `None` leaves boxes out.
        image_dir (`str` or `Path`, *optional*): Folder of the images, `{image_id}.jpg` or with another ending of an
            image file. The keys of descriptions and boxes may have one too, or none.
        max_objects (`int`): Maximum of names, and of boxes, in a row.
        on_error (`str`): `"raise"` stops at the first bad line, `"skip"` leaves bad lines out, counted and logged.
        on_missing_image (`str`): `"none"` leaves `image` empty where `image_dir` has no file, counted and logged;
            `"raise"` stops.
        report_path (`str` or `Path`, *optional*): With `"skip"`, JSON lines of `path`, `line` and `why` are written
            here; an empty file says that no line was bad.
        limit (`int`, *optional*): Number of rows of each split, the first ones. All rows are checked, and count for
            `mentions` and the relation names, all the same.
        no_relation (`str`, *optional*): The negative label, that of pairs without a relation; by default the only
            label with a usual name, such as "None", "no_relation", "NA" or "Other".

    Raises:
        BadLine: A line is no entity pair, its spans do not fit its words, or its relation is in no training row.
        FileNotFoundError: A file or `image_dir` is missing, or an image under `on_missing_image="raise"`.
        ValueError: A description or box file is malformed, or an argument is; or the negative label is not named and
            none or several of the labels look like it.
    """
    check_reading(on_error, on_missing_image, limit)
    if max_objects < 0:
        raise ValueError(f"max_objects is {max_objects}; set 0 or more.")
    relations: ClassLabel | None = None
    bad_lines: list[BadLine] = []
    splits = {}
    for split, files in _files(data_dir, descriptions, boxes).items():
        rows = read_lines(files["rows"], partial(_row, relations=relations), bad_lines if on_error == "skip" else None)
        if relations is None and not rows and bad_lines:
            report_bad_lines(bad_lines, report_path)
            raise ValueError(f"All {len(bad_lines)} rows of {split} were left out, first {bad_lines[0]}")
        relations = relations or _relations(rows, files["rows"], no_relation)
        add_mentions(rows)
        rows = rows[:limit]
        _add_descriptions(rows, files.get("descriptions"), max_objects)
        _add_boxes(rows, files.get("boxes"), max_objects)
        if image_dir is not None:
            add_images(rows, Path(image_dir), split, on_missing_image)
        splits[split] = make_split(rows, split, {"tail_span": SPAN}, relations, with_images=image_dir is not None)
    if on_error == "skip":
        report_bad_lines(bad_lines, report_path)
    return DatasetDict(splits)


def mnre_checksums(
    data_dir: str | Path,
    *,
    descriptions: str | None = "llavanext",
    boxes: str | None = "detect",
    image_dir: str | Path | None = None,
) -> dict[str, str]:
    """Computes the sha256 of each file that `load_mnre` reads with these arguments, by file name.

    The images of `image_dir` share one entry, `"images"`: the sha256 over the name and sha256 of each, in the order
    of their names.

    Raises:
        FileNotFoundError: A file or `image_dir` is missing.
    """
    files = [path for split in _files(data_dir, descriptions, boxes).values() for path in split.values()]
    checksums = checksums_of(files)
    if image_dir is not None:
        checksums["images"] = checksum_of_images(image_files(Path(image_dir)))
    return checksums


def mnre_files(data_dir: str | Path, *, descriptions: str | None = None, boxes: str | None = None) -> dict[str, Path]:
    """Finds the file with the rows of each split.

    Raises:
        FileNotFoundError: One is missing, or one of the descriptions or boxes that are named.
    """
    return {split: files["rows"] for split, files in _files(data_dir, descriptions, boxes).items()}


def _files(data_dir: str | Path, descriptions: str | None, boxes: str | None) -> dict[str, dict[str, Path]]:
    """The files of each split by role: `rows` and, unless left out, `descriptions` and `boxes`."""
    folder, files = Path(data_dir), {}
    for split, name in _FILE_SPLITS.items():
        rows = folder / f"mnre_{name}.txt"
        upstream = folder / f"mnre_{name} .txt"  # thecharm/MNRE publishes "mnre_val .txt"
        files[split] = {"rows": upstream if upstream.is_file() and not rows.is_file() else rows}
        for role, stem in (("descriptions", descriptions), ("boxes", boxes)):
            if stem is not None:
                files[split][role] = folder / f"{stem}_{name}.json"
        for role, path in files[split].items():
            if not path.is_file():
                fix = "get MNRE from github.com/thecharm/MNRE" if role == "rows" else f"turn them off with {role}=None"
                raise FileNotFoundError(f"{path} ({role} of {split}) is missing; set data_dir to its folder or {fix}.")
    return files


def _relations(rows: list[dict], path: Path, named: str | None) -> ClassLabel:
    """The relations of the training rows, the negative label first."""
    names = sorted({row["relation"] for row in rows})
    if not names:
        raise ValueError(f"{path} holds no entity pair; put the rows of train there, or name another data_dir.")
    try:
        none = choose_no_relation(names, named, expected=NO_RELATION)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    return relation_feature([none, *(name for name in names if name != none)], none)


def _row(raw: dict, relations: ClassLabel | None) -> dict:
    """The entity pair of a line.

    Raises:
        ValueError: The line is none.
    """
    row = read_sentence(raw)
    if relations is not None and row["relation"] not in relations.names:
        raise ValueError(f'"relation" is in no training row: {row["relation"]!r:.80}')
    words = len(row["words"])
    head, tail = (read_span(raw[key], name, words) for key, name in (("h", "head_span"), ("t", "tail_span")))
    if head == tail:
        raise ValueError(f"head_span and tail_span are both ({head[0]}, {head[1]})")
    return {**row, "head_span": head, "tail_span": tail}


def _add_descriptions(rows: list[dict], path: Path | None, max_objects: int) -> None:
    texts = _by_image(rows, path, _description)
    names = {text: object_names(text, max_objects) for text in {*texts.values(), None}}
    for row in rows:
        row["description"] = texts.get(row["image_id"])
        row["object_names"] = names[row["description"]]


def _description(text: object) -> str | None:
    if text is not None and not isinstance(text, str):
        raise ValueError(f"the description is not a string: {text!r:.80}")
    return text.strip() if text is not None and is_text(text) else None


def _add_boxes(rows: list[dict], path: Path | None, max_objects: int) -> None:
    boxes = _by_image(rows, path, _boxes)
    for row in rows:
        row["object_boxes"] = boxes.get(row["image_id"], [])[:max_objects]


def _boxes(of_image: object) -> list[list[float]]:
    if of_image is None:
        return []
    if not isinstance(of_image, list):
        raise ValueError(f"not a list of boxes: {of_image!r:.80}")
    for box in of_image:
        if why := box_fault(box):
            raise ValueError(f"box {box!r:.80} {why}; write (cx, cy, w, h) in 0..1.")
    return [clip_box(box) for box in of_image]


def _by_image(rows: list[dict], path: Path | None, read: Callable[[object], object]) -> dict:
    """The entry of a JSON object for each image of the rows; all entries are checked."""
    if path is None:
        return {}
    entries = {}
    for key, value in read_object(path).items():
        try:
            entries[key] = read(value)
        except ValueError as error:
            raise ValueError(f'{path}, key "{key}": {error}') from None
    keys = ImageNames(entries, path)
    found = {image: keys.find(image) for image in dict.fromkeys(row["image_id"] for row in rows)}
    keys.report_ambiguous()
    return {image: entries[key] for image, key in found.items() if key is not None}


__all__ = ["load_mnre", "mnre_checksums", "mnre_files"]
