"""Trains the bundled object detector, scores it, and writes it, its result file and its card.

    accelerate launch train/detector/run.py train/configs/detector.yaml --data_dir path/to/detection
    python -m train.detector.run ...                                     # one process
    ... --stop_after_minutes 9                                       # in parts: the same command resumes
    ... --epochs 100 --batch_size 64 --workers 14                    # any setting can be overridden
    accelerate launch train/detector/run.py train/configs/detector_longer.yaml  # goes on from the weights of the first

The same command resumes a run that was killed. Where `output_dir` holds `finished.json` and `best/`, which may come
from another machine, it only scores and exports. Test and held-out faces are read at the very end, all choices made.
"""

import json
import shlex
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path

import torch
from torch import nn
from transformers import set_seed

ROOT = Path(__file__).resolve().parents[2]
sys.path[0] = str(ROOT)  # a script's own folder stands here; `train` is imported from the one above

from train.cpu_threads import warn_of_idle_cores  # noqa: E402
from train.detector.arguments import DetectorArguments, parse_detector_arguments  # noqa: E402
from train.detector.augmentation import DetectionAugmentation  # noqa: E402
from train.detector.data import (  # noqa: E402
    DetectionSplit,
    checksums,
    choose_classes,
    count_boxes,
    find_files,
    hold_out_faces,
    read_split,
)
from train.detector.export import BEST, FINISHED, export, score_network, summary  # noqa: E402
from train.detector.training import DetectorTraining  # noqa: E402
from train.outputs import lock_output  # noqa: E402
from train.settings_parser import SettingsError, usage_errors  # noqa: E402
from vmhan.bundled_detector import load_network, save_detector  # noqa: E402
from vmhan.detector_network import DetectorNetwork, DetectorSettings  # noqa: E402
from vmhan.evaluation.result_file import code_version, versions, write_result  # noqa: E402

LIBRARIES = ("torch", "torchvision", "accelerate", "transformers", "pycocotools")


def train(arguments: DetectorArguments, validation: DetectionSplit, command: str) -> None:
    """Trains to the end, which leaves `best/` and `finished.json` in the output folder, or until time is up."""
    code = code_version()  # now: the files may change while it runs
    set_seed(arguments.training.seed)
    split = read_split(arguments.data.data_dir, "train", arguments.data.limit)
    classes = choose_classes(split.rows, arguments.data.least_boxes)
    settings = DetectorSettings(classes=classes, **asdict(arguments.model))
    folder = Path(arguments.training.output_dir)

    def evaluate(network: nn.Module) -> dict[str, float]:
        return summary(score_network(network, settings, validation))

    def save_best(network: nn.Module) -> None:
        save_detector(folder / BEST, network, settings)

    views = DetectionAugmentation(split, classes, arguments.data.least_teacher_score)
    warn_of_idle_cores()
    run = DetectorTraining(
        arguments, first_network(settings, arguments.training.start_from), views, evaluate, save_best
    )
    if run.fit() and run.accelerator.is_main_process:
        finished = describe(run, arguments, split, classes)
        write_result(folder / FINISHED, {"command": command, **code, **finished})
    run.accelerator.wait_for_everyone()


def first_network(settings: DetectorSettings, start_from: str | None) -> DetectorNetwork:
    """Builds a network with random weights, or loads those that a finished training left.

    Raises:
        ValueError: These belong to another network, or find other classes.
    """
    if start_from is None:
        return DetectorNetwork(settings)
    network, found = load_network(Path(start_from) / BEST)
    for name in ("classes", "stem_width", "widths", "depths", "neck_width", "tower_depth"):
        if getattr(found, name) != getattr(settings, name):
            raise ValueError(
                f"The training in {start_from!r} has {name} {getattr(found, name)}, not {getattr(settings, name)}; "
                "its weights do not fit."
            )
    return network


def describe(
    run: DetectorTraining, arguments: DetectorArguments, split: DetectionSplit, classes: Sequence[str]
) -> dict:
    """Describes a training for the result file."""
    start = arguments.training.start_from
    return {
        "started_from": json.loads((Path(start) / FINISHED).read_text(encoding="utf-8")) if start else None,
        "config": {name: vars(section) for name, section in vars(arguments).items()},
        "data": checksums(arguments.data.data_dir),
        "seed": arguments.training.seed,
        "versions": versions(LIBRARIES),
        "device": run.device_name,
        "processes": run.accelerator.num_processes,
        "train_images": len(split),
        "train_boxes": count_boxes(split.rows, classes),
        "parameters": sum(parameter.numel() for parameter in run.network.parameters()),
        "wall_time_seconds": round(run.progress.seconds, 1),
        "history": run.progress.history,
    }


def main(argv: list[str]) -> dict | None:
    """Trains, scores and exports; returns the content of the result file, or `None` where training goes on later."""
    from accelerate import PartialState  # here: above, it would come before the check that it is installed

    arguments = parse_detector_arguments(argv)
    try:
        find_files(arguments.data.data_dir)
    except FileNotFoundError as error:
        raise SettingsError(str(error)) from error
    process = PartialState(cpu=not torch.cuda.is_available())  # says so, or several CPU processes would not meet
    command = shlex.join(["accelerate", "launch", "train/detector/run.py", *argv])
    data = arguments.data
    finished = Path(arguments.training.output_dir) / FINISHED
    validation, held_out = hold_out_faces(read_split(data.data_dir, "validation", data.limit))
    if not finished.is_file():
        with lock_output(arguments.training.output_dir) if process.is_main_process else nullcontext():
            train(arguments, validation, command)
    if not finished.is_file() or not process.is_main_process:
        return None
    return export(arguments, command, validation, held_out)


if __name__ == "__main__":
    with usage_errors("train/detector/run.py"):
        main(sys.argv[1:])
