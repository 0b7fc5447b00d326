"""The rows of a run: MNRE or MORE, from local files or from a data set repository on the Hub."""

import logging
from pathlib import Path
from typing import Any

import datasets
from datasets import DatasetDict

from train.arguments import DataArguments, RunArguments
from train.data.corpora import MAIN
from train.data.hub_rows import SPLITS, hub_checksums, load_hub_dataset
from train.data.legacy_crops import legacy_files
from train.data.mention_corpora import mention_checksums
from train.data.templated import TEMPLATES, templates_checksum
from train.settings_parser import SettingsError
from vmhan.data.images import checksums_of
from vmhan.data.mnre import load_mnre, mnre_checksums, mnre_files
from vmhan.data.more import load_more, more_checksums, more_files

logger = logging.getLogger(__name__)


def check_data(data: DataArguments) -> None:
    """Checks that data are named and their files are there, which is known before anything is loaded.

    Raises:
        SettingsError: Says what is missing.
    """
    if data.dataset:
        return
    if not data.data_dir:
        raise SettingsError("Name the data: --data_dir <folder of the files>, or --dataset user/name on the Hub.")
    wanted = _files(data)
    image_dir = wanted.pop("image_dir")
    check_files(data.corpus, data.data_dir, **wanted)
    if image_dir is not None and not Path(image_dir).is_dir():
        raise SettingsError(f"{image_dir} is not a folder; set --image_dir to that of the images.")


def check_files(corpus: str, data_dir: str | Path, **files: Any) -> None:
    """Checks that the files of a data set are there.

    Args:
        corpus: "mnre" or "more".
        data_dir: Their folder.
        files: Stems or switches of the optional ones, as the corpus's reader takes them.

    Raises:
        SettingsError: One is missing.
    """
    find = {"mnre": mnre_files, "more": more_files}[corpus]
    try:
        find(data_dir, **files)
    except FileNotFoundError as error:
        raise SettingsError(str(error)) from error


def read_rows(data: DataArguments, training: RunArguments, report: Path | None = None) -> DatasetDict:
    """Reads the rows of each split, in the first process first; their images, if any, stay files.

    Args:
        data: What to read.
        training: Knows the processes.
        report: Lists the bad lines that are left out.

    Raises:
        SettingsError: No data are named, or a file is missing.
        ValueError: They are broken.
        FileNotFoundError: An image is missing.
    """
    check_data(data)
    with training.main_process_first(desc="reading the data"):
        splits = _read_hub(data, report) if data.dataset else _read_files(data, report)
    if "image" in splits["train"].column_names:
        splits = splits.cast_column("image", datasets.Image(decode=False))
    return splits


def start_report(data: DataArguments, training: RunArguments) -> Path | None:
    """Finds the file that lists broken lines and images, in the process that writes it and where they are skipped."""
    if data.on_error != "skip" or training.process_index != 0:
        return None
    Path(training.output_dir).mkdir(parents=True, exist_ok=True)
    return Path(training.output_dir) / "bad_lines.jsonl"


def checksums(data: DataArguments) -> dict[str, str]:
    """Computes the checksums of all files that are read, or finds the commit of a repository."""
    shared = legacy_files(data.legacy_crops).values() if data.legacy_crops else ()
    legacy = checksums_of(path for files in shared for path in files.values())
    paths = [corpus["path"] for corpus in data.corpora]
    further = checksums_of(Path(path) for path in paths if path not in (MAIN, TEMPLATES))
    if TEMPLATES in paths:
        further[TEMPLATES] = templates_checksum()
    further |= mention_checksums(data.mention_corpora)
    if data.dataset:
        return hub_checksums(data.dataset) | legacy | further
    read = {"mnre": mnre_checksums, "more": more_checksums}[data.corpus]
    return read(data.data_dir, **_files(data)) | legacy | further


def split_files(data: DataArguments) -> dict[str, str | Path]:
    """Names what the rows of each split are read from, for messages."""
    if data.dataset:
        return {split: f"{data.dataset}, {split}" for split in SPLITS}
    return {"mnre": mnre_files, "more": more_files}[data.corpus](data.data_dir)


def leave_out_unseen_tails(splits: DatasetDict) -> DatasetDict:
    """Leaves out, counts and logs the rows whose tail is an object of a broken image."""
    kept = {}
    for split, rows in splits.items():
        indices = [index for index, image in enumerate(rows["image_key"]) if image is not None]
        if gone := len(rows) - len(indices):
            logger.warning("%d of %d rows of %s are left out, for their image is broken", gone, len(rows), split)
        kept[split] = rows.select(indices)
    return DatasetDict(kept)


def _read_hub(data: DataArguments, report: Path | None) -> DatasetDict:
    if report is not None:
        report.write_text("", encoding="utf-8")  # no line of a file is read here; more may be said of rows
    return load_hub_dataset(
        data.dataset,
        images=True if data.visual_setting == "pixels" else None if data.selects_nodes else False,
        boxes=data.uses_boxes,
        descriptions=data.descriptions is not None,
        captions=data.captions,
        no_relation=data.no_relation,
        max_objects=data.objects_per_image,
        on_missing_image=data.on_missing_image,
        limit=data.limit,
    )


def _read_files(data: DataArguments, report: Path | None) -> DatasetDict:
    settings = {
        **_files(data),
        "on_error": data.on_error,
        "on_missing_image": data.on_missing_image,
        "report_path": report,
        "limit": data.limit,
        "no_relation": data.no_relation,
    }
    if data.corpus == "more":
        return load_more(data.data_dir, **settings)
    return load_mnre(data.data_dir, max_objects=data.objects_per_image, **settings)


def _files(data: DataArguments) -> dict[str, Any]:
    """Lists which files are read; images, if the model or a selector of nodes sees them."""
    image_dir = data.image_dir if data.visual_setting == "pixels" or data.selects_nodes else None
    if data.corpus == "more":
        return {"captions": data.captions, "image_dir": image_dir}
    return {"descriptions": data.descriptions, "boxes": data.boxes, "image_dir": image_dir}
