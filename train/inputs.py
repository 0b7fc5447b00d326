"""What a run reads: its rows, audited, and what is detected, selected and seen for them."""

import logging
from dataclasses import dataclass
from pathlib import Path

import datasets
from datasets import DatasetDict

from train.audit import audit
from train.batching import sort_by_sentence
from train.controls import shuffle_images
from train.data import data_checksums, load_mnre
from train.detected_boxes import add_detected_boxes
from train.directions import add_undirected, count_by_order
from train.hub_data import hub_checksums, load_hub_dataset
from train.pictures import PictureCache, PictureReader, count_pictures, report_bad_pictures
from train.selection import candidate_objects, select_splits, selects
from train.side_inputs import inputs_of_run
from train.visual_features import PictureEncoder, add_features, add_paths
from vmhan import VMHANForRelationExtraction, VMHANProcessor
from vmhan.detectors import load_detector

logger = logging.getLogger(__name__)


@dataclass
class RunInputs:
    """The rows of a run, and what its result file says of them.

    Args:
        splits: Each in the order it is read in.
        pair_order: As `count_by_order` of each split.
        leaks: Of each audited input, the questions that it fails.
        features: What the frozen vision encoder made of the pictures, by the rows' `picture`.
        selection_counts: What became of the questions to LLMs.
        picture_counts: As `count_pictures`.
    """

    splits: DatasetDict
    pair_order: dict[str, dict]
    leaks: dict[str, list[str]]
    features: PictureCache | None = None
    selection_counts: dict[str, int] | None = None
    picture_counts: dict[str, dict[str, int]] | None = None

    @property
    def label_names(self) -> list[str]:
        """The relations, by id."""
        return self.splits["train"].features["relation"].names


def load_inputs(data, training) -> RunInputs:
    """The rows, without what a detector, a selector or a vision encoder adds."""
    with training.main_process_first(desc="reading the data"):
        splits = _read_rows(data, training)
    if "image" in splits["train"].column_names:  # what is decoded is a matter of `_add_pictures`
        splits = splits.cast_column("image", datasets.Image(decode=False))
    leaks = {finding["name"]: finding["leaks"] for finding in audit(inputs_of_run(splits, data), splits)}
    if any(leaks.values()):
        logger.warning("This run is not clean: its inputs give the label away, %s; see train/audit.py.", leaks)
    if data.control == "shuffled_images":
        splits = type(splits)({name: shuffle_images(split, training.seed) for name, split in splits.items()})
    pair_order = {name: count_by_order(split) for name, split in splits.items()}
    if data.undirected_pairs:
        splits["train"] = add_undirected(splits["train"])
    for name in ("validation", "test"):
        splits[name] = sort_by_sentence(splits[name])
    return RunInputs(splits, pair_order, leaks)


def add_visual_inputs(
    inputs: RunInputs, model: VMHANForRelationExtraction, processor: VMHANProcessor, data, training
) -> None:
    """Adds what a detector finds, then what a selector chooses of it, then what a vision encoder sees."""
    reader = PictureReader(data.on_error)
    if data.detector:
        inputs.splits = _add_boxes(inputs.splits, data, training, reader)
    if selects(data):
        inputs.splits, inputs.selection_counts = select_splits(inputs.splits, data, training)
    if data.visual_setting == "pixels":
        _add_pictures(inputs, model, processor, data, training, reader)


def _read_rows(data, training) -> DatasetDict:
    """The rows of each split, from the Hub or from files."""
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
    return load_mnre(
        data.data_dir,
        descriptions=data.descriptions,
        boxes=data.boxes,
        image_dir=_find_images(data),
        max_objects=candidate_objects(data),
        on_error=data.on_error,
        on_missing_image=data.on_missing_image,
        report_path=_find_report(data, training),
        limit=data.limit,
    )


def checksums(data) -> dict[str, str]:
    """What the numbers were made from."""
    if data.dataset:
        return hub_checksums(data.dataset)
    return data_checksums(
        data.data_dir, descriptions=data.descriptions, boxes=data.boxes, image_dir=_find_images(data)
    )


def _find_images(data) -> str | None:
    """The folder of the pictures, if the model or a selector of nodes looks at them."""
    return data.image_dir if data.visual_setting == "pixels" or selects(data) else None


def _find_report(data, training) -> Path | None:
    """Where broken lines and pictures are listed."""
    if data.on_error != "skip" or training.process_index != 0:
        return None
    Path(training.output_dir).mkdir(parents=True, exist_ok=True)
    return Path(training.output_dir) / "bad_lines.jsonl"


def feature_folder(data) -> Path:
    """The folder of what is computed of pictures."""
    return Path(data.feature_cache or Path(datasets.config.HF_DATASETS_CACHE) / "vmhan-features")


def _add_boxes(splits: DatasetDict, data, training, reader: PictureReader) -> DatasetDict:
    """Rows with the boxes of the detector."""
    with training.main_process_first(desc="detecting objects"):
        detector = load_detector(data.detector)
        most, batch_size = candidate_objects(data), data.feature_batch_size
        return add_detected_boxes(splits, detector, data.detector, feature_folder(data), reader, most, batch_size)


def _add_pictures(inputs: RunInputs, model, processor, data, training, reader: PictureReader) -> None:
    """Rows that name their picture, the features of all pictures, if the vision encoder is frozen, and counts."""
    splits = inputs.splits
    if model.config.vision_config is None:
        raise ValueError(f"{training.checkpoint} has no vision encoder to look at pictures with.")
    model.vmhan.vision_model.to(training.device)
    with training.main_process_first(desc="looking at the pictures"):
        if model.config.tune_vision:
            inputs.splits = add_paths(splits, reader)
        else:
            encoder = PictureEncoder(model.vmhan, processor)
            inputs.splits, inputs.features = add_features(
                splits, encoder, feature_folder(data), reader, data.feature_batch_size
            )
    if report := _find_report(data, training):
        report_bad_pictures(splits, reader, report)
    inputs.picture_counts = count_pictures(splits, reader)
