"""Trains VM-HAN, evaluates it and writes a result file.

    accelerate launch train/run.py train/configs/mnre/mini.yaml --data_dir path/to/mnre --text_model path/or/hub-id
    torchrun --nproc_per_node 2 train/run.py ...                     # two processes
    ... --resume_from_checkpoint last                                # go on where a killed run stopped
    ... --seed 2 --entity_markers pair --report_to tensorboard       # any setting can be overridden
    ... --checkpoint vmhan/weights/vmhan-mini-mnre --complete_result assets/results/mnre-mini/<run>.json

The last one adds to a finished run what it lacks: predictions, or the scores of a split that `--read_test false` left
unread. The test split is read once, after training, with the checkpoint that is best on validation.
"""

import sys
import time
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from transformers import set_seed

ROOT = Path(__file__).resolve().parents[1]
sys.path[0] = str(ROOT)  # a script's own folder stands here; `train` is imported from the one above

from train.arguments import RunConfig, read_config  # noqa: E402
from train.config_checks import check_config  # noqa: E402
from train.corpora_scoring import (  # noqa: E402
    fit_style_temperatures,
    predict_further,
    score_corpora,
    score_mention_corpora,
)
from train.cpu_threads import warn_of_idle_cores  # noqa: E402
from train.data.inputs import add_visual_inputs, prepare_rows  # noqa: E402
from train.data.mention_corpora import read_mention_corpora  # noqa: E402
from train.data.rows import check_data  # noqa: E402
from train.data.run_inputs import RunInputs  # noqa: E402
from train.distillation import add_teacher_targets  # noqa: E402
from train.model_factory import build_model, build_processor, build_trainer  # noqa: E402
from train.outputs import (  # noqa: E402
    check_output,
    clear_output,
    final_folder,
    find_checkpoint,
    lock_output,
    result_path,
    save_model,
)
from train.publishing import Publisher, build_publisher  # noqa: E402
from train.results import command_of, describe_inputs, describe_settings, save_run  # noqa: E402
from train.scoring import predict_split, score_split  # noqa: E402
from train.settings_parser import usage_errors  # noqa: E402
from train.trainer import PairTrainer  # noqa: E402
from vmhan import VMHANForRelationExtraction  # noqa: E402
from vmhan.evaluation.predictions import RunPredictions, SplitPredictions, weights_checksum  # noqa: E402
from vmhan.evaluation.result_file import code_version, versions  # noqa: E402


@dataclass(frozen=True)
class TrainedRun:
    """A run whose model is trained, or was loaded to be evaluated.

    Args:
        config: Its settings.
        inputs: Its rows.
        trainer: Holds the model.
        publisher: Pushes to the Hub, in the first process and if the settings say so.
        code, description: What the result file says of the code and the inputs, as they were before the training.
        seconds: How long the training took.
    """

    config: RunConfig
    inputs: RunInputs
    trainer: PairTrainer
    publisher: Publisher | None
    code: dict
    description: dict
    seconds: float

    @property
    def model(self) -> VMHANForRelationExtraction:
        """The model with its final weights."""
        return self.trainer.model


@dataclass(frozen=True)
class RunScores:
    """The metrics and predictions of the splits that were read.

    Args:
        metrics: What the result file says of each.
        predictions: Of the rows of each.
        failure: What stopped the evaluation of a trained model, if anything did.
    """

    metrics: dict[str, dict]
    predictions: dict[str, SplitPredictions]
    failure: Exception | None = None


def main(argv: list[str]) -> dict:
    """Trains, evaluates and writes; returns the content of the result file."""
    config = read_config(argv)
    check_config(config)
    check_data(config.data)  # before a text encoder is fetched
    trains = not config.training.checkpoint and config.training.process_index == 0
    with lock_output(config.training.output_dir) if trains else nullcontext():
        check_output(config.training)
        run = train(config)
        scores = evaluate(run)
        return write(run, scores)


