"""The steps that add visual inputs to the rows of a run: objects, selected nodes, features of images."""

from datasets import DatasetDict

from train.arguments import RunConfig
from train.data.constant_objects import add_features_with_constant_objects
from train.data.controls import reference_row, same_objects
from train.data.detected_boxes import add_detected_boxes
from train.data.image_reader import ImageReader, count_images, report_bad_images
from train.data.row_checks import refuse_empty
from train.data.rows import leave_out_unseen_tails, split_files, start_report
from train.data.run_inputs import RunInputs
from train.data.selection import select_splits
from train.data.visual_features import ImageEncoder, add_features, add_paths
from vmhan import VMHANForRelationExtraction, VMHANProcessor
from vmhan.data.schema import has_object_tails
from vmhan.detectors.loading import load_detector


def add_detected_objects(inputs: RunInputs, config: RunConfig, reader: ImageReader) -> None:
    """Replaces the boxes of the rows by those of the detector, if there is one."""
    data, training = config.data, config.training
    if not data.detector:
        return
    with training.main_process_first(desc="detecting objects"):
        inputs.splits = add_detected_boxes(
            inputs.splits,
            load_detector(data.detector),
            data.detector,
            data.cache_folder,
            reader,
            max_objects=data.objects_per_image,
            batch_size=data.feature_batch_size,
        )


def share_objects(inputs: RunInputs, config: RunConfig) -> int | None:
    """Gives all rows the objects of one, under the control `constant_objects`; returns the index of that one."""
    if config.data.control != "constant_objects":
        return None
    reference = reference_row(inputs.splits["train"])
    inputs.splits = same_objects(inputs.splits, inputs.splits["train"][reference])
    return reference


def add_selected_nodes(inputs: RunInputs, config: RunConfig) -> None:
    """Adds the nodes that a selector chooses, if there is one."""
    if config.data.selects_nodes:
        inputs.splits, inputs.selection_counts = select_splits(inputs.splits, config)


def add_image_features(
    inputs: RunInputs,
    model: VMHANForRelationExtraction,
    processor: VMHANProcessor,
    config: RunConfig,
    reader: ImageReader,
    reference: int | None,
) -> None:
    """Adds the features of all images, or their paths where the vision encoder learns, if the setting is pixels.

    Args:
        reference: The training row that all objects are of; None leaves each image its own.

    Raises:
        ValueError: The model has no vision encoder, or one that learns, where features are to be constant.
    """
    data, training = config.data, config.training
    if data.visual_setting != "pixels":
        return
    if model.config.vision_config is None:
        raise ValueError(f"{training.checkpoint} has no vision encoder to read images with.")
    if model.config.tune_vision and reference is not None:
        raise ValueError("The control constant_objects stores features of objects; it needs --tune_vision false.")
    if model.config.tune_vision:
        add_image_paths(inputs, config, reader)
        return
    model.vmhan.vision_model.to(training.device)
    with training.main_process_first(desc="encoding the images"):
        encoder = ImageEncoder(model.vmhan, processor), data.cache_folder, reader, data.feature_batch_size
        splits, inputs.features = (
            add_features(inputs.splits, *encoder)
            if reference is None
            else add_features_with_constant_objects(inputs.splits, reference, *encoder)
        )
    _replace_splits(inputs, splits, config, reader)


def add_image_paths(inputs: RunInputs, config: RunConfig, reader: ImageReader) -> None:
    """Adds the paths of the images in place of features, if the setting is pixels; opens each once."""
    if config.data.visual_setting == "pixels":
        with config.training.main_process_first(desc="checking the images"):
            splits = add_paths(inputs.splits, reader)
        _replace_splits(inputs, splits, config, reader)


def _replace_splits(inputs: RunInputs, splits: DatasetDict, config: RunConfig, reader: ImageReader) -> None:
    """Counts and reports the images, takes the new rows, and leaves out those whose tail is not to be seen."""
    data, training = config.data, config.training
    report = start_report(data, training)
    if report is not None:
        report_bad_images(inputs.splits, reader, report)
    inputs.image_counts = count_images(inputs.splits, reader)
    inputs.splits = splits
    if has_object_tails(splits["train"].column_names):
        inputs.splits = leave_out_unseen_tails(splits)
        refuse_empty(inputs.splits, split_files(data), training.read_test, before=splits, report=report)
