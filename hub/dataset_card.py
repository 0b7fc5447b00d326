"""The card of a data set on the Hub: contents, columns, source and rights of the data."""

import json

from datasets import ClassLabel, Dataset, DatasetDict

from vmhan.data.schema import find_no_relation, no_relation_of

from .data_source import DATASETS, OWN, DataSource

NOT_SETTLED = (
    "may be passed on is not settled by this tool: "
    "redistribution is the responsibility of whoever makes this repository public or gives others access."
)
RIGHTS = {
    "mnre": f"MNRE states no licence. Whether its tweets and images {NOT_SETTLED}",
    "more": "MORE's repository is under the MIT licence, its titles and images are those of news. Whether these "
    f"{NOT_SETTLED}",
    None: f"Nothing is known here of the rights to these data. Whether their texts and images {NOT_SETTLED}",
}
#: Names of licences that are not in the Hub's list.
LICENCES = {"mnre": "not-stated", "more": "mit-except-titles-and-images", None: "not-stated"}
COLUMNS = {
    "line": "line of the pair in its source file, from 1",
    "words": "words of the sentence",
    "mentions": "spans of all entities of the sentence, [start, end) in words",
    "head_span": "the first entity of the pair",
    "tail_span": "the second",
    "tail_object": "the second, an object of the image: its index in `entity_boxes`",
    "entity_boxes": "the objects of the image that may be the second, as (cx, cy, w, h) in 0..1",
    "entity_captions": "a caption of each of them",
    "relation": "the label",
    "image_id": "name of the image",
    "image": "the image, where there was one",
    "description": "description of the image",
    "object_names": "objects named in the description",
    "object_boxes": "(cx, cy, w, h) in 0..1",
}


def card_settings(source: DataSource) -> dict:
    """Builds the front matter of the card."""
    return {
        "license": "other",
        "license_name": LICENCES[source.known],
        **({"language": ["en"]} if source.known else {}),
        "tags": ["relation-extraction", "multimodal", "vmhan"],
    }


def dataset_card(kind: str, source: DataSource, name: str, splits: DatasetDict, checksums: dict[str, str]) -> str:
    """Renders the card: contents, source, use and rights of the data.

    Args:
        kind: The form of the files.
        source: The name of the data.
        name: `user/name`.
        splits: The data.
        checksums: Of the files.
    """
    first = next(iter(splits.values()))
    relations = first.features["relation"]
    none = no_relation_of(relations)
    named = f"Own data in the form of {DATASETS[kind][0]}" if source.name == OWN else source.link
    by_user = ", as whoever made this repository says" if source.of_user else ""
    counts = "\n".join(f"- `{split}`: {len(rows):,} pairs, {_count_images(rows)}" for split, rows in splits.items())
    columns = "\n".join(f"- `{column}`: {COLUMNS[column]}" for column in first.column_names)
    sums = "\n".join(f"- `{file}`: sha256 `{value}`" for file, value in checksums.items())
    return f"""# {name.split("/")[-1]}

{named}{by_user}: a row for each pair of entities, with {len(relations.names)} relations, `{none}` among them, the
label of pairs without a relation.

{counts}

## Rights

**{RIGHTS[source.known]}**

## How to use

```python
from datasets import load_dataset

rows = load_dataset("{name}", split="validation", streaming=True)
print(next(iter(rows))["words"])
```

To train on it, write `dataset: {name}` into the `data` section of the settings, in place of
`data_dir`{_named_label(relations)}.

## Columns

{columns}

## Made from

{sums}
"""


def _named_label(relations: ClassLabel) -> str:
    """The setting that training needs where the negative label is not found by its name."""
    none = no_relation_of(relations)
    try:
        found = find_no_relation(relations.names) == none
    except ValueError:
        found = False
    return "" if found else f", and `no_relation: {json.dumps(none)}`"


def _count_images(rows: Dataset) -> str:
    if "image" not in rows.column_names:
        return "no images"
    present = len({image_id for image_id, image in zip(rows["image_id"], _paths(rows), strict=True) if image})
    return f"{present:,} of {len(set(rows['image_id'])):,} images"


def _paths(rows: Dataset) -> list:
    """The image column as it is stored; decoding all images to count them would take minutes."""
    return rows.select_columns(["image"]).with_format("arrow")[:]["image"].to_pylist()
