"""MNRE's files as one `DatasetDict`, a row for each entity pair.

A line of `mnre_{train,val,test}.txt` is a Python dict literal: `token` (words), `h` and `t` (the entities, with their
`pos`, a [start, end) pair of word offsets), `img_id` and `relation`. Everything else is keyed by the image and never
by the row: `{name}_{split}.json` files of descriptions and of boxes, and a folder of pictures. A side input that
belongs to one row can give the label away; one that belongs to the image cannot tell its pairs apart.
"""

import ast
import hashlib
import json
import logging
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from datasets import ClassLabel, Dataset, DatasetDict, Features, Image, List, NamedSplit, Value
from tqdm.auto import tqdm

from vmhan.object_names import object_names

logger = logging.getLogger(__name__)

NO_RELATION = "None"  # MNRE's spelling

_FILE_SPLITS = {"train": "train", "validation": "val", "test": "test"}
_KEYS = ("token", "h", "t", "img_id", "relation")
_SILENT = 2  # seconds before a progress bar appears
_ROUNDING = 1e-3  # how far a box may reach over the border of its image: a pixel of a thousand


class BadLine(ValueError):
    """A line of an MNRE file that is no entity pair.

    Args:
        path (`Path`): The file.
        line (`int`): 1-based number of the line.
        why (`str`): What is wrong with it.
    """

    def __init__(self, path: Path, line: int, why: str):
        super().__init__(f'{path}, line {line}: {why}. Mend the line, or leave it out with on_error="skip".')
        self.path, self.line, self.why = path, line, why


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
) -> DatasetDict:
    """Reads, checks and joins MNRE's files.

    A row holds `line` (its line in the source file, from 1), `words`, `head_span` and `tail_span` (word offsets,
    end-exclusive), `mentions` (the sorted spans that are head or tail of any row with these words and this image in
    the split), `relation`, `image_id`, `image` (only with `image_dir`; decoded on access), `description`,
    `object_names` (from the description) and `object_boxes` (cx, cy, w, h in 0..1). Names and boxes come from
    different sources: the first name need not be the thing in the first box.

    The relation names are those of the whole training file, `NO_RELATION` first and the others sorted.

    Args:
        data_dir (`str` or `Path`): Folder of the text and JSON files.
        descriptions (`str`, *optional*): Stem of the description files; `None` leaves descriptions and names out.
        boxes (`str`, *optional*): Stem of the box files; `None` leaves boxes out.
        image_dir (`str` or `Path`, *optional*): Folder of `{image_id}.jpg`.
        max_objects (`int`): At most so many names and boxes a row.
        on_error (`str`): `"raise"` stops at the first bad line, `"skip"` leaves bad lines out, counted and logged.
        on_missing_image (`str`): `"none"` leaves `image` empty where `image_dir` has no picture, counted and logged;
            `"raise"` stops.
        report_path (`str` or `Path`, *optional*): With `"skip"`, JSON lines of `path`, `line` and `why` are written
            here; an empty file says that no line was bad.
        limit (`int`, *optional*): Keep the first so many rows of each split. All rows are checked, and count for
            `mentions` and the relation names, all the same.

    Raises:
        BadLine: A line is no entity pair, its spans do not fit its words, or its relation is in no training row.
        FileNotFoundError: A file or `image_dir` is missing, or a picture under `on_missing_image="raise"`.
        ValueError: A description or box file is malformed, or an argument is.
    """
    _check_arguments(on_error, on_missing_image, max_objects, limit)
    relations: list[str] | None = None
    bad_lines: list[BadLine] = []
    splits = {}
    for split, files in _files(data_dir, descriptions, boxes).items():
        rows = _read_rows(files["rows"], relations, bad_lines if on_error == "skip" else None)
        relations = relations or [NO_RELATION, *sorted({row["relation"] for row in rows} - {NO_RELATION})]
        _add_mentions(rows)
        rows = rows[:limit]
        _add_descriptions(rows, files.get("descriptions"), max_objects)
        _add_boxes(rows, files.get("boxes"), max_objects)
        if image_dir is not None:
            _add_images(rows, Path(image_dir), split, on_missing_image)
        # In memory, not in the Arrow cache: its key is the code and its arguments, not the files' content, so an
        # edited file would give stale rows. Reading all takes a few seconds, and names the bad lines every time.
        features = _features(relations, with_images=image_dir is not None)
        splits[split] = Dataset.from_list(rows, features=features, split=NamedSplit(split))
    if on_error == "skip":
        _report(bad_lines, report_path)
    return DatasetDict(splits)


