"""The result file of a run, and what is written and pushed beside it."""

import json
import shlex
from dataclasses import MISSING, fields, replace
from pathlib import Path

from train.arguments import DataArguments, RunConfig
from train.data.rows import checksums
from train.data.run_inputs import RunInputs
from train.outputs import final_folder, result_path
from train.publishing import Publisher
from vmhan import VMHANConfig, VMHANForRelationExtraction
from vmhan.evaluation.predictions import RunPredictions, predictions_path, write_predictions
from vmhan.evaluation.result_checks import differences
from vmhan.evaluation.result_file import write_result


def command_of(config: RunConfig) -> str:
    """Builds the command line of a run."""
    return shlex.join(["accelerate", "launch", "train/run.py", *config.argv])


def describe_inputs(inputs: RunInputs, data: DataArguments) -> dict:
    """Describes the rows for the result file."""
    return {
        "protocol": inputs.protocol,
        "audit": inputs.leaks,
        "visual_setting": data.visual_setting,
        "control": data.control,
        "data": checksums(data),
        "pair_order": inputs.pair_order,
        "node_selection": inputs.selection_counts,
        "pictures": inputs.image_counts,  # result files store images under this name and those of `count_images`
    }


def describe_settings(config: RunConfig, of_model: VMHANConfig) -> dict:
    """Describes the settings for the result file; of those of training, what differs from the defaults."""
    training = config.training
    defaults = {f.name: f.default_factory() if f.default is MISSING else f.default for f in fields(training) if f.init}
    return {
        "data": vars(config.data),
        "model": {name: getattr(of_model, name) for name in (*vars(config.model), "no_relation")},
        "training": {name: value for name, value in training.to_dict().items() if value != defaults.get(name)},
    }


def save_run(
    result: dict,
    predictions: RunPredictions,
    model: VMHANForRelationExtraction,
    config: RunConfig,
    publisher: Publisher | None,
) -> None:
    """Writes and pushes result and predictions; with `complete_result`, adds only what is missing there."""
    training = config.training
    if training.complete_result:
        backfill_result(Path(training.complete_result), result, predictions)
        return
    if not training.checkpoint:
        model.config.save_pretrained(final_folder(training))  # with the temperatures that were fitted since
    path = result_path(training)
    write_result(path, result)
    write_predictions(predictions_path(path), predictions)
    if publisher is not None:
        publisher.push_finished(final_folder(training), path)


def backfill_result(path: Path, result: dict, predictions: RunPredictions) -> None:
    """Writes predictions beside a result file that is there already, and into it the scores of splits that it lacks.

    Raises:
        ValueError: The predictions do not score what that file says.
    """
    earlier = json.loads(path.read_text(encoding="utf-8"))
    scored = {name: split for name, split in predictions.splits.items() if name in earlier["metrics"]}
    if wrong := list(differences(replace(predictions, splits=scored), earlier)):
        raise ValueError(
            f"This model's predictions do not belong to {path}: {'; '.join(wrong)}. Name the checkpoint and the "
            "settings of that run, or leave --complete_result out, which gives this evaluation its own result file."
        )
    if added := sorted(predictions.splits.keys() - scored.keys()):
        earlier["metrics"] |= {name: result["metrics"][name] for name in added}
        code = {name: result[name] for name in ("command", "commit", "versions")}
        earlier["read_later"] = {"splits": added, **code}
        write_result(path, earlier)
    write_predictions(predictions_path(path), predictions)
