"""The schema that all data sets share: a row for each entity pair, in one `DatasetDict`.

The head is a span of the sentence. The tail is one too, `tail_span` (MNRE), or an object of the image, `tail_object`,
an index into its `entity_boxes` (MORE). What else is known of an image is keyed by it and never by the row: a side
input that belongs to one row can give the label away; one that belongs to the image cannot tell its pairs apart.
"""

from collections import defaultdict
from collections.abc import Sequence

from datasets import ClassLabel, Dataset, Features, Image, List, NamedSplit, Value

from .configuration_vmhan import NO_RELATION

#: How data sets spell that there is no relation: MNRE, MORE.
NO_RELATION_NAMES = (NO_RELATION, "none")

SPAN = List(Value("int32"), length=2)
BOXES = List(List(Value("float32"), length=4))


def find_no_relation(names: Sequence[str]) -> str:
    """The name of the relation that is none.

    Raises:
        ValueError: There is not exactly one.
    """
    found = [name for name in names if name in NO_RELATION_NAMES]
    if len(found) != 1:
        raise ValueError(f"The relations {list(names)} hold {found} of {NO_RELATION_NAMES}; there has to be one.")
    return found[0]


def has_object_tails(columns: Sequence[str]) -> bool:
    """Whether rows with these columns have objects of the image for tails."""
    return "tail_object" in columns


def add_mentions(rows: list[dict]) -> None:
    """Adds `mentions`, the sorted spans that are head or tail of any row with the same words and image."""
    spans = defaultdict(set)
    for row in rows:
        spans[*row["words"], row["image_id"]] |= {tuple(row[n]) for n in ("head_span", "tail_span") if n in row}
    for row in rows:
        row["mentions"] = sorted(spans[*row["words"], row["image_id"]])


def make_split(rows: list[dict], split: str, tail: dict, relations: list[str], with_images: bool) -> Dataset:
    """The rows of a split.

    In memory, not in the Arrow cache: its key is the code and its arguments, not the files' content, so an edited file
    would give stale rows. Reading all takes a few seconds, and names the bad lines every time.

    Args:
        rows: With all columns.
        split: Its name.
        tail: Types of the data set's own columns, `tail_span` or `tail_object` among them.
        relations: Names by id.
        with_images: Whether there is an `image`.
    """
    features = {
        "line": Value("int32"),
        "words": List(Value("string")),
        "mentions": List(SPAN),
        "head_span": SPAN,
        **tail,
        "relation": ClassLabel(names=relations),
        "image_id": Value("string"),
        "description": Value("string"),
        "object_names": List(Value("string")),
        "object_boxes": BOXES,
    }
    features = Features(features | ({"image": Image()} if with_images else {}))
    return Dataset.from_list(rows, features=features, split=NamedSplit(split))
