"""Trains VM-HAN, evaluates it and writes a result file.

    accelerate launch train/run.py train/configs/mnre/mini.yaml --data_dir path/to/mnre --text_model path/or/hub-id
    torchrun --nproc_per_node 2 train/run.py ...                     # two processes
    ... --resume_from_checkpoint last                                # go on where a killed run stopped
    ... --seed 2 --entity_markers pair --report_to tensorboard       # any setting can be overridden

The test split is read once, after training, with the checkpoint that is best on validation.
"""

import logging
import shlex
import sys
import time
from dataclasses import MISSING, fields
from pathlib import Path

import datasets
import numpy as np
import torch
from transformers import EarlyStoppingCallback, set_seed
from transformers.trainer_utils import get_last_checkpoint

ROOT = Path(__file__).resolve().parents[1]
sys.path[0] = str(ROOT)  # a script's own folder stands here; `train` is imported from the one above

from train.arguments import check_pixels, parse_arguments  # noqa: E402
from train.audit import audit  # noqa: E402
from train.batching import PairCollator, sort_by_sentence  # noqa: E402
from train.controls import shuffle_images  # noqa: E402
from train.data import data_checksums, load_mnre  # noqa: E402
from train.detected_boxes import add_detected_boxes  # noqa: E402
from train.directions import SYMMETRIC, add_undirected, count_by_order  # noqa: E402
from train.hub_data import hub_checksums, load_hub_dataset  # noqa: E402
from train.metrics import choose_direction, make_compute_metrics, per_relation_metrics, relation_metrics  # noqa: E402
from train.optimization import freeze  # noqa: E402
from train.pictures import PictureReader, count_pictures, report_bad_pictures  # noqa: E402
from train.publishing import Publisher  # noqa: E402
from train.results import code_version, versions, write_result  # noqa: E402
from train.selection import candidate_objects, select_splits, selection_settings, selects  # noqa: E402
from train.side_inputs import inputs_of_run  # noqa: E402
from train.trainer import PairTrainer  # noqa: E402
from train.visual_features import PictureEncoder, add_features, add_paths  # noqa: E402
from vmhan import NO_RELATION, VMHANForRelationExtraction, VMHANProcessor  # noqa: E402
from vmhan.detectors import load_detector  # noqa: E402
from vmhan.objectives import relation_loss  # noqa: E402

logger = logging.getLogger(__name__)


def load_data(data, training):
    """The splits, in the order each is read in, how their pairs stand, and what of their inputs leaks."""
    with training.main_process_first(desc="reading the data"):
        splits = read_rows(data, training)
    if "image" in splits["train"].column_names:  # what is decoded is a matter of `add_pictures`
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
    return splits, pair_order, leaks


def read_rows(data, training):
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
        image_dir=find_images(data),
        max_objects=candidate_objects(data),
        on_error=data.on_error,
        on_missing_image=data.on_missing_image,
        report_path=find_report(data, training),
        limit=data.limit,
    )


def checksums(data) -> dict[str, str]:
    """What the numbers were made from."""
    if data.dataset:
        return hub_checksums(data.dataset)
    return data_checksums(data.data_dir, descriptions=data.descriptions, boxes=data.boxes, image_dir=find_images(data))


def find_images(data) -> str | None:
    """The folder of the pictures, if the model or a selector of nodes looks at them."""
    return data.image_dir if data.visual_setting == "pixels" or selects(data) else None


def find_report(data, training) -> Path | None:
    """Where broken lines and pictures are listed."""
    if data.on_error != "skip" or training.process_index != 0:
        return None
    Path(training.output_dir).mkdir(parents=True, exist_ok=True)
    return Path(training.output_dir) / "bad_lines.jsonl"


def find_features(data) -> Path:
    """The folder of what is computed of pictures."""
    return Path(data.feature_cache or Path(datasets.config.HF_DATASETS_CACHE) / "vmhan-features")


def add_boxes(splits, data, training, reader):
    """Rows with the boxes of the detector."""
    with training.main_process_first(desc="detecting objects"):
        detector = load_detector(data.detector)
        most, batch_size = candidate_objects(data), data.feature_batch_size
        return add_detected_boxes(splits, detector, data.detector, find_features(data), reader, most, batch_size)


