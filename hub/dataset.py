"""Pushes a data set from local files to a data set repository of your own, as Parquet with the images inside.

    python -m hub.dataset mnre path/to/mnre user/name --images path/to/images --dry-run
    python -m hub.dataset mnre path/to/mnre user/name --images path/to/images --boxes detect
    python -m hub.dataset more path/to/more user/name --images path/to/more/img_org
    python -m hub.dataset mnre path/to/own user/name --no-relation unlinked --dataset-name "Our news"

    load_dataset("user/name", streaming=True)        # afterwards, or `dataset: user/name` in a YAML of train/run.py

The first word is the form of the files: that of MNRE, which own data may have too, or of MORE. The card names MNRE
only where the checksums are those of its published files; other data are named by `--dataset-name`.

The repository is private. MNRE states no licence, and MORE's covers no news agency's image: whether the texts and
images may be passed on to anyone is for you to find out, and your responsibility.
"""

import argparse
from pathlib import Path

from datasets import ClassLabel, DatasetDict
from huggingface_hub import DatasetCard, DatasetCardData, HfApi

from vmhan.data.mnre import load_mnre, mnre_checksums
from vmhan.data.more import load_more, more_checksums

from .connection import HubError, check_login, explained_errors, is_private, open_repository, run_command
from .contents import CARD
from .data_source import DATASETS, DataSource, find_source
from .dataset_card import RIGHTS, card_settings, dataset_card


def read_local(options: argparse.Namespace) -> tuple[DatasetDict, dict[str, str]]:
    """Reads the splits of a folder, and the sha256 of each of its files.

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
    """Sends the splits, images inside, and the card, and returns whether anything was new.

    Args:
        splits: Their images may be paths; their content is sent.
        name: `user/name`.
        card: Text of the card, below the settings that tell `load_dataset` where the files are.
        source: The name of the data.
        private: Whether only its owner may see it.

    Raises:
        HubError: With what to do about it.
    """
    api = HfApi()
    existed = open_repository(api, name, "dataset", private)
    with explained_errors(name):
        if existed:
            _check_not_taken(api, name)
        before = api.dataset_info(name).sha
        without_no_relation(splits).push_to_hub(name, private=private, commit_message="Upload the splits")
        path = api.hf_hub_download(name, CARD, repo_type="dataset")
        readme = DatasetCard.load(path)
        readme.data = DatasetCardData(**{**readme.data.to_dict(), **card_settings(source)})
        readme.text = card
        api.upload_file(
            path_or_fileobj=str(readme).encode(),
            path_in_repo=CARD,
            repo_id=name,
            repo_type="dataset",
            commit_message="Describe the data",
        )
        return api.dataset_info(name).sha != before


def without_no_relation(splits: DatasetDict) -> DatasetDict:
    """Removes the negative label from the type of `relation`: the Hub's metadata have no field for it."""
    relations = next(iter(splits.values())).features["relation"]
    return splits.cast_column("relation", ClassLabel(names=relations.names))


def _check_not_taken(api: HfApi, name: str) -> None:
    """Checks that a repository holds no other data."""
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


def main(argv: list[str]) -> None:
    """Runs the command line: pushes a data set."""
    parser = argparse.ArgumentParser(
        prog="python -m hub.dataset", description="Push a data set to a repository of your own."
    )
    parser.add_argument("kind", choices=list(DATASETS), help="the form of the files: of MNRE, or of MORE")
    parser.add_argument("folder", type=Path, help="its files")
    parser.add_argument("name", help="user/name of the repository; it is created if there is none")
    parser.add_argument(
        "--no-relation",
        "--no_relation",  # as a run spells it
        help="label of pairs without a relation, if it has none of the usual names",
    )
    parser.add_argument("--dataset-name", help="name of the data (default: MNRE, if the checksums are its)")
    parser.add_argument("--dataset-url", help="where they are described; with --dataset-name")
    parser.add_argument("--images", type=Path, help="folder of the images, which are included; of MORE, img_org")
    parser.add_argument(
        "--descriptions",
        default="llavanext",
        help="stem of MNRE's description files; none leaves out MORE's captions too",
    )
    parser.add_argument("--boxes", default="none", help="stem of MNRE's box files, or none")
    parser.add_argument("--max-objects", type=int, default=10, help="most objects of an image of MNRE (default: 10)")
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
    card = dataset_card(options.kind, source, options.name, splits, checksums)
    if options.dry_run:
        print(card)
        return
    new = push_dataset(splits, options.name, card, source, private=not options.public)
    visible = "only you" if is_private(options.name, "dataset") else "anyone"
    print(f"{options.name} {'is there' if new else 'was up to date'}; {visible} may see it.")


if __name__ == "__main__":
    run_command("hub.dataset", main)
