"""Reader of MORE's files to one `DatasetDict`, a row for each pair of an entity in the text and an object in an image.

The layout is the published one (github.com/NJUNLP/MORE):

    txt/{train,valid,test}.txt        a Python dict literal a line: `token`, `h` (with its `pos`, word offsets), `t`
                                      (with the `name` of an object), `img_id`, `relation`
    ent_{train,valid,test}_dict.pth   {img_id: {name of an object: (cx, cy, w, h) in 0..1}}
    rel2id.json                       {relation: id}, "none" among them
    caption_dict.json                 {img_id: {name of an object: its caption}}
    img_org/{train,valid,test}/       the images, `{img_id}`

The box of a tail is that of the dictionary, as in the published code; other keys of `t` are not read. Depth maps
(`img_dep`) are not read either.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from datasets import ClassLabel, DatasetDict, List, Value

from vmhan.data.images import add_images, checksum_of_images, checksums_of, image_files
from vmhan.data.more_objects import Captions, SplitObjects, read_captions, read_split_objects
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
from vmhan.data.schema import BOXES, add_mentions, choose_no_relation, make_split, relation_feature

_FILE_SPLITS = {"train": "train", "validation": "valid", "test": "test"}
#: The negative label of MORE.
MORE_NO_RELATION = "none"
_RELATIONS, _CAPTIONS = "rel2id.json", "caption_dict.json"
_TAIL = {"tail_object": Value("int32"), "entity_boxes": BOXES, "entity_captions": List(Value("string"))}


def load_more(
    data_dir: str | Path,
    *,
    captions: bool = True,
    image_dir: str | Path | None = None,
    on_error: str = "raise",
    on_missing_image: str = "none",
    report_path: str | Path | None = None,
    limit: int | None = None,
    no_relation: str | None = None,
) -> DatasetDict:
    """Reads, checks and joins MORE's files.

    A row has the columns of `load_mnre`, with three in place of `tail_span`: `tail_object`, the index of the tail
    among the objects of its image, their boxes as `entity_boxes` (cx, cy, w, h in 0..1) and their captions as
    `entity_captions` (None without one). `object_boxes` are the same boxes, as candidates for visual nodes;
    `description` is None and `object_names` are empty. `mentions` are the heads of the sentence.

    The relation names are those of `rel2id.json`, in the order of their ids.

    Args:
        data_dir (`str` or `Path`): Folder of the files.
        captions (`bool`): Whether the captions are read.
        image_dir (`str` or `Path`, *optional*): Folder of the folders `train`, `valid` and `test` of images, such as
            `img_org` of `data_dir`.
        on_error, on_missing_image, report_path, limit, no_relation: As of `load_mnre`.

    Raises:
        BadLine: A line is no pair, its span does not fit its words, its tail is no object of its image, the box of an
            object is malformed or reaches out of the image, or its relation is not in `rel2id.json`.
        FileNotFoundError: A file or folder is missing, or an image under `on_missing_image="raise"`.
        ValueError: A file is malformed, or an argument is.
    """
    check_reading(on_error, on_missing_image, limit)
    folder = Path(data_dir)
    files = _files(folder, captions)
    relations = _read_relations(folder / _RELATIONS, no_relation)
    texts = read_captions(folder / _CAPTIONS) if captions else None
    bad_lines: list[BadLine] = []
    splits = {}
    for split, (lines, boxes) in files.items():
        objects = read_split_objects(boxes)
        read = partial(_row, relations=relations, objects=objects, captions=texts)
        rows = read_lines(lines, read, bad_lines if on_error == "skip" else None)
        objects.names.report_ambiguous()
        add_mentions(rows)
        rows = rows[:limit]
        if image_dir is not None:
            add_images(rows, Path(image_dir) / _FILE_SPLITS[split], split, on_missing_image)
        splits[split] = make_split(rows, split, _TAIL, relations, with_images=image_dir is not None)
    if texts is not None:
        texts.names.report_ambiguous()
    if on_error == "skip":
        report_bad_lines(bad_lines, report_path)
    return DatasetDict(splits)


def more_checksums(
    data_dir: str | Path, *, captions: bool = True, image_dir: str | Path | None = None
) -> dict[str, str]:
    """Computes the sha256 of each file that `load_more` reads with these arguments, by file name.

    The images share one entry, `"images"`: the sha256 over the name and sha256 of each, in the order of the splits
    and of their names.

    Raises:
        FileNotFoundError: A file or a folder of images is missing.
    """
    folder = Path(data_dir)
    files = [path for split in _files(folder, captions).values() for path in split]
    checksums = checksums_of([*files, folder / _RELATIONS, *([folder / _CAPTIONS] if captions else [])])
    if image_dir is not None:
        checksums["images"] = checksum_of_images(_image_files(Path(image_dir)))
    return checksums


def more_files(data_dir: str | Path, *, captions: bool = False) -> dict[str, Path]:
    """Finds the file with the rows of each split.

    Raises:
        FileNotFoundError: One is missing, or that of the captions if they are wanted.
    """
    return {split: lines for split, (lines, _) in _files(Path(data_dir), captions).items()}


def _image_files(image_dir: Path) -> Iterator[Path]:
    return (path for name in _FILE_SPLITS.values() for path in image_files(image_dir / name))


def _files(folder: Path, captions: bool) -> dict[str, tuple[Path, Path]]:
    """The files of lines and of objects of each split.

    Raises:
        FileNotFoundError: A file is missing.
    """
    splits = {
        split: (folder / "txt" / f"{name}.txt", folder / f"ent_{name}_dict.pth")
        for split, name in _FILE_SPLITS.items()
    }
    for path in (*(path for files in splits.values() for path in files), folder / _RELATIONS):
        if not path.is_file():
            raise FileNotFoundError(
                f"{path} is missing; set data_dir to the folder of MORE, which holds txt, ent_*_dict.pth and "
                f"{_RELATIONS}, or get it from github.com/NJUNLP/MORE."
            )
    if captions and not (folder / _CAPTIONS).is_file():
        raise FileNotFoundError(f"{folder / _CAPTIONS} is missing; put it there, or turn captions off.")
    return splits


def _read_relations(path: Path, named: str | None) -> ClassLabel:
    """The relations by id."""
    ids = read_object(path)
    if sorted(map(str, ids.values())) != sorted(map(str, range(len(ids)))):
        raise ValueError(f"{path} does not number its {len(ids)} relations from 0: {list(ids.values())!r:.80}.")
    names = sorted(ids, key=lambda name: int(ids[name]))
    try:
        return relation_feature(names, choose_no_relation(names, named, expected=MORE_NO_RELATION))
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def _row(raw: dict, relations: ClassLabel, objects: SplitObjects, captions: Captions | None) -> dict:
    """The pair of a line.

    Raises:
        ValueError: The line is none.
    """
    row = read_sentence(raw)
    if row["relation"] not in relations.names:
        raise ValueError(f"the relation {row['relation']!r:.80} is not in {_RELATIONS}")
    head = read_span(raw["h"], "head_span", len(row["words"]))
    image = raw["img_id"]
    boxes = objects.boxes_of(image)
    tail = raw["t"].get("name") if isinstance(raw["t"], dict) else None
    if tail not in list(boxes):
        raise ValueError(
            f'the tail {tail!r:.80} is none of the objects {list(boxes)} of "{image}" in {objects.path.name}'
        )
    of_image = captions.of_image(image) if captions else {}
    texts = [of_image.get(name) for name in boxes]
    return {
        **row,
        "head_span": head,
        "tail_object": list(boxes).index(tail),
        "entity_boxes": list(boxes.values()),
        "entity_captions": [text.strip() if text is not None and is_text(text) else None for text in texts],
        "description": None,
        "object_names": [],
        "object_boxes": list(boxes.values()),
    }


__all__ = ["load_more", "more_checksums", "more_files"]
