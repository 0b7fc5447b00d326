"""Trains VM-HAN, evaluates it and writes a result file.

    accelerate launch train/run.py train/configs/mnre/mini.yaml --data_dir path/to/mnre --text_model path/or/hub-id
    torchrun --nproc_per_node 2 train/run.py ...                     # two processes
    ... --resume_from_checkpoint last                                # go on where a killed run stopped
    ... --seed 2 --entity_markers pair --report_to tensorboard       # any setting can be overridden

The test split is read once, after training, with the checkpoint that is best on validation.
"""

import shlex
import sys
import time
from dataclasses import MISSING, fields
from pathlib import Path

import numpy as np
import torch
from datasets import Dataset
from transformers import EarlyStoppingCallback, set_seed
from transformers.trainer_utils import get_last_checkpoint

ROOT = Path(__file__).resolve().parents[1]
sys.path[0] = str(ROOT)  # a script's own folder stands here; `train` is imported from the one above

from train.arguments import check_pixels, parse_arguments  # noqa: E402
from train.batching import PairCollator, sort_by_sentence  # noqa: E402
from train.building import build_model, load_finished  # noqa: E402
from train.directions import SYMMETRIC, add_undirected  # noqa: E402
from train.distillation import add_targets  # noqa: E402
from train.inputs import add_visual_inputs, checksums, feature_folder, load_inputs  # noqa: E402
from train.metrics import choose_direction, make_compute_metrics, per_relation_metrics, relation_metrics  # noqa: E402
from train.publishing import Publisher  # noqa: E402
from train.results import code_version, versions, write_result  # noqa: E402
from train.trainer import PairTrainer  # noqa: E402
from vmhan import NO_RELATION  # noqa: E402
from vmhan.objectives import relation_loss  # noqa: E402


def evaluate(trainer, dataset, label_names, prefix):
    """Metrics over all relations, per relation, and over all where the direction has to be found too."""
    rows = add_undirected(dataset)  # all that a sentence is asked, in one pass
    rows = sort_by_sentence(rows.add_column("place", range(len(rows))))
    logits = trainer.predict(rows, metric_key_prefix=prefix).predictions[np.argsort(rows["place"])]
    given, as_annotated, turned = np.split(logits, 3)
    labels = np.array(dataset["relation"])
    symmetric = [name in SYMMETRIC for name in label_names]
    found = choose_direction(as_annotated, turned, label_names.index(NO_RELATION), symmetric)
    return {
        "rows": len(dataset),
        "loss": float(relation_loss(torch.from_numpy(given), torch.from_numpy(labels))),
        **relation_metrics(given.argmax(axis=-1), labels, label_names, NO_RELATION),
        "per_relation": per_relation_metrics(given.argmax(axis=-1), labels, label_names, NO_RELATION),
        "direction_unknown": relation_metrics(found, labels, [*label_names, "wrong direction"], NO_RELATION),
    }