def data_checksums(
    data_dir: str | Path,
    *,
    descriptions: str | None = "llavanext",
    boxes: str | None = "detect",
    image_dir: str | Path | None = None,
) -> dict[str, str]:
    """sha256 of each file that `load_mnre` reads with these arguments, by file name, for result files.

    The pictures of `image_dir` share one entry, `"images"`: the sha256 over the name and sha256 of every `.jpg` there,
    in the order of their names.

    Raises:
        FileNotFoundError: A file or `image_dir` is missing.
    """
    files = [path for split in _files(data_dir, descriptions, boxes).values() for path in split.values()]
    checksums = checksums_of(files)
    if image_dir is not None:
        pictures = hashlib.sha256()
        for path in tqdm(_pictures(Path(image_dir)), desc="checksums of pictures", delay=_SILENT):
            pictures.update(f"{path.name} {_sha256(path)}\n".encode())
        checksums["images"] = pictures.hexdigest()
    return checksums


def checksums_of(files: Iterable[Path]) -> dict[str, str]:
    """sha256 of each file, by its name."""
    return {path.name: _sha256(path) for path in files}


def _check_arguments(on_error: str, on_missing_image: str, max_objects: int, limit: int | None) -> None:
    if on_error not in ("raise", "skip"):
        raise ValueError(f'on_error is "{on_error}"; choose "raise" or "skip".')
    if on_missing_image not in ("none", "raise"):
        raise ValueError(f'on_missing_image is "{on_missing_image}"; choose "none" or "raise".')
    if max_objects < 0 or (limit is not None and limit < 1):
        raise ValueError(f"max_objects is {max_objects} and limit {limit}; ask for 0 or more objects, 1 or more rows.")


def _files(data_dir: str | Path, descriptions: str | None, boxes: str | None) -> dict[str, dict[str, Path]]:
    """The files of each split by role: `rows` and, where asked for, `descriptions` and `boxes`."""
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


def _sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _read_rows(path: Path, relations: list[str] | None, bad_lines: list[BadLine] | None) -> list[dict]:
    """The rows of `path`; bad lines are appended to `bad_lines`, or raised where that is `None`."""
    rows = []
    with open(path, "rb") as lines:  # as bytes, only a newline ends a line: words may hold U+2028
        for number, line in enumerate(tqdm(lines, desc=path.name, unit=" lines", delay=_SILENT), start=1):
            try:
                rows.append({"line": number, **_row(line, relations)})
            except ValueError as error:
                bad = BadLine(path, number, str(error))
                if bad_lines is None:
                    raise bad from error
                bad_lines.append(bad)
    return rows


def _row(line: bytes, relations: list[str] | None) -> dict:
    """The entity pair of a line; a `ValueError` says what is wrong with it."""
    raw = _literal(line)
    words, image, relation = raw["token"], raw["img_id"], raw["relation"]
    if not isinstance(words, list) or not words or not all(map(_is_text, words)):
        raise ValueError(f'"token" is not a list of one or more non-empty strings: {words!r:.80}')
    if not _is_text(image) or re.search(r"[/\\\0]", image):
        raise ValueError(f'"img_id" is not a file name: {image!r:.80}')
    if not _is_text(relation):
        raise ValueError(f'"relation" is no string: {relation!r:.80}')
    if relations is not None and relation not in relations:
        raise ValueError(f'"relation" is in no training row: {relation!r:.80}')
    head, tail = (_span(raw[key], name, len(words)) for key, name in (("h", "head_span"), ("t", "tail_span")))
    if head == tail:
        raise ValueError(f"head_span and tail_span are both ({head[0]}, {head[1]})")
    return {
        "words": words,
        "head_span": head,
        "tail_span": tail,
        "relation": relation,
        "image_id": image.removesuffix(".jpg"),
    }


def _literal(line: bytes) -> dict:
    """The dict of a line. `ast.literal_eval` runs no code, whatever the file holds."""
    try:
        raw = ast.literal_eval(line.decode("utf-8"))
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        raise ValueError(f"not a Python literal in UTF-8: {line!r:.80}") from None
    if not isinstance(raw, dict):
        raise ValueError(f"not a dict: {raw!r:.80}")
    missing = [key for key in _KEYS if key not in raw]
    if missing:
        raise ValueError(f"no {', '.join(missing)} in it")
    return raw


def _is_text(value: object) -> bool:
    """Whether `value` is a string with more than white space in it, and can be written as UTF-8."""
    if not isinstance(value, str) or not value.strip():
        return False
    return value.isascii() or not re.search(r"[\ud800-\udfff]", value)


def _span(entity: object, name: str, words: int) -> list[int]:
    """The [start, end) word offsets of an entity."""
    span = entity.get("pos") if isinstance(entity, dict) else None
    if not isinstance(span, list | tuple) or len(span) != 2 or any(type(offset) is not int for offset in span):
        raise ValueError(f'{name} is not a "pos" of two integers: {entity!r:.80}')
    start, end = span
    if start >= end:
        raise ValueError(f"{name} ({start}, {end}) is empty or reversed; spans are end-exclusive word offsets")
    if start < 0 or end > words:
        raise ValueError(f"{name} ({start}, {end}) is outside the {words} words; spans are end-exclusive word offsets")
    return [start, end]