def train(config: RunConfig) -> TrainedRun:
    """Trains and saves a model, or loads the checkpoint that is to be evaluated."""
    code = code_version()  # now: the files may change while it runs
    training, publisher = config.training, build_publisher(config.training)
    set_seed(training.seed)
    processor = build_processor(config)
    inputs = prepare_rows(config, processor)
    model = build_model(config, processor, inputs)
    add_visual_inputs(inputs, model, processor, config)
    description = describe_inputs(inputs, config.data)  # now: so may the data
    if training.teachers and not training.checkpoint:
        add_teacher_targets(inputs, config)
    trainer = build_trainer(config, inputs, processor, model=model, publisher=publisher)
    seconds = 0.0 if training.checkpoint else fit(trainer, config)
    if training.half_precision_weights:
        model.half().float()
    if not training.checkpoint and trainer.is_world_process_zero():
        save_model(model, processor, training)  # before anything is scored: whatever breaks there, the model is saved
    return TrainedRun(config, inputs, trainer, publisher, code, description, seconds)


def fit(trainer: PairTrainer, config: RunConfig) -> float:
    """Fits the model, from its last checkpoint if the settings say so; returns the seconds that it took."""
    started = time.perf_counter()
    warn_of_idle_cores()
    if config.training.overwrite_output_dir and trainer.is_world_process_zero():
        clear_output(config.training)
    trainer.train(resume_from_checkpoint=find_checkpoint(config.training))
    return time.perf_counter() - started


def evaluate(run: TrainedRun) -> RunScores:
    """Scores validation, after fitting the temperatures of a trained model on it, and then test."""
    training, metrics, predictions = run.config.training, {}, {}
    try:
        for split in ("validation", "test") if training.read_test else ("validation",):
            metrics[split], predictions[split] = evaluate_split(run, split)
    except Exception as error:
        if training.checkpoint:
            raise
        result = f" --complete_result {result_path(training)}" if metrics else ""
        error.add_note(
            f"The trained model is saved in {final_folder(training)}. To score it, run the same settings with "
            f"--checkpoint {final_folder(training)}{result}."
        )
        return RunScores(metrics, predictions, error)
    return RunScores(metrics, predictions)


def evaluate_split(run: TrainedRun, split: str) -> tuple[dict, SplitPredictions]:
    """Scores a split; of validation the temperatures of a trained model are fitted first."""
    inputs, model_config = run.inputs, run.model.config
    rows, label_names = inputs.splits[split], inputs.label_names
    logits, further = predict_split(run.trainer, rows, label_names, split), predict_further(run.trainer, inputs, split)
    if split == "validation" and not run.config.training.checkpoint:
        model_config.temperatures = fit_style_temperatures(logits, rows, further, inputs, model_config)
    style = inputs.sources[0].style if inputs.sources else None
    metrics, predictions = score_split(logits, rows, label_names, model_config, style)
    if further is not None:
        metrics["corpora"] = score_corpora(further, inputs.further[split], inputs.sources)
    if mention_corpora := read_mention_corpora(run.config):
        processor = run.trainer.processing_class
        metrics["mention_corpora"] = score_mention_corpora(mention_corpora, inputs, run.model, processor, split)
    return metrics, predictions


def write(run: TrainedRun, scores: RunScores) -> dict:
    """Writes result and predictions, in the first process, and pushes them; returns the content of the result file.

    Raises:
        Exception: What stopped the evaluation, once all that was scored is written.
    """
    inputs, result = run.inputs, build_result(run, scores)
    if scores.metrics and run.trainer.is_world_process_zero():
        predictions = RunPredictions(
            inputs.label_names, result["data"], weights_checksum(run.model), scores.predictions, inputs.no_relation
        )
        save_run(result, predictions, run.model, run.config, None if scores.failure else run.publisher)
    if scores.failure is not None:
        raise scores.failure
    return result


def build_result(run: TrainedRun, scores: RunScores) -> dict:
    """Builds the content of the result file."""
    state = run.trainer.state
    return {
        "command": command_of(run.config),
        **run.description,
        "config": describe_settings(run.config, run.model.config),
        "seed": run.config.training.seed,
        **run.code,
        "versions": versions(),
        "parameters": sum(parameter.numel() for parameter in run.model.parameters()),
        "wall_time_seconds": round(run.seconds, 1),
        "best_step": state.best_global_step,
        "history": [entry for entry in state.log_history if "eval_f1" in entry],
        "metrics": scores.metrics,
    }


if __name__ == "__main__":
    with usage_errors("train/run.py"):
        main(sys.argv[1:])
