"""Trains VM-HAN, evaluates it and writes a result file.

    accelerate launch train/run.py train/configs/mnre/mini.yaml --data_dir path/to/mnre --text_model path/or/hub-id
    torchrun --nproc_per_node 2 train/run.py ...                     # two processes
    ... --resume_from_checkpoint last                                # go on where a killed run stopped
    ... --seed 2 --entity_markers pair --report_to tensorboard       # any setting can be overridden
    ... --checkpoint vmhan/weights/vmhan-mini-mnre --complete_result assets/results/mnre-mini/<run>.json

The last one adds to a finished run what it lacks: predictions, or the scores of a split that `--read_test false` left
unread. The test split is read once, after training, with the checkpoint that is best on validation.
"""

import json
import shlex
import sys
import time
from dataclasses import MISSING, fields, replace
from pathlib import Path

from transformers import set_seed

ROOT = Path(__file__).resolve().parents[1]
sys.path[0] = str(ROOT)  # a script's own folder stands here; `train` is imported from the one above

from train.arguments import check_legacy_crops, check_pixels, parse_arguments  # noqa: E402
from train.cpu_threads import warn_of_idle_cores  # noqa: E402
from train.data.inputs import add_visual_inputs, load_inputs  # noqa: E402
from train.data.rows import checksums  # noqa: E402
from train.distillation import add_teacher_targets  # noqa: E402
from train.model_factory import build_model, build_processor, make_trainer  # noqa: E402
from train.outputs import (  # noqa: E402
    check_output,
    clear_output,
    final_folder,
    find_checkpoint,
    result_path,
    save,
)
from train.publishing import Publisher  # noqa: E402
from train.scoring import fit_mode_temperatures, predict_split, score_split  # noqa: E402
from vmhan.evaluation.predictions import RunPredictions, predictions_path, weights_checksum, write_predictions  # noqa: E402
from vmhan.evaluation.result_checks import differences  # noqa: E402
from vmhan.evaluation.result_file import code_version, versions, write_result  # noqa: E402


def main(argv: list[str]) -> dict:
    """Runs what `argv` says and returns what the result file holds."""
    data, model_settings, training = parse_arguments(argv)
    code = code_version()  # now: the files may change while it runs
    check_pixels(data, model_settings, training)
    check_legacy_crops(data)
    check_output(training)
    publisher = build_publisher(training)
    set_seed(training.seed)
    processor = build_processor(data, model_settings, training)
    inputs = load_inputs(data, training, processor)
    label_names = inputs.label_names
    labels, sentences = (label_names, inputs.no_relation), inputs.splits["train"]["words"]
    model = build_model(model_settings, training, processor, *labels, sentences)
    add_visual_inputs(inputs, model, processor, data, training)
    described = describe_inputs(inputs, data)  # now: so may the data
    if training.teachers and not training.checkpoint:
        inputs.splits["train"] = add_teacher_targets(inputs, data, training)
    trainer = make_trainer(inputs, processor, data, training, model=model, publisher=publisher)
    started = time.perf_counter()
    if not training.checkpoint:
        warn_of_idle_cores()
        if training.overwrite_output_dir and trainer.is_world_process_zero():
            clear_output(training)
        trainer.train(resume_from_checkpoint=find_checkpoint(training))
    wall_time = time.perf_counter() - started
    if training.half_precision_weights:
        model.half().float()
    if not training.checkpoint and trainer.is_world_process_zero():
        save(model, processor, training)  # before anything is scored: whatever breaks there, the model is kept
    scored, failure = score_splits(trainer, inputs, training)
    result = {
        "command": shlex.join(["accelerate", "launch", "train/run.py", *argv]),
        **described,
        "config": describe_settings(data, model_settings, training, model),
        "seed": training.seed,
        **code,
        "versions": versions(),
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "wall_time_seconds": round(wall_time, 1),
        "best_step": trainer.state.best_global_step,
        "history": [entry for entry in trainer.state.log_history if "eval_f1" in entry],
        "metrics": {name: metrics for name, (metrics, _) in scored.items()},
    }
    if scored and trainer.is_world_process_zero():
        rows = {name: of_split for name, (_, of_split) in scored.items()}
        of_run = label_names, result["data"], weights_checksum(model), rows, inputs.no_relation
        predictions = RunPredictions(*of_run)
        save_run(result, predictions, model, training, publisher if failure is None else None)
    if failure is not None:
        raise failure
    return result


