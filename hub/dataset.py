"""Puts a data set from local files into a data set repository of your own, as Parquet with the pictures inside.

    python -m hub.dataset mnre path/to/mnre user/name --images path/to/pictures --dry-run
    python -m hub.dataset mnre path/to/mnre user/name --images path/to/pictures --boxes detect
    python -m hub.dataset more path/to/more user/name --images path/to/more/img_org

    load_dataset("user/name", streaming=True)        # afterwards, or `dataset: user/name` in a YAML of train/run.py

The repository is private. MNRE states no licence, and MORE's covers no news agency's picture: whether the texts and
pictures may be passed on to anyone is for you to find out, and your responsibility.
"""

import argparse
from pathlib import Path

from datasets import DatasetDict
from huggingface_hub import DatasetCard, DatasetCardData, HfApi

from vmhan.mnre import load_mnre, mnre_checksums
from vmhan.more import load_more, more_checksums

from .card import DATASETS
from .connection import HubError, check_login, explained_errors, is_private, open_repository, run_command
from .contents import CARD

NOT_SETTLED = (
    "may be passed on is not settled by this tool: "
    "redistribution is the responsibility of whoever makes this repository public or gives others access."
)
RIGHTS = {
    "mnre": f"MNRE states no licence. Whether its tweets and pictures {NOT_SETTLED}",
    "more": "MORE's repository is under the MIT licence, its titles and pictures are those of news. Whether these "
    f"{NOT_SETTLED}",
}
#: As the Hub wants to have one that is none of its list called.
LICENCES = {"mnre": "not-stated", "more": "mit-except-titles-and-pictures"}
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
            return load_more(options.folder, **settings), more_checksums(options.folder, **settings)
        settings = {"descriptions": descriptions, "boxes": boxes, "image_dir": options.images}
        splits = load_mnre(options.folder, max_objects=options.max_objects, **settings)
        return splits, mnre_checksums(options.folder, **settings)
    except (OSError, ValueError) as error:
        raise HubError(str(error)) from error


def push_dataset(splits: DatasetDict, name: str, card: str, licence: str, private: bool = True) -> bool:
    """Sends the splits, pictures inside, and the card. Returns whether anything was new.

    Args:
        splits: Their pictures may be paths; what is sent holds their content.
        name: `user/name`.
        card: Text of the card, below the settings that tell `load_dataset` where the files are.
        licence: One of `LICENCES`.
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
        splits.push_to_hub(name, private=private, commit_message="Upload the splits")
        path = api.hf_hub_download(name, CARD, repo_type="dataset")
        readme = DatasetCard.load(path)
        readme.data = DatasetCardData(**{**readme.data.to_dict(), **_settings_of_card(licence)})
        readme.text = card
        api.upload_file(
            path_or_fileobj=str(readme).encode(),
            path_in_repo=CARD,
            repo_id=name,
            repo_type="dataset",
            commit_message="Describe the data",
        )
        return api.dataset_info(name).sha != before


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


def _settings_of_card(licence: str) -> dict:
    return {
        "license": "other",
        "license_name": licence,
        "language": ["en"],
        "tags": ["relation-extraction", "multimodal", "vmhan"],
    }


def make_card(kind: str, name: str, splits: DatasetDict, checksums: dict[str, str]) -> str:
    """What the repository holds, where it comes from, how to use it, and whose responsibility it is."""
    source, address = DATASETS[kind]
    first = next(iter(splits.values()))
    counts = "\n".join(f"- `{split}`: {len(rows):,} pairs, {_pictures(rows)}" for split, rows in splits.items())
    columns = "\n".join(f"- `{column}`: {COLUMNS[column]}" for column in first.column_names)
    sums = "\n".join(f"- `{file}`: sha256 `{value}`" for file, value in checksums.items())
    return f"""# {name.split("/")[-1]}

[{source}]({address}), a row for each pair of entities, with {len(first.features["relation"].names)} relations.

{counts}

## Rights

**{RIGHTS[kind]}**

## How to use

```python
from datasets import load_dataset

rows = load_dataset("{name}", split="validation", streaming=True)
print(next(iter(rows))["words"])
```

To train on it, write `dataset: {name}` into the `data` section of the settings, in place of `data_dir`.

## Columns

{columns}

## Made from

{sums}
"""


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
    parser = argparse.ArgumentParser(prog="hub.dataset", description="Push a data set to a repository of your own.")
    parser.add_argument("kind", choices=list(DATASETS), help="which data set the folder holds")
    parser.add_argument("folder", type=Path, help="its files")
    parser.add_argument("name", help="user/name of the repository; it is made if there is none")
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
    print(f"NOTE: {RIGHTS[options.kind]}")
    if options.public and not options.i_may_redistribute:
        raise HubError(
            "A public repository passes the data on to everyone. Leave out --public, or say that you may do that with "
            "--i-may-redistribute."
        )
    if not options.dry_run:
        check_login(options.name)  # reading takes minutes
    splits, checksums = read_local(options)
    card = make_card(options.kind, options.name, splits, checksums)
    if options.dry_run:
        print(card)
        return
    new = push_dataset(splits, options.name, card, LICENCES[options.kind], private=not options.public)
    visible = "only you" if is_private(options.name, "dataset") else "anyone"
    print(f"{options.name} {'is there' if new else 'was up to date'}; {visible} may see it.")


if __name__ == "__main__":
    run_command("hub.dataset", main)
