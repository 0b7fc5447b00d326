"""The schema that all data sets share: a row for each entity pair, in one `DatasetDict`.

The head is a span of the sentence. The tail is one too, `tail_span` (MNRE), or an object of the image, `tail_object`,
an index into its `entity_boxes` (MORE). All inputs from an image are keyed by it and never by the row: a side input
that belongs to one row can give the label away; one that belongs to the image cannot tell its pairs apart.
"""

import logging
import re
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from datasets import ClassLabel, Dataset, Features, Image, List, NamedSplit, Value

logger = logging.getLogger(__name__)

#: Usual names of the negative label, compared without case, blanks, hyphens and signs.
NO_RELATION_NAMES = ("None", "no_relation", "no_rel", "NA", "N/A", "Other", "unrelated")

SPAN = List(Value("int32"), length=2)
BOXES = List(List(Value("float32"), length=4))

#: Relations that hold both ways round.
SYMMETRIC = frozenset(
    {
        "/org/org/alternate_names",
        "/per/per/alternate_names",
        "/per/per/alumi",
        "/per/per/couple",
        "/per/per/neighbor",
        "/per/per/peer",
        "/per/per/siblings",
    }
)


def is_symmetric(label_names: Sequence[str]) -> list[bool]:
    """Marks the relations that hold both ways round, `(labels,)`."""
    return [name in SYMMETRIC for name in label_names]


def find_no_relation(names: Sequence[str], named: str | None = None) -> str:
    """Finds the negative label: the one that the user has named, else the only one with a usual name.

    Args:
        names: All labels.
        named: The label that the user has named.

    Raises:
        ValueError: The named one is no label, or none or several have a usual name.
    """
    labels = f"The labels are {', '.join(map(repr, names))}." if names else "There are no labels."
    if named is not None:
        if named not in names:
            raise ValueError(f"no_relation is {named!r}, which is no label of the data. {labels}")
        return named
    usual = {_letters(name) for name in NO_RELATION_NAMES}
    found = [name for name in names if _letters(name) in usual]
    if len(found) != 1:
        what = f"Each of {', '.join(map(repr, found))}" if found else "None of the labels"
        raise ValueError(
            f"{what} looks like the negative label, that of pairs without a relation: name it, with --no_relation "
            f"NAME or no_relation=NAME. {labels}"
        )
    return found[0]


def choose_no_relation(names: Sequence[str], named: str | None, expected: str) -> str:
    """Finds the negative label of data that are read, and logs it unless it was named or is the expected one.

    Args:
        names, named: As of `find_no_relation`.
        expected: The negative label of the published data of this form.

    Raises:
        ValueError: As of `find_no_relation`.
    """
    found = find_no_relation(names, named)
    if found not in (named, expected):
        logger.warning(
            "The label %r is taken for the negative one, that of pairs without a relation; F1 leaves it out. If it is "
            "another of the %d labels, name it with no_relation.",
            found,
            len(names),
        )
    return found


def relation_feature(names: Sequence[str], no_relation: str) -> ClassLabel:
    """Builds the type of the column `relation` with its negative label.

    The label is the type's `id`, which `datasets` leaves to its users and keeps through maps and concatenations, not
    through a push to the Hub.
    """
    return ClassLabel(names=list(names), id=no_relation)


def no_relation_of(relations: ClassLabel) -> str:
    """Reads the negative label of a type that `relation_feature` built; of another one, finds it.

    Raises:
        ValueError: As of `find_no_relation`.
    """
    return relations.id or find_no_relation(relations.names)


def _letters(name: str) -> str:
    return re.sub(r"[\W_]", "", name).casefold()


def has_object_tails(columns: Collection[str]) -> bool:
    """Tests whether rows with these columns have objects of the image as tails."""
    return "tail_object" in columns


def add_mentions(rows: list[dict]) -> None:
    """Adds `mentions`, the sorted spans that are head or tail of any row with the same words and image."""
    spans = defaultdict(set)
    for row in rows:
        spans[*row["words"], row["image_id"]] |= {tuple(row[n]) for n in ("head_span", "tail_span") if n in row}
    for row in rows:
        row["mentions"] = sorted(spans[*row["words"], row["image_id"]])


def make_split(rows: list[dict], split: str, tail: dict, relations: ClassLabel, with_images: bool) -> Dataset:
    """Builds a split from its rows.

    In memory, not in the Arrow cache: its key is the code and its arguments, not the files' content, so an edited file
    would give stale rows. Reading all takes a few seconds, and reports the bad lines every time.

    Args:
        rows: With all columns.
        split: Its name.
        tail: Types of the data set's own columns, `tail_span` or `tail_object` among them.
        relations: As `relation_feature` builds it.
        with_images: Whether there is a column `image`.
    """
    features = {
        "line": Value("int32"),
        "words": List(Value("string")),
        "mentions": List(SPAN),
        "head_span": SPAN,
        **tail,
        "relation": relations,
        "image_id": Value("string"),
        "description": Value("string"),
        "object_names": List(Value("string")),
        "object_boxes": BOXES,
    }
    features = Features(features | ({"image": Image()} if with_images else {}))
    columns = {name: [row[name] for row in rows] for name in features}  # also where there is no row
    return Dataset.from_dict(columns, features=features, split=NamedSplit(split))


def sentence_key(row: Mapping) -> tuple:
    """Returns the words and the image of a row, the same for all pairs of a sentence."""
    return tuple(row["words"]), row["image_id"]


def group_by_sentence(dataset: Dataset) -> list[list[int]]:
    """Groups row numbers by sentence, sentences in the order of their first row."""
    groups = defaultdict(list)
    for index, row in enumerate(dataset.select_columns(["words", "image_id"]).to_list()):
        groups[sentence_key(row)].append(index)
    return list(groups.values())


def sort_by_sentence(dataset: Dataset) -> Dataset:
    """Sorts rows for evaluation: the pairs of a sentence side by side, and sentences by length."""
    lengths = [len(words) for words in dataset["words"]]
    groups = sorted(group_by_sentence(dataset), key=lambda rows: lengths[rows[0]])
    return dataset.select([row for rows in groups for row in rows])