def score_splits(trainer, inputs, training) -> tuple[dict, Exception | None]:
    """What validation and test came to, and what stopped that after a training, with how to go on."""
    scored = {}
    try:
        scored["validation"] = evaluate_validation(trainer, inputs.splits["validation"], inputs.label_names, training)
        if training.read_test:
            logits = predict_split(trainer, inputs.splits["test"], inputs.label_names, "test")
            scored["test"] = score_split(logits, inputs.splits["test"], inputs.label_names, trainer.model.config)
    except Exception as error:
        if training.checkpoint:
            raise
        result = f" --complete_result {result_path(training)}" if scored else ""
        error.add_note(
            f"The trained model is saved in {final_folder(training)}. To score it, run the same settings with "
            f"--checkpoint {final_folder(training)}{result}."
        )
        return scored, error
    return scored, None


def evaluate_validation(trainer, dataset, label_names, training):
    """Scores validation, after fitting on it the temperatures of a model that was just trained."""
    logits, config = predict_split(trainer, dataset, label_names, "validation"), trainer.model.config
    if not training.checkpoint:
        config.temperatures = fit_mode_temperatures(logits, dataset)
    return score_split(logits, dataset, label_names, config)


def describe_inputs(inputs, data) -> dict:
    """What the result file says of the rows."""
    return {
        "protocol": inputs.protocol,
        "audit": inputs.leaks,
        "visual_setting": data.visual_setting,
        "control": data.control,
        "data": checksums(data),
        "pair_order": inputs.pair_order,
        "node_selection": inputs.selection_counts,
        "pictures": inputs.picture_counts,
    }


def describe_settings(data, model_settings, training, model) -> dict:
    """What the result file says of the settings; of those of training, what differs from the defaults."""
    defaults = {f.name: f.default_factory() if f.default is MISSING else f.default for f in fields(training) if f.init}
    return {
        "data": vars(data),
        "model": {name: getattr(model.config, name) for name in (*vars(model_settings), "no_relation")},
        "training": {name: value for name, value in training.to_dict().items() if value != defaults.get(name)},
    }


def save_run(result, predictions, model, training, publisher) -> None:
    """Writes and pushes what a run has made; with `complete_result`, only what is missing of that."""
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
    told = json.loads(path.read_text(encoding="utf-8"))
    scored = {name: split for name, split in predictions.splits.items() if name in told["metrics"]}
    if wrong := list(differences(replace(predictions, splits=scored), told)):
        raise ValueError(
            f"This model's predictions do not belong to {path}: {'; '.join(wrong)}. Name the checkpoint and the "
            "settings of that run, or leave --complete_result out, which gives this evaluation its own result file."
        )
    if added := sorted(predictions.splits.keys() - scored.keys()):
        told["metrics"] |= {name: result["metrics"][name] for name in added}
        told["read_later"] = {"splits": added, **{name: result[name] for name in ("command", "commit", "versions")}}
        write_result(path, told)
    write_predictions(predictions_path(path), predictions)


def build_publisher(training) -> Publisher | None:
    """What pushes to the Hub, in the first process and if that is asked for."""
    if training.hub_token:
        raise ValueError("Set the environment variable HF_TOKEN, not hub_token: result files hold the command.")
    if not training.push_to_hub or training.checkpoint or training.process_index != 0:
        return None
    return Publisher(training.hub_model_id, bool(training.hub_private_repo), training.text_model)


if __name__ == "__main__":
    main(sys.argv[1:])
