"""The inputs of a run: its rows, audited, and what is detected, selected and encoded for them."""

import logging

from datasets import DatasetDict

from train.arguments import DataArguments, RunConfig
from train.config_checks import check_object_tails
from train.data.controls import apply_control
from train.data.corpora_inputs import add_corpora, join_corpora
from train.data.directions import count_pair_orders, order_rows
from train.data.image_reader import ImageReader
from train.data.legacy_crops import read_legacy_crops
from train.data.legacy_nodes import add_legacy_nodes
from train.data.row_checks import check_rows
from train.data.rows import read_rows, start_report
from train.data.run_inputs import RunInputs
from train.data.side_inputs import as_annotated, inputs_made_for_run, inputs_of_run, seen_by_run
from train.data.visual_steps import (
    add_detected_objects,
    add_image_features,
    add_image_paths,
    add_selected_nodes,
    share_objects,
)
from vmhan import VMHANForRelationExtraction, VMHANProcessor
from vmhan.data.schema import has_object_tails
from vmhan.evaluation.audit import audit
from vmhan.evaluation.leakage_tests import SideInput

logger = logging.getLogger(__name__)


def prepare_rows(config: RunConfig, processor: VMHANProcessor | None = None) -> RunInputs:
    """Prepares the rows, without what a detector, a selector or a vision encoder adds.

    Args:
        config: The settings.
        processor: With it, rows that it refuses are found, and left out or raised as `on_error` says.
    """
    data, training = config.data, config.training
    report = start_report(data, training)
    splits = read_rows(data, training, report)
    splits = check_rows(splits, config, processor, report)
    if has_object_tails(splits["train"].column_names):
        check_object_tails(data)
    legacy = read_legacy_crops(data.legacy_crops) if data.legacy_crops else None
    leaks = audit_inputs(inputs_of_run(splits, data, legacy), splits)  # before a control hides what there is to find
    if legacy is not None:
        splits = add_legacy_nodes(splits, legacy)
    with training.main_process_first(desc="applying the control"):
        splits = apply_control(splits, data.control, training.seed, data.cache_folder)
    pair_order = count_pair_orders(splits)
    inputs = RunInputs(order_rows(splits, data.undirected_pairs), pair_order, leaks)
    add_corpora(inputs, config, processor, report)
    return inputs


def add_visual_inputs(
    inputs: RunInputs, model: VMHANForRelationExtraction, processor: VMHANProcessor, config: RunConfig
) -> None:
    """Adds detected objects, then the nodes selected of them, then the features of the images; audits all of it."""
    reader = ImageReader(config.data.on_error)
    add_detected_objects(inputs, config, reader)
    reference = share_objects(inputs, config)
    add_selected_nodes(inputs, config)
    add_image_features(inputs, model, processor, config, reader, reference)
    audit_added_inputs(inputs, config.data)
    join_corpora(inputs, config)


def prepare_audited_inputs(config: RunConfig) -> RunInputs:
    """Prepares all side inputs of a run, audited, without a model: images are opened, but not encoded."""
    inputs, reader = prepare_rows(config), ImageReader(config.data.on_error)
    add_detected_objects(inputs, config, reader)
    share_objects(inputs, config)
    add_selected_nodes(inputs, config)
    add_image_paths(inputs, config, reader)
    audit_added_inputs(inputs, config.data)
    return inputs


def audit_inputs(items: list[SideInput], splits: DatasetDict) -> dict[str, list[str]]:
    """Finds, of each side input, the questions of the audit that it fails, and warns of these."""
    leaks = {finding["name"]: finding["leaks"] for finding in audit(items, splits)}
    if any(leaks.values()):
        logger.warning("This run is not clean: its inputs leak the label, %s; see train/audit.py.", leaks)
    return leaks


def audit_added_inputs(inputs: RunInputs, data: DataArguments) -> None:
    """Audits what a detector or a selector has added, and sets the protocol; test, which may lack it, is not read."""
    splits = DatasetDict({name: as_annotated(inputs.splits[name]) for name in ("train", "validation")})
    inputs.leaks |= audit_inputs(inputs_made_for_run(splits, data), splits)
    inputs.protocol = protocol_of(inputs, data)


def protocol_of(inputs: RunInputs, data: DataArguments) -> str:
    """Names the protocol: `"legacy-crops"` with the shared crops, `"leaking"` if the audit says so, else `"clean"`.

    Raises:
        ValueError: A side input has not been audited, so that nothing can be said.
    """
    if unknown := seen_by_run(data, inputs.splits["train"].column_names) - inputs.leaks.keys():
        raise ValueError(f"Not audited: {', '.join(sorted(unknown))}; see train/data/side_inputs.py.")
    if data.legacy_crops:
        return "legacy-crops"
    return "leaking" if any(inputs.leaks.values()) else "clean"
