"""Puts a data set from local files into a data set repository of your own, as Parquet with the pictures inside.

    python -m hub.dataset mnre path/to/mnre user/name --images path/to/pictures --dry-run
    python -m hub.dataset mnre path/to/mnre user/name --images path/to/pictures --boxes detect
    python -m hub.dataset more path/to/more user/name --images path/to/more/img_org
    python -m hub.dataset mnre path/to/own user/name --no-relation unlinked --dataset-name "Our news"

    load_dataset("user/name", streaming=True)        # afterwards, or `dataset: user/name` in a YAML of train/run.py

The first word is the form of the files: that of MNRE, which own data may have too, or of MORE. The card names MNRE
only where the checksums are those of its published files, and else what `--dataset-name` says.

The repository is private. MNRE states no licence, and MORE's covers no news agency's picture: whether the texts and
pictures may be passed on to anyone is for you to find out, and your responsibility.
"""

import argparse
import json
from pathlib import Path

from datasets import ClassLabel, DatasetDict
from huggingface_hub import DatasetCard, DatasetCardData, HfApi

from vmhan.data.mnre import load_mnre, mnre_checksums
from vmhan.data.more import load_more, more_checksums
from vmhan.data.schema import find_no_relation, no_relation_of

from .connection import HubError, check_login, explained_errors, is_private, open_repository, run_command
from .contents import CARD
from .data_source import DATASETS, OWN, DataSource, find_source

NOT_SETTLED = (
    "may be passed on is not settled by this tool: "
    "redistribution is the responsibility of whoever makes this repository public or gives others access."
)
RIGHTS = {
    "mnre": f"MNRE states no licence. Whether its tweets and pictures {NOT_SETTLED}",
    "more": "MORE's repository is under the MIT licence, its titles and pictures are those of news. Whether these "
    f"{NOT_SETTLED}",
    None: f"Nothing is known here of the rights to these data. Whether their texts and pictures {NOT_SETTLED}",
}
#: As the Hub wants to have one that is none of its list called.
LICENCES = {"mnre": "not-stated", "more": "mit-except-titles-and-pictures", None: "not-stated"}
COLUMNS = {
    "line": "line of the pair in its source file, from 1",
    "words": "words of the sentence",
    "mentions": "spans of all entities of the sentence, [start, end) in words",
    "head_span": "the first entity of the pair",
    "tail_span": "the second",
    "tail_object": "the second, an object of the picture: its place among `entity_boxes`",
    "entity_boxes": "the objects of the picture that may be the second, as (cx, cy, w, h) in 0..1",
    "entity_captions": "words about each of them",
    "relation": "the label",
    "image_id": "name of the picture",
    "image": "the picture, where there was one",
    "description": "words about the picture",
    "object_names": "things named in the description",
    "object_boxes": "(cx, cy, w, h) in 0..1",
}


def read_local(options: argparse.Namespace) -> tuple[DatasetDict, dict[str, str]]:
    """The splits of a folder, and the sha256 of each of its files.

    The readers are those of training, so that a model trained from the Hub sees what one trained from the files sees.

    Raises:
        HubError: A file is missing or broken.
    """
    descriptions, boxes = (None if stem == "none" else stem for stem in (options.descriptions, options.boxes))
    try:
        if options.kind == "more":
            settings = {"captions": descriptions is not None, "image_dir": options.images}
            splits = load_more(options.folder, no_relation=options.no_relation, **settings)
            return splits, more_checksums(options.folder, **settings)
        settings = {"descriptions": descriptions, "boxes": boxes, "image_dir": options.images}
        of_rows = {"max_objects": options.max_objects, "no_relation": options.no_relation}
        return load_mnre(options.folder, **of_rows, **settings), mnre_checksums(options.folder, **settings)
    except (OSError, ValueError) as error:
        raise HubError(str(error)) from error


def push_dataset(splits: DatasetDict, name: str, card: str, source: DataSource, private: bool = True) -> bool:
    """Sends the splits, pictures inside, and the card. Returns whether anything was new.

    Args:
        splits: Their pictures may be paths; what is sent holds their content.
        name: `user/name`.
        card: Text of the card, below the settings that tell `load_dataset` where the files are.
        source: What the data are called.
        private: Whether only its owner may see it.

    Raises:
        HubError: With what to do about it.
    """
    api = HfApi()
    existed = open_repository(api, name, "dataset", private)
    with explained_errors(name):
        if existed:
            _refuse_other_dataset(api, name)
        before = api.dataset_info(name).sha
        without_mark(splits).push_to_hub(name, private=private, commit_message="Upload the splits")
        path = api.hf_hub_download(name, CARD, repo_type="dataset")
        readme = DatasetCard.load(path)
        readme.data = DatasetCardData(**{**readme.data.to_dict(), **_settings_of_card(source)})
        readme.text = card
        api.upload_file(
            path_or_fileobj=str(readme).encode(),
            path_in_repo=CARD,
            repo_id=name,
            repo_type="dataset",
            commit_message="Describe the data",
        )
        return api.dataset_info(name).sha != before


