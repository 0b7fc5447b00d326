"""Side inputs: the inputs of a model beside the sentence and its mentions, for the audit.

An input names the columns it claims to be a function of. What belongs to an image may depend on the image alone, what
is selected for a pair on the sentence, the image and the two mentions, but not on which of them is the head.
"""

from collections.abc import Callable, Collection

from datasets import Dataset, DatasetDict

from train.arguments import DataArguments
from train.data.collator import image_fields
from train.data.legacy_crops import words_beyond_names
from vmhan.data.schema import has_object_tails
from vmhan.evaluation.leakage_tests import SideInput

IMAGE = ("image_id",)
TAIL = ("image_id", "tail_object")
ORDERED_PAIR = ("words", "image_id", "head_span", "tail_span")
#: `pair` is no column: the two spans in the order of the sentence, see `key_columns`.
PAIR = ("words", "image_id", "pair")

#: What only a detector, a selector or an encoder of images brings; result files store these names.
DETECTED, HAS_IMAGE = "detected boxes", "whether there is a picture"
TEXT_PHRASES, VISUAL_PHRASES, OBJECTS = (
    "selected phrases of the text",
    "selected phrases of the image",
    "selected objects",
)
LEGACY = ("legacy crops", "legacy phrases", "legacy words beyond the names")


def clean_inputs(splits: DatasetDict) -> list[SideInput]:
    """Lists the side inputs of the protocol `clean` and, as part of the task, the order of the pair, or its tail."""
    if has_object_tails(splits["train"].column_names):
        return _inputs_of_objects(splits)
    columns = {"description": True, "object_names": True, "object_boxes": False}
    present = [name for name in columns if name in splits["train"].column_names]
    inputs = [
        SideInput(name.replace("_", " "), IMAGE, _each_row(splits, lambda row, name=name: row[name]), columns[name])
        for name in present
    ]
    order = _each_row(splits, lambda row: ["head first"] if row["head_span"] < row["tail_span"] else [])
    return [*inputs, SideInput("order of head and tail", ORDERED_PAIR, order, in_words=False, of_task=True)]


def _inputs_of_objects(splits: DatasetDict) -> list[SideInput]:
    """Lists them where tails are objects: boxes, and the index of the tail, are the task, captions are not."""
    boxes = _each_row(splits, lambda row: row["entity_boxes"])
    captions = _each_row(splits, lambda row: row["entity_captions"][row["tail_object"]])
    before_tail = _each_row(splits, lambda row: row["entity_boxes"][: row["tail_object"]])
    return [
        SideInput("caption of the tail", TAIL, captions),
        SideInput("boxes of the objects", IMAGE, boxes, in_words=False, of_task=True),
        SideInput("place of the tail", TAIL, before_tail, in_words=False, of_task=True),
    ]


def seen_by_run(data: DataArguments, columns: Collection[str]) -> set[str]:
    """Names all side inputs of a run but the order of the pair.

    Args:
        data: Its settings.
        columns: Of its rows.
    """
    seen = {HAS_IMAGE} if data.visual_setting == "pixels" else set()
    seen |= {DETECTED} if data.detector else set()
    if has_object_tails(columns):
        captions = {"caption of the tail"} if data.captions else set()
        return seen | captions | {"boxes of the objects", "place of the tail"}
    seen |= set(LEGACY) if data.legacy_crops else set()
    seen |= {TEXT_PHRASES} if data.selects_nodes else set()
    if data.visual_setting == "text_only":
        return seen
    names = {"object names"}
    words = {"described": {"description"} | names, "composed": names, "object_names": names}
    seen |= words.get(data.visual_setting, set())
    seen |= {"object boxes"} if data.uses_boxes else set()
    return seen | ({VISUAL_PHRASES, OBJECTS} if data.selects_nodes else set())


