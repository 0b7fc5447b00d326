"""Side inputs: whatever a model sees of a row beside its sentence and its mentions, for the audit.

An input names the columns it claims to be a function of. What belongs to an image may depend on the image alone.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from datasets import DatasetDict

from vmhan.data_rows import has_object_tails

IMAGE = ("image_id",)
TAIL = ("image_id", "tail_object")
PAIR = ("words", "image_id", "head_span", "tail_span")


@dataclass
class SideInput:
    """One input, with a value for each row.

    Args:
        name: Of the input, in a table.
        key: Columns it claims to be a function of.
        values: Of each split, a value for each row: a list of things, words, or None for nothing.
        in_words: Whether the things in a list are words, such as names; otherwise only their number is looked at.
        of_task: Whether the task itself gives the input, so that it is reported but cannot fail.
    """

    name: str
    key: tuple[str, ...]
    values: dict[str, list] = field(repr=False)
    in_words: bool = True
    of_task: bool = False


def clean_inputs(splits: DatasetDict) -> list[SideInput]:
    """What the protocol `clean` lets a model see, and, as part of the task, the order of the pair, or its tail."""
    if has_object_tails(splits["train"].column_names):
        return _inputs_of_objects(splits)
    columns = {"description": True, "object_names": True, "object_boxes": False}
    present = [name for name in columns if name in splits["train"].column_names]
    inputs = [
        SideInput(name.replace("_", " "), IMAGE, _each_row(splits, lambda row, name=name: row[name]), columns[name])
        for name in present
    ]
    order = _each_row(splits, lambda row: ["head first"] if row["head_span"] < row["tail_span"] else [])
    return [*inputs, SideInput("order of head and tail", PAIR, order, in_words=False, of_task=True)]


def _inputs_of_objects(splits: DatasetDict) -> list[SideInput]:
    """Where tails are objects: their boxes and which of them it is are the task, words about them are not."""
    boxes = _each_row(splits, lambda row: row["entity_boxes"])
    captions = _each_row(splits, lambda row: row["entity_captions"][row["tail_object"]])
    place = _each_row(splits, lambda row: row["entity_boxes"][: row["tail_object"]])
    return [
        SideInput("caption of the tail", TAIL, captions),
        SideInput("boxes of the objects", IMAGE, boxes, in_words=False, of_task=True),
        SideInput("place of the tail", TAIL, place, in_words=False, of_task=True),
    ]


def inputs_of_run(splits: DatasetDict, data, legacy: dict[str, dict[str, list]] | None = None) -> list[SideInput]:
    """Those of the clean inputs that a run with these `DataArguments` sees, and the shared crops if it has them."""
    if has_object_tails(splits["train"].column_names):
        return [item for item in clean_inputs(splits) if data.captions or item.name != "caption of the tail"]
    names = {"object names"}
    words = {"described": {"description"} | names, "composed": names, "object_names": names}
    seen = words.get(data.visual_setting, set()) | ({"object boxes"} if data.boxes else set())
    clean = [item for item in clean_inputs(splits) if item.name in seen]
    return clean if legacy is None else clean + legacy_inputs(splits, legacy)


def legacy_inputs(splits: DatasetDict, legacy: dict[str, dict[str, list]]) -> list[SideInput]:
    """The shared crop lists and phrases, taken for what they are said to be: objects of the image.

    Raises:
        ValueError: A row of the data has no entry.
    """
    for split, rows in splits.items():
        entries = len(legacy[split]["crops"])
        if len(rows) and max(rows["line"]) > entries:
            raise ValueError(f"Line {max(rows['line'])} of {split} has no crops; the shared lists hold {entries}.")

    def by_line(name: str) -> dict[str, list]:
        return {split: [legacy[split][name][line - 1] for line in rows["line"]] for split, rows in splits.items()}

    return [
        SideInput("legacy crops", IMAGE, by_line("crops"), in_words=False),
        SideInput("legacy phrases", IMAGE, by_line("phrases")),
    ]


def _each_row(splits: DatasetDict, read: Callable[[dict], object]) -> dict[str, list]:
    return {split: [read(row) for row in rows] for split, rows in splits.items()}
