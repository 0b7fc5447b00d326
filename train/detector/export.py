"""Exports the bundled detector of a finished training: chooses on validation, writes, scores, measures."""

import json
import shutil
import statistics
import time
from collections.abc import Iterable
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path

import torch
from PIL import Image
from torch import nn
from tqdm.auto import tqdm

from train.detector.arguments import DetectorArguments, parse_look
from train.detector.card import write_card
from train.detector.data import DetectionSplit, read_split
from train.detector.grids import Grids
from train.detector.metrics import LEAST_SCORE, detection_metrics
from vmhan.bundled_detector import WEIGHTS_FILE, BundledDetector, detect_objects, write_settings
from vmhan.detector_network import DetectorSettings
from vmhan.evaluation.result_file import code_version, write_result

BEST = "best"  # folder, in a training's output, of the detector that is best on validation
FINISHED = "finished.json"  # the description of a finished training
_FIRST_CLASSES = ("person", "face")  # they fill the images of this project's task
_MANY = 20  # boxes of a class from which its best threshold is reliable
_CHUNK = 64  # images decoded at a time
_RUNS = 20


def score_network(network: nn.Module, settings: DetectorSettings, split: DetectionSplit | Grids) -> dict:
    """Computes the metrics of a network in evaluation mode on a split."""
    settings, found = replace(settings, score_threshold=LEAST_SCORE), []
    for start in tqdm(range(0, len(split), _CHUNK), desc=f"detecting in {split.name}", leave=False):
        chunk = range(start, min(start + _CHUNK, len(split)))
        found += detect_objects(network, settings, [split.image(index) for index in chunk])
    return detection_metrics(split.rows, found, settings.classes)


def summary(metrics: dict) -> dict[str, float]:
    """Selects the numbers to choose by: `score` is the mean of AP50 of person, of face, and over all classes."""
    firsts = {name: metrics["per_class"][name]["ap50"] for name in _FIRST_CLASSES if name in metrics["per_class"]}
    return {"score": statistics.mean([*firsts.values(), metrics["ap50"]]), "ap50": metrics["ap50"], **firsts}


def export(arguments: DetectorArguments, command: str, validation: DetectionSplit, held_out: DetectionSplit) -> dict:
    """Chooses input sizes and threshold on validation, then writes the detector, its result file and its card.

    Args:
        arguments: The settings; those of the training itself say nothing here.
        command: The command line, which may differ from that of the training.
        validation: To choose on.
        held_out: Read, as test is, only if `read_test` is set.
    """
    training = arguments.training
    trained, target = Path(training.output_dir), Path(training.detector_dir)
    detector, model = BundledDetector(trained / BEST), arguments.model
    detector.settings = replace(
        detector.settings, overlap_threshold=model.overlap_threshold, max_detections=model.max_detections
    )
    tried = evaluate_tta(detector, training.looks, validation)
    settings = choose_settings(tried, training.max_milliseconds)
    target.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(trained / BEST / WEIGHTS_FILE, target / WEIGHTS_FILE)
    write_settings(target, settings)
    detector = BundledDetector(target)
    splits = [validation]
    if training.read_test:
        splits += [held_out, read_split(arguments.data.data_dir, "test", arguments.data.limit)]
    result = {
        **json.loads((trained / FINISHED).read_text(encoding="utf-8")),
        "export": {"command": command, **code_version(), "max_milliseconds": training.max_milliseconds},
        "settings": asdict(settings),
        "looks_tried": [numbers for _, numbers in tried],
        "bytes": (target / WEIGHTS_FILE).stat().st_size,
        "milliseconds": milliseconds(detector, _photograph(validation)),
        "metrics": {split.name: score_network(detector.network, settings, split) for split in splits},
    }
    write_result(Path(training.result_file), result)
    write_card(target / "README.md", result)
    return result


def evaluate_tta(
    detector: BundledDetector, looks: Iterable[str], validation: DetectionSplit
) -> list[tuple[DetectorSettings, dict]]:
    """Evaluates a detector at each choice of input sizes: its settings, its speed, and the numbers to choose by.

    `score` is the mean of those of the images and of grids of them, in which objects are half as large.
    """
    tried, grids = [], Grids(validation)
    for look in looks:
        detector.settings = replace(detector.settings, input_sizes=parse_look(look))
        metrics = score_network(detector.network, detector.settings, validation)
        settings = replace(detector.settings, score_threshold=choose_threshold(metrics))
        speed = milliseconds(detector, _photograph(validation))
        of_splits = {validation.name: summary(metrics)}
        of_splits[grids.name] = summary(score_network(detector.network, detector.settings, grids))
        score = statistics.mean(numbers["score"] for numbers in of_splits.values())
        tried.append((settings, {"look": look, "milliseconds": speed, "score": score, **of_splits}))
    return tried


def choose_settings(tried: list[tuple[DetectorSettings, dict]], max_milliseconds: float) -> DetectorSettings:
    """Chooses the best on validation of those that are fast enough, or else the fastest."""
    fast_enough = [each for each in tried if each[1]["milliseconds"] <= max_milliseconds]
    if not fast_enough:
        return min(tried, key=lambda each: each[1]["milliseconds"])[0]
    return max(fast_enough, key=lambda each: each[1]["score"])[0]


def choose_threshold(metrics: dict) -> float:
    """Computes the median, over the classes with many boxes, of the threshold at which F1 is highest."""
    best = [
        scores["best_threshold"]
        for scores in metrics["per_class"].values()
        if scores["boxes"] >= _MANY and scores["best_threshold"] is not None
    ]
    return round(statistics.median(best), 2) if best else DetectorSettings.score_threshold


def milliseconds(detector: BundledDetector, image: Image.Image) -> float:
    """Measures the median CPU time to find the objects of one decoded image on one core."""
    with _one_thread():
        detector.detect([image])  # the first is slower
        times = []
        for _ in range(_RUNS):
            began = time.process_time()
            detector.detect([image])
            times.append(1e3 * (time.process_time() - began))
    return round(statistics.median(times), 1)


@contextmanager
def _one_thread():
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _photograph(split: DetectionSplit) -> Image.Image:
    """Resizes an image to the size that speed is stated for."""
    return split.image(0).resize((640, 480))