def _add_mentions(rows: list[dict]) -> None:
    spans = defaultdict(set)
    for row in rows:
        spans[*row["words"], row["image_id"]].update((tuple(row["head_span"]), tuple(row["tail_span"])))
    for row in rows:
        row["mentions"] = sorted(spans[*row["words"], row["image_id"]])


def _add_descriptions(rows: list[dict], path: Path | None, max_objects: int) -> None:
    texts = {}
    for image_id, text in _read_by_image(path):
        if text is not None and not isinstance(text, str):
            raise ValueError(f'{path}, key "{image_id}": the description is not a string: {text!r:.80}')
        texts[image_id] = text.strip() if _is_text(text) else None
    names = {text: object_names(text, max_objects) for text in {texts.get(row["image_id"]) for row in rows}}
    for row in rows:
        row["description"] = texts.get(row["image_id"])
        row["object_names"] = names[row["description"]]


def _add_boxes(rows: list[dict], path: Path | None, max_objects: int) -> None:
    boxes = {}
    for image_id, image_boxes in _read_by_image(path):
        if not isinstance(image_boxes, list):
            raise ValueError(f'{path}, key "{image_id}": not a list of boxes: {image_boxes!r:.80}')
        for box in image_boxes:
            if why := _box_fault(box):
                raise ValueError(f'{path}, key "{image_id}": box {box!r:.80} {why}; write (cx, cy, w, h) in 0..1.')
        boxes[image_id] = [[min(max(number, 0.0), 1.0) for number in box] for box in image_boxes]
    for row in rows:
        row["object_boxes"] = boxes.get(row["image_id"], [])[:max_objects]


def _read_by_image(path: Path | None) -> Iterator[tuple[str, object]]:
    """Entries of a JSON object, without the `.jpg` that some files' keys end in."""
    try:
        entries = {} if path is None else json.loads(path.read_bytes())
    except ValueError as error:
        raise ValueError(f"{path} is not JSON: {error}") from None
    if not isinstance(entries, dict):
        raise ValueError(f"{path} is not one JSON object with an entry for each image.")
    return ((key.removesuffix(".jpg"), value) for key, value in entries.items())


def _box_fault(box: object) -> str | None:
    if not isinstance(box, list) or len(box) != 4 or any(type(number) not in (int, float) for number in box):
        return "is not four numbers"
    cx, cy, width, height = box
    edges = (cx - width / 2, cx + width / 2, cy - height / 2, cy + height / 2)
    inside = all(-_ROUNDING <= number <= 1 + _ROUNDING for number in (*box, *edges))  # not a number is not inside
    return None if inside else "reaches out of the image"


def _pictures(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder} is not a folder; set image_dir to that of the pictures, or leave it out.")
    return sorted(path for path in folder.iterdir() if path.suffix == ".jpg")


def _add_images(rows: list[dict], folder: Path, split: str, on_missing: str) -> None:
    paths = {path.stem: str(path) for path in _pictures(folder)}
    for row in rows:
        row["image"] = paths.get(row["image_id"])
    missing = [row for row in rows if row["image"] is None]
    if not missing:
        return
    first = f'image "{missing[0]["image_id"]}.jpg" of line {missing[0]["line"]} of {split} is not under {folder}'
    if on_missing == "raise":
        raise FileNotFoundError(f"{first}; set image_dir to the folder that holds it.")
    logger.warning("%d of %d rows of %s have no picture: %s", len(missing), len(rows), split, first)


def _features(relations: list[str], with_images: bool) -> Features:
    span = List(Value("int32"), length=2)
    features = {
        "line": Value("int32"),
        "words": List(Value("string")),
        "mentions": List(span),
        "head_span": span,
        "tail_span": span,
        "relation": ClassLabel(names=relations),
        "image_id": Value("string"),
        "description": Value("string"),
        "object_names": List(Value("string")),
        "object_boxes": List(List(Value("float32"), length=4)),
    }
    return Features(features | ({"image": Image()} if with_images else {}))


def _report(bad_lines: list[BadLine], report_path: str | Path | None) -> None:
    if bad_lines:
        first = bad_lines[0]
        logger.warning("%d bad lines left out, first %s:%d: %s", len(bad_lines), first.path, first.line, first.why)
    if report_path is not None:
        entries = [{"path": str(bad.path), "line": bad.line, "why": bad.why} for bad in bad_lines]
        Path(report_path).write_text("".join(json.dumps(entry) + "\n" for entry in entries), encoding="utf-8")
