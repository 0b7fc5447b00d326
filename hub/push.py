"""Pushes a trained model to the Hub, in one commit.

    python -m hub.push vmhan/weights/vmhan-mini-mnre user/name --dry-run         # lists the files; needs no login
    python -m hub.push vmhan/weights/vmhan-mini-mnre user/name --private
    python -m hub.push runs/mnre/final user/name --result assets/results/mnre.json --compare assets/results/mnre-mini
    python -m hub.push vmhan/weights/vmhan-mini-mnre user/name --export folder   # the same files in a folder
    python -m hub.push runs/own/final user/name --dataset-name "Our news" --dataset-url https://example.org/news

Pushed are weights, config, processor, the code files that the Auto classes need, the pipeline, the model card built
from the result files, the handler of an Inference Endpoint and the result files; pickles never are. Files that are
there already are not sent again, and a push that broke continues where it stopped when the same command is run once
more. The card names the data only where the checksums in the result file are those of published files, where the data
are on the Hub, or where `--dataset-name` does.
"""

import argparse
from pathlib import Path

from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi

from .card import make_card
from .connection import HubError, explained_errors, open_repository, run_command
from .contents import (
    CARD,
    CONFIG,
    Contents,
    is_weights,
    left_out,
    model_contents,
    read_json,
    size,
    write_contents,
)
from .results import check_weights, result_of, shown_results

MESSAGE = "Upload VM-HAN"


def collect(
    folder: Path, name: str, result: Path | None = None, compare: list[Path] | None = None, **card_settings
) -> Contents:
    """Collects all contents that a push of `folder` to `name` sends.

    Args:
        folder: A saved model with its processor.
        name: `user/name`, which the card's example loads.
        result: The result file of this very model.
        compare: Result files of other runs, for the card's table.
        card_settings: Further arguments of `make_card`.

    Raises:
        HubError: The folder holds no finished model, or `result` is no result of it.
    """
    compare = compare or []
    results = list(dict.fromkeys([result, *compare] if result else compare))
    shown = shown_results(results)
    contents = {**model_contents(folder), **shown}
    if result:
        check_weights(folder, result)
    card = make_card(
        folder,
        name,
        result_of(result, shown) if result else None,
        [result_of(path, shown) for path in compare],
        **card_settings,
    )
    return {**contents, CARD: str(card).encode()}


def push(contents: Contents, name: str, private: bool = False, message: str = MESSAGE) -> str | None:
    """Sends `contents` in one commit and returns its address, or None if all of them were there already.

    Weights of an earlier push that this one does not replace are deleted: `transformers` would read a
    `model.safetensors` before the shards of a newer model.

    Raises:
        HubError: With what to do about it.
    """
    api, present = ensure_repository(name, private)
    with explained_errors(name):
        stale = [path for path in present - contents.keys() if is_weights(path)]
        before = api.model_info(name).sha
        operations = [
            *(CommitOperationAdd(path, content) for path, content in contents.items()),
            *(CommitOperationDelete(path) for path in sorted(stale)),
        ]
        commit = api.create_commit(name, operations, commit_message=message)
    return None if commit.oid == before else commit.commit_url


def ensure_repository(name: str, private: bool = False) -> tuple[HfApi, set[str]]:
    """Creates the repository if there is none, and returns the client and the files that are there.

    Raises:
        HubError: Nobody is logged in, the token has no rights there, or the name is taken.
    """
    api = HfApi()
    existed = open_repository(api, name, "model", private)
    with explained_errors(name):
        present = set(api.list_repo_files(name))
        if existed:
            _check_not_taken(api, name, present)
    return api, present


def _check_not_taken(api: HfApi, name: str, present: set[str]) -> None:
    """Checks that a repository holds no other model or files."""
    kind = read_json(Path(api.hf_hub_download(name, CONFIG))).get("model_type") if CONFIG in present else None
    others = present - {".gitattributes", CARD}
    if kind != "vmhan" and others:
        other = f"a model of type {kind!r}" if kind else f"other files, such as {sorted(others)[0]}"
        raise HubError(f"The name {name!r} is taken: it holds {other}. Choose another name, or delete it on the Hub.")


def _table(contents: Contents, folder: Path) -> str:
    lines = [f"{size(content):>12,}  {path}" for path, content in contents.items()]
    total = f"{sum(map(size, contents.values())):>12,}  bytes in {len(contents)} files"
    skipped = left_out(folder)
    return "\n".join([*lines, total, *([f"Left out of {folder}: {', '.join(skipped)}"] if skipped else [])])


def _result_files(paths: list[Path]) -> list[Path]:
    return [file for path in paths for file in (sorted(path.glob("*.json")) if path.is_dir() else [path])]


def main(argv: list[str]) -> None:
    """Runs the command line: pushes a trained model."""
    parser = argparse.ArgumentParser(prog="python -m hub.push", description="Push a trained model to the Hub.")
    parser.add_argument("folder", type=Path, help="folder that save_pretrained wrote, model and processor")
    parser.add_argument("name", help="user/name of the repository; it is created if there is none")
    parser.add_argument("--result", type=Path, help="the result file of this very model, whose numbers the card shows")
    parser.add_argument("--compare", type=Path, nargs="+", default=[], help="result files, or folders, for a table")
    parser.add_argument("--base-model", help="Hub id of the text encoder it was trained from")
    parser.add_argument("--licence", help="of the weights, as the Hub spells it (default: the project's)")
    parser.add_argument(
        "--dataset-name", help="name of its data, such as MNRE (default: found by checksums or on the Hub)"
    )
    parser.add_argument("--dataset-url", help="where these data are described; with --dataset-name")
    parser.add_argument("--private", action="store_true", help="only you may see it")
    parser.add_argument("--message", default=MESSAGE, help="title of the commit")
    parser.add_argument("--claim", action="store_true", help="create it, or check the rights, and send nothing")
    parser.add_argument("--dry-run", action="store_true", help="list the files, and send nothing")
    parser.add_argument("--export", type=Path, metavar="FOLDER", help="write it to a folder, and send nothing")
    options = parser.parse_args(argv)
    if options.claim:
        ensure_repository(options.name, options.private)
        print(f"{options.name} is there, and may be written to.")
        return
    contents = collect(
        options.folder,
        options.name,
        options.result,
        _result_files(options.compare),
        base_model=options.base_model,
        licence=options.licence,
        dataset_name=options.dataset_name,
        dataset_url=options.dataset_url,
    )
    print(_table(contents, options.folder))
    if options.export:
        write_contents(contents, options.export)
        print(f"Written to {options.export}.")
    elif not options.dry_run:
        address = push(contents, options.name, options.private, options.message)
        print(f"Pushed: {address}" if address else f"{options.name} is up to date; nothing was sent.")


if __name__ == "__main__":
    run_command("hub.push", main)