def inputs_of_run(
    splits: DatasetDict, data: DataArguments, legacy: dict[str, dict[str, list]] | None = None
) -> list[SideInput]:
    """Lists the clean inputs that a run with these settings sees, and the shared crops if it has them."""
    seen = seen_by_run(data, splits["train"].column_names)
    clean = [item for item in clean_inputs(splits) if item.name in seen]
    return clean if legacy is None else clean + legacy_inputs(splits, legacy)


def inputs_made_for_run(splits: DatasetDict, data: DataArguments) -> list[SideInput]:
    """Lists the inputs that a detector, a selector or a vision encoder has added, as the model sees them.

    A control changes an image for all its rows alike, so that they still agree.

    Args:
        splits: With what has been added for the model, rows as they are annotated.
    """
    made = {
        DETECTED: lambda: SideInput(DETECTED, IMAGE, _each_row(splits, lambda row: row["object_boxes"]), False),
        HAS_IMAGE: lambda: SideInput(HAS_IMAGE, IMAGE, _each_row(splits, _has_image), False),
        TEXT_PHRASES: lambda: SideInput(TEXT_PHRASES, PAIR, _each_row(splits, _phrases_of_text)),
        VISUAL_PHRASES: lambda: SideInput(VISUAL_PHRASES, PAIR, _each_row(splits, _phrases_of_image)),
        OBJECTS: lambda: SideInput(OBJECTS, PAIR, _each_row(splits, lambda row: selected_objects(row, data))),
    }
    seen = seen_by_run(data, splits["train"].column_names)
    return [build() for name, build in made.items() if name in seen]


def as_annotated(rows: Dataset) -> Dataset:
    """Leaves out the training rows whose direction is not given: pairs turned round have another label."""
    if "direction_given" not in rows.column_names:
        return rows
    return rows.select([index for index, given in enumerate(rows["direction_given"]) if given])


def _has_image(row: dict) -> list[str]:
    return [] if row["image_key"] is None else ["image"]


def _phrases_of_text(row: dict) -> list[str]:
    text = " ".join(row["words"])
    return [text[start:end] for start, end in row["selection"]["text_phrases"]]


def _phrases_of_image(row: dict) -> list[str]:
    return row["selection"]["visual_phrases"]


def selected_objects(row: dict, data: DataArguments) -> list | None:
    """Lists the name, or else the box, of each object that is kept, in their order; None without an image."""
    fields = image_fields(row, data.visual_setting, data.uses_boxes)
    if fields is None:
        return None
    objects, kept = fields["objects"], row["selection"]["objects"]
    seen = objects if kept is None else [objects[index] for index in kept]
    return [item.get("label") or item.get("box") for item in seen]


def legacy_inputs(splits: DatasetDict, legacy: dict[str, dict[str, list]]) -> list[SideInput]:
    """Lists the shared crop lists and phrases, as the objects of the image that they are said to be.

    Raises:
        ValueError: A row of the data has no entry.
    """
    for split, rows in splits.items():
        entries = len(legacy[split]["crops"])
        if len(rows) and max(rows["line"]) > entries:
            raise ValueError(f"Line {max(rows['line'])} of {split} has no crops; the shared lists hold {entries}.")

    def by_line(read: Callable[[list[str], str], object]) -> dict[str, list]:
        return {
            split: [read(*(legacy[split][role][line - 1] for role in ("crops", "phrases"))) for line in rows["line"]]
            for split, rows in splits.items()
        }

    crops, phrases, beyond = LEGACY
    return [
        SideInput(crops, IMAGE, by_line(lambda of_row, _: of_row), in_words=False),
        SideInput(phrases, IMAGE, by_line(lambda _, phrase: phrase)),
        SideInput(beyond, IMAGE, by_line(words_beyond_names)),
    ]


def _each_row(splits: DatasetDict, read: Callable[[dict], object]) -> dict[str, list]:
    return {split: [read(row) for row in rows] for split, rows in splits.items()}