def add_pictures(splits, model, processor, data, training, reader):
    """Rows that name their picture, the features of all pictures, if the vision encoder is frozen, and counts."""
    rows, features = splits, None
    if model.config.vision_config is None:
        raise ValueError(f"{training.checkpoint} has no vision encoder to look at pictures with.")
    model.vmhan.vision_model.to(training.device)
    with training.main_process_first(desc="looking at the pictures"):
        if model.config.tune_vision:
            rows = add_paths(rows, reader)
        else:
            rows, features = add_features(
                rows, PictureEncoder(model.vmhan, processor), find_features(data), reader, data.feature_batch_size
            )
    if report := find_report(data, training):
        report_bad_pictures(splits, reader, report)
    return rows, features, count_pictures(splits, reader)


def build_model(data, model_settings, training, label_names):
    """The processor and the model, around the pretrained text encoder, or those of `training.checkpoint`."""
    if training.checkpoint:
        model = VMHANForRelationExtraction.from_pretrained(training.checkpoint)
        known = [model.config.id2label[i] for i in range(model.config.num_labels)]
        if known != label_names:
            raise ValueError(f"{training.checkpoint} knows the relations {known}, the data have {label_names}.")
        return VMHANProcessor.from_pretrained(training.checkpoint), model
    if not training.text_model:
        raise ValueError("Name the text encoder, --text_model <folder or Hub id>, or a --checkpoint to evaluate.")
    settings = dict(vars(model_settings))
    names_and_boxes = data.boxes and data.visual_setting != "pixels"
    of_processor = {
        "entity_markers": settings["entity_markers"],
        "max_length": training.max_length,
        "max_objects": candidate_objects(data) * (2 if names_and_boxes else 1),
        "node_selection": selection_settings(data),
    }
    labels = dict(enumerate(label_names))
    settings |= {"id2label": labels, "label2id": {name: i for i, name in labels.items()}}
    if training.vision_model:
        encoders = training.text_model, training.vision_model
        processor = VMHANProcessor.from_text_vision_pretrained(*encoders, **of_processor)
        model = VMHANForRelationExtraction.from_text_vision_pretrained(*encoders, **settings)
    else:
        processor = VMHANProcessor.from_text_pretrained(training.text_model, **of_processor)
        model = VMHANForRelationExtraction.from_text_pretrained(training.text_model, **settings)
    model.add_tokens(processor.tokenizer, like=processor.markers)
    freeze(model, training.freeze)
    return processor, model


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
    splits, pair_order, leaks = load_data(data, training)
    label_names = splits["train"].features["relation"].names
    processor, model = build_model(data, model_settings, training, label_names)
    features = counts = selection_counts = None
    reader = PictureReader(data.on_error)
    if data.detector:
        splits = add_boxes(splits, data, training, reader)
    if selects(data):
        splits, selection_counts = select_splits(splits, data, training)
    if data.visual_setting == "pixels":
        splits, features, counts = add_pictures(splits, model, processor, data, training, reader)
    patience = training.early_stopping_patience
    trainer = PairTrainer(
        model=model,
        args=training,
        train_dataset=splits["train"],
        eval_dataset=splits["validation"],
        data_collator=PairCollator(
            processor, data.visual_setting, use_boxes=data.boxes is not None, features=features
        ),
        compute_metrics=make_compute_metrics(label_names, NO_RELATION),
        processing_class=processor,
        publisher=publisher,
        callbacks=[EarlyStoppingCallback(patience)] if patience else None,
    )
    started = time.perf_counter()
    if not training.checkpoint:
        trainer.train(resume_from_checkpoint=find_checkpoint(training))
    wall_time = time.perf_counter() - started
    if training.half_precision_weights:
        model.half().float()
    names = ["validation", "test"] if training.read_test else ["validation"]
    result = {
        "command": shlex.join(["accelerate", "launch", "train/run.py", *argv]),
        "protocol": "leaking" if any(leaks.values()) else "clean",
        "audit": leaks,
        "visual_setting": data.visual_setting,
        "control": data.control,
        "config": {
            "data": vars(data),
            "model": {name: getattr(model.config, name) for name in vars(model_settings)},
            "training": _training_settings(training),
        },
        "data": checksums(data),
        "pair_order": pair_order,
        "node_selection": selection_counts,
        "pictures": counts,
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