def main(argv: list[str]) -> dict:
    """Runs what `argv` says and returns what the result file holds."""
    data, model_settings, training = parse_arguments(argv)
    code = code_version()  # now: the files may change while it runs
    publisher = build_publisher(training)
    check_pixels(data, model_settings, training)
    set_seed(training.seed)
    inputs = load_inputs(data, training)
    label_names = inputs.label_names
    processor, model = build_model(data, model_settings, training, label_names)
    add_visual_inputs(inputs, model, processor, data, training)
    splits = inputs.splits
    if training.teachers and not training.checkpoint:
        splits["train"] = ask_teachers(inputs, data, training)
    trainer = make_trainer(model, processor, inputs, data, training, publisher)
    started = time.perf_counter()
    if not training.checkpoint:
        trainer.train(resume_from_checkpoint=find_checkpoint(training))
    wall_time = time.perf_counter() - started
    if training.half_precision_weights:
        model.half().float()
    names = ["validation", "test"] if training.read_test else ["validation"]
    result = {
        "command": shlex.join(["accelerate", "launch", "train/run.py", *argv]),
        "protocol": "leaking" if any(inputs.leaks.values()) else "clean",
        "audit": inputs.leaks,
        "visual_setting": data.visual_setting,
        "control": data.control,
        "config": {
            "data": vars(data),
            "model": {name: getattr(model.config, name) for name in vars(model_settings)},
            "training": _training_settings(training),
        },
        "data": checksums(data),
        "pair_order": inputs.pair_order,
        "node_selection": inputs.selection_counts,
        "pictures": inputs.picture_counts,
        "seed": training.seed,
        **code,
        "versions": versions(),
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "wall_time_seconds": round(wall_time, 1),
        "best_step": trainer.state.best_global_step,
        "history": [entry for entry in trainer.state.log_history if "eval_f1" in entry],
        "metrics": {name: evaluate(trainer, splits[name], label_names, name) for name in names},
    }
    if trainer.is_world_process_zero():
        if not training.checkpoint:
            save(model, processor, training)
        path = Path(training.results_dir) / f"{training.run_name or Path(training.output_dir).name}.json"
        write_result(path, result)
        if publisher is not None:
            publisher.push_finished(Path(training.output_dir) / "final", path)
    return result


def make_trainer(model, processor, inputs, data, training, publisher=None) -> PairTrainer:
    """The trainer of a model, on the rows of a run."""
    patience = training.early_stopping_patience
    return PairTrainer(
        model=model,
        args=training,
        train_dataset=inputs.splits["train"],
        eval_dataset=inputs.splits["validation"],
        data_collator=PairCollator(
            processor, data.visual_setting, use_boxes=data.boxes is not None, features=inputs.features
        ),
        compute_metrics=make_compute_metrics(inputs.label_names, NO_RELATION),
        processing_class=processor,
        publisher=publisher,
        callbacks=[EarlyStoppingCallback(patience)] if patience else None,
    )


def ask_teachers(inputs, data, training) -> Dataset:
    """The rows to train on, with what the teachers make of them."""

    def score(teacher, rows):
        processor, model = load_finished(teacher, inputs.label_names)
        return make_trainer(model, processor, inputs, data, training).predict(rows).predictions

    folder, writes = feature_folder(data), training.process_index == 0
    return add_targets(inputs.splits["train"], training.teachers, training.teacher_weight, score, folder, writes)


def build_publisher(training) -> Publisher | None:
    """What pushes to the Hub, in the first process and if that is asked for."""
    if training.hub_token:
        raise ValueError("Set the environment variable HF_TOKEN, not hub_token: result files hold the command.")
    if not training.push_to_hub or training.checkpoint or training.process_index != 0:
        return None
    return Publisher(training.hub_model_id, bool(training.hub_private_repo), training.text_model)


def find_checkpoint(training) -> str | None:
    """Where to resume: a folder, or with "last" the newest checkpoint of the output folder, if there is one."""
    asked = training.resume_from_checkpoint
    if asked != "last":
        return asked
    return get_last_checkpoint(training.output_dir) if Path(training.output_dir).is_dir() else None


def save(model, processor, training) -> None:
    """Saves the finished model in `{output_dir}/final`. The config says float32, so 16-bit files load as that too."""
    folder = Path(training.output_dir) / "final"
    state = model.state_dict()
    if training.half_precision_weights:
        state = {name: tensor.to(torch.float16) for name, tensor in state.items()}
    model.save_pretrained(folder, state_dict=state)
    processor.save_pretrained(folder)


def _training_settings(training) -> dict:
    """What differs from the defaults."""
    defaults = {f.name: f.default_factory() if f.default is MISSING else f.default for f in fields(training) if f.init}
    return {name: value for name, value in training.to_dict().items() if value != defaults.get(name)}


if __name__ == "__main__":
    main(sys.argv[1:])
