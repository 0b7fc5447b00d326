"""The rows of a run: MNRE or MORE, from local files or from a data set repository on the Hub."""

from pathlib import Path

from datasets import DatasetDict

from train.hub_data import hub_checksums, load_hub_dataset
from train.selection import candidate_objects, selects
from vmhan.mnre import load_mnre, mnre_checksums
from vmhan.more import load_more, more_checksums


def read_rows(data, report_path: Path | None = None) -> DatasetDict:
    """The rows of each split that these `DataArguments` ask for.

    Args:
        report_path: Where bad lines are listed that are left out.

    Raises:
        ValueError: No data are named, or they are broken.
        FileNotFoundError: A file is missing.
    """
    if data.dataset:
        return load_hub_dataset(
            data.dataset,
            pictures=True if data.visual_setting == "pixels" else None if selects(data) else False,
            boxes=data.boxes is not None,
            max_objects=candidate_objects(data),
            on_missing_image=data.on_missing_image,
            limit=data.limit,
        )
    if not data.data_dir:
        raise ValueError("Name the data: --data_dir <folder of the files>, or --dataset user/name on the Hub.")
    settings = {
        **_files(data),
        "on_error": data.on_error,
        "on_missing_image": data.on_missing_image,
        "report_path": report_path,
        "limit": data.limit,
    }
    if data.corpus == "more":
        return load_more(data.data_dir, **settings)
    return load_mnre(data.data_dir, max_objects=candidate_objects(data), **settings)


def checksums(data) -> dict[str, str]:
    """What the numbers were made from."""
    if data.dataset:
        return hub_checksums(data.dataset)
    return {"mnre": mnre_checksums, "more": more_checksums}[data.corpus](data.data_dir, **_files(data))


def _files(data) -> dict:
    """Which files are read; pictures, if the model or a selector of nodes looks at them."""
    image_dir = data.image_dir if data.visual_setting == "pixels" or selects(data) else None
    if data.corpus == "more":
        return {"captions": data.captions, "image_dir": image_dir}
    return {"descriptions": data.descriptions, "boxes": data.boxes, "image_dir": image_dir}