def without_mark(splits: DatasetDict) -> DatasetDict:
    """Takes the mark of the negative label out of the type of `relation`: the Hub's metadata have no field for it."""
    relations = next(iter(splits.values())).features["relation"]
    return splits.cast_column("relation", ClassLabel(names=relations.names))


def _refuse_other_dataset(api: HfApi, name: str) -> None:
    """A repository of other data is not overwritten."""
    files = set(api.list_repo_files(name, repo_type="dataset")) - {".gitattributes", CARD}
    if files:
        card = DatasetCard.load(api.hf_hub_download(name, CARD, repo_type="dataset")) if _has_card(api, name) else None
        if card is None or "vmhan" not in (card.data.tags or []):
            raise HubError(
                f"The name {name!r} is taken: it holds other data, such as {sorted(files)[0]}. Choose another name, "
                "or delete it on the Hub."
            )


def _has_card(api: HfApi, name: str) -> bool:
    return api.file_exists(name, CARD, repo_type="dataset")


def _settings_of_card(source: DataSource) -> dict:
    return {
        "license": "other",
        "license_name": LICENCES[source.known],
        **({"language": ["en"]} if source.known else {}),
        "tags": ["relation-extraction", "multimodal", "vmhan"],
    }


def make_card(kind: str, source: DataSource, name: str, splits: DatasetDict, checksums: dict[str, str]) -> str:
    """What the repository holds, where it comes from, how to use it, and whose responsibility it is.

    Args:
        kind: The form of the files.
        source: What the data are called.
        name: `user/name`.
        splits: The data.
        checksums: Of the files.
    """
    first = next(iter(splits.values()))
    relations = first.features["relation"]
    none = no_relation_of(relations)
    called = f"Own data in the form of {DATASETS[kind][0]}" if source.name == OWN else source.link
    told = ", as whoever made this repository says" if source.of_user else ""
    counts = "\n".join(f"- `{split}`: {len(rows):,} pairs, {_pictures(rows)}" for split, rows in splits.items())
    columns = "\n".join(f"- `{column}`: {COLUMNS[column]}" for column in first.column_names)
    sums = "\n".join(f"- `{file}`: sha256 `{value}`" for file, value in checksums.items())
    return f"""# {name.split("/")[-1]}

{called}{told}: a row for each pair of entities, with {len(relations.names)} relations, `{none}` among them, which says
that there is none.

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


def _pictures(rows) -> str:
    if "image" not in rows.column_names:
        return "no pictures"
    have = len({image_id for image_id, image in zip(rows["image_id"], _paths(rows), strict=True) if image})
    return f"{have:,} of {len(set(rows['image_id'])):,} pictures"


def _paths(rows) -> list:
    """The image column as it lies there; decoding all pictures to count them would take minutes."""
    return rows.select_columns(["image"]).with_format("arrow")[:]["image"].to_pylist()


def main(argv: list[str]) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="python -m hub.dataset", description="Push a data set to a repository of your own."
    )
    parser.add_argument("kind", choices=list(DATASETS), help="the form of the files: of MNRE, or of MORE")
    parser.add_argument("folder", type=Path, help="its files")
    parser.add_argument("name", help="user/name of the repository; it is made if there is none")
    parser.add_argument(
        "--no-relation",
        "--no_relation",  # as a run spells it
        help="label of pairs without a relation, if it has none of the usual names",
    )
    parser.add_argument("--dataset-name", help="what the data are called (default: MNRE, if the checksums are its)")
    parser.add_argument("--dataset-url", help="where they are described; with --dataset-name")
    parser.add_argument("--images", type=Path, help="folder of the pictures, which go along; of MORE, img_org")
    parser.add_argument(
        "--descriptions",
        default="llavanext",
        help="stem of MNRE's description files; none leaves out MORE's captions too",
    )
    parser.add_argument("--boxes", default="none", help="stem of MNRE's box files, or none")
    parser.add_argument("--max-objects", type=int, default=10, help="most objects kept of MNRE's images (default: 10)")
    parser.add_argument(
        "--public", action="store_true", help="anyone may see it, if it is new; needs --i-may-redistribute"
    )
    parser.add_argument("--i-may-redistribute", action="store_true", help="you have the right to pass the data on")
    parser.add_argument("--dry-run", action="store_true", help="read and describe all, and send nothing")
    options = parser.parse_args(argv)
    if options.public and not options.i_may_redistribute:
        raise HubError(
            "A public repository passes the data on to everyone. Leave out --public, or say that you may do that with "
            "--i-may-redistribute."
        )
    if not options.dry_run:
        check_login(options.name)  # reading takes minutes
    splits, checksums = read_local(options)
    source = find_source(checksums, options.dataset_name, options.dataset_url)
    print(f"NOTE: {RIGHTS[source.known]}")
    card = make_card(options.kind, source, options.name, splits, checksums)
    if options.dry_run:
        print(card)
        return
    new = push_dataset(splits, options.name, card, source, private=not options.public)
    visible = "only you" if is_private(options.name, "dataset") else "anyone"
    print(f"{options.name} {'is there' if new else 'was up to date'}; {visible} may see it.")


if __name__ == "__main__":
    run_command("hub.dataset", main)
