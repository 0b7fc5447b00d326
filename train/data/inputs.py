"""What a run reads: its rows, audited, and what is detected, selected and seen for them."""

import logging
from dataclasses import dataclass
from pathlib import Path

import datasets
from datasets import DatasetDict

from train.data.constant_objects import add_features_with_constant_objects
from train.data.controls import apply_control, reference_row, same_objects
from train.data.detected_boxes import add_detected_boxes
from train.data.directions import add_undirected, count_by_order
from train.data.image_reader import PictureCache, PictureReader, count_pictures, report_bad_pictures
from train.data.legacy_crops import read_legacy_crops
from train.data.legacy_nodes import add_legacy_nodes
from train.data.row_checks import keep_readable, refuse_empty
from train.data.rows import check_object_tails, leave_out_unseen_tails, read_rows, split_files
from train.data.selection import candidate_objects, select_splits, selects
from train.data.side_inputs import as_annotated, inputs_made_for_run, inputs_of_run, seen_by_run
from train.data.visual_features import PictureEncoder, add_features, add_paths
from vmhan import VMHANForRelationExtraction, VMHANProcessor
from vmhan.data.schema import has_object_tails, no_relation_of, sort_by_sentence
from vmhan.detectors.loading import load_detector
from vmhan.evaluation.audit import audit
from vmhan.evaluation.leakage_tests import SideInput

logger = logging.getLogger(__name__)


@dataclass
class RunInputs:
    """The rows of a run, and what its result file says of them.

    Args:
        splits: Each in the order it is read in.
        pair_order: As `count_by_order` of each split; empty where tails are objects.
        leaks: Of each side input that the model sees, the questions of the audit that it fails; empty where there is
            no side input.
        protocol: As `protocol_of`, once all inputs are there and audited.
        features: What the frozen vision encoder made of the pictures, by the rows' `picture`.
        selection_counts: What became of the questions to LLMs.
        picture_counts: As `count_pictures`.
    """

    splits: DatasetDict
    pair_order: dict[str, dict]
    leaks: dict[str, list[str]]
    protocol: str | None = None
    features: PictureCache | None = None
    selection_counts: dict[str, int] | None = None
    picture_counts: dict[str, dict[str, int]] | None = None

    @property
    def label_names(self) -> list[str]:
        """The relations, by id."""
        return self.splits["train"].features["relation"].names

    @property
    def no_relation(self) -> str:
        """The negative one."""
        return no_relation_of(self.splits["train"].features["relation"])


def load_inputs(data, training, processor: VMHANProcessor | None = None) -> RunInputs:
    """The rows, without what a detector, a selector or a vision encoder adds.

    Args:
        processor: With it, rows that it refuses are found, and left out or raised as `data.on_error` says.
    """
    report = _find_report(data, training)
    with training.main_process_first(desc="reading the data"):
        splits = read_rows(data, report)
    files = split_files(data)
    refuse_empty(splits, files, training.read_test, report=report)
    if processor is not None:
        read, splits = splits, keep_readable(splits, processor, files, data.on_error, report)
        refuse_empty(splits, files, training.read_test, read, report)
    object_tails = has_object_tails(splits["train"].column_names)
    if object_tails:
        check_object_tails(data)
    if "image" in splits["train"].column_names:  # what is decoded is a matter of `_add_pictures`
        splits = splits.cast_column("image", datasets.Image(decode=False))
    legacy = read_legacy_crops(data.legacy_crops) if data.legacy_crops else None
    leaks = _leaks(inputs_of_run(splits, data, legacy), splits)  # before a control hides what there is to find
    if legacy is not None:
        splits = add_legacy_nodes(splits, legacy)
    with training.main_process_first(desc="applying the control"):
        splits = apply_control(splits, data.control, training.seed, feature_folder(data))
    pair_order = {} if object_tails else {name: count_by_order(split) for name, split in splits.items()}
    if data.undirected_pairs:
        splits["train"] = add_undirected(splits["train"])
    for name in ("validation", "test"):
        splits[name] = sort_by_sentence(splits[name])
    return RunInputs(splits, pair_order, leaks)


def add_visual_inputs(
    inputs: RunInputs, model: VMHANForRelationExtraction, processor: VMHANProcessor, data, training
) -> None:
    """Adds what a detector finds, then what a selector chooses of it, then what a vision encoder sees, audited."""
    reader = PictureReader(data.on_error)
    reference = _add_objects(inputs, data, training, reader)
    if data.visual_setting == "pixels":
        _add_pictures(inputs, model, processor, data, training, reader, reference)
    _audit_what_was_added(inputs, data)


def load_inputs_to_audit(data, training) -> RunInputs:
    """All side inputs of a run, audited, without a model: pictures are opened, but not encoded."""
    inputs, reader = load_inputs(data, training), PictureReader(data.on_error)
    _add_objects(inputs, data, training, reader)
    if data.visual_setting == "pixels":
        inputs.splits = add_paths(inputs.splits, reader)
        _leave_out_unseen_tails(inputs, data, training)
    _audit_what_was_added(inputs, data)
    return inputs


def protocol_of(inputs: RunInputs, data) -> str:
    """`"legacy-crops"` with the shared crops, else `"leaking"` if the audit finds something, else `"clean"`.

    Raises:
        ValueError: A side input has not been audited, so that nothing can be said.
    """
    if unknown := seen_by_run(data, inputs.splits["train"].column_names) - inputs.leaks.keys():
        raise ValueError(f"Not audited: {', '.join(sorted(unknown))}; see train/data/side_inputs.py.")
    if data.legacy_crops:
        return "legacy-crops"
    return "leaking" if any(inputs.leaks.values()) else "clean"


def _leaks(items: list[SideInput], splits: DatasetDict) -> dict[str, list[str]]:
    leaks = {finding["name"]: finding["leaks"] for finding in audit(items, splits)}
    if any(leaks.values()):
        logger.warning("This run is not clean: its inputs give the label away, %s; see train/audit.py.", leaks)
    return leaks


def _audit_what_was_added(inputs: RunInputs, data) -> None:
    """Audits what a detector or a selector has made; test may lack it, where it is not read, and is not asked."""
    splits = DatasetDict({name: as_annotated(inputs.splits[name]) for name in ("train", "validation")})
    inputs.leaks |= _leaks(inputs_made_for_run(splits, data), splits)
    inputs.protocol = protocol_of(inputs, data)


def _add_objects(inputs: RunInputs, data, training, reader: PictureReader) -> int | None:
    """Adds what a detector finds and a selector chooses; returns the row that a control takes all objects from."""
    reference = None
    if data.detector:
        inputs.splits = _add_boxes(inputs.splits, data, training, reader)
    if data.control == "constant_objects":
        reference = reference_row(inputs.splits["train"])
        inputs.splits = same_objects(inputs.splits, inputs.splits["train"][reference])
    if selects(data):
        inputs.splits, inputs.selection_counts = select_splits(inputs.splits, data, training)
    return reference


def _find_report(data, training) -> Path | None:
    """Where broken lines and pictures are listed."""
    if data.on_error != "skip" or training.process_index != 0:
        return None
    Path(training.output_dir).mkdir(parents=True, exist_ok=True)
    return Path(training.output_dir) / "bad_lines.jsonl"


def feature_folder(data) -> Path:
    """The folder of what is computed once and found again."""
    return Path(data.feature_cache or Path(datasets.config.HF_DATASETS_CACHE) / "vmhan-features")


def _add_boxes(splits: DatasetDict, data, training, reader: PictureReader) -> DatasetDict:
    """Rows with the boxes of the detector."""
    with training.main_process_first(desc="detecting objects"):
        detector = load_detector(data.detector)
        most, batch_size = candidate_objects(data), data.feature_batch_size
        return add_detected_boxes(splits, detector, data.detector, feature_folder(data), reader, most, batch_size)


def _add_pictures(
    inputs: RunInputs, model, processor, data, training, reader: PictureReader, reference: int | None
) -> None:
    """Rows that name their picture, the features of all pictures, if the vision encoder is frozen, and counts.

    With a `reference` all objects are those of this training row.
    """
    splits = inputs.splits
    if model.config.vision_config is None:
        raise ValueError(f"{training.checkpoint} has no vision encoder to look at pictures with.")
    if model.config.tune_vision and reference is not None:
        raise ValueError("The control constant_objects keeps features of objects; it needs --tune_vision false.")
    model.vmhan.vision_model.to(training.device)
    with training.main_process_first(desc="looking at the pictures"):
        if model.config.tune_vision:
            inputs.splits = add_paths(splits, reader)
        else:
            how = PictureEncoder(model.vmhan, processor), feature_folder(data), reader, data.feature_batch_size
            inputs.splits, inputs.features = (
                add_features(splits, *how)
                if reference is None
                else add_features_with_constant_objects(splits, reference, *how)
            )
    if report := _find_report(data, training):
        report_bad_pictures(splits, reader, report)
    inputs.picture_counts = count_pictures(splits, reader)
    _leave_out_unseen_tails(inputs, data, training)


def _leave_out_unseen_tails(inputs: RunInputs, data, training) -> None:
    """Leaves out the rows whose tail is an object of a broken picture."""
    splits = inputs.splits
    if has_object_tails(splits["train"].column_names):
        inputs.splits = leave_out_unseen_tails(splits)
        refuse_empty(inputs.splits, split_files(data), training.read_test, splits, _find_report(data, training))
