"""The card of the bundled detector, made from its result file.

python -m train.detector.card            # writes vmhan/weights/detector/README.md anew
"""

import argparse
import json
import shlex
from collections.abc import Callable, Iterable
from itertools import chain
from pathlib import Path

from vmhan.bundled_weights import BUNDLED_FOLDER
from vmhan.evaluation.result_file import ROOT
from vmhan.evaluation.tables import markdown_table

RESULT = ROOT / "assets" / "results" / "detector.json"
CARD = BUNDLED_FOLDER / "README.md"
_SPLITS = {"validation": "validation", "held_out_faces": "held-out faces", "test": "test"}

_CARD = """---
license: apache-2.0
library_name: vmhan
pipeline_tag: object-detection
tags:
  - object-detection
  - person-detection
  - face-detection
---

# The detector of VM-HAN

Finds {count} kinds of things in photographs: {classes}.
{parameters:.1f} million parameters in {megabytes:.1f} MB; {milliseconds:.0f} ms for an image of 640x480 on one core.
Made in this project, from noise, by `train/detector/run.py`.

```python
from PIL import Image
from vmhan.bundled_detector import BundledDetector

detector = BundledDetector("vmhan/weights/detector")  # the folder of this card
detector.detect([Image.open("path/to/photo.jpg")])  # for each image its objects: label, score, box in pixels
```

## How it was made

A residual network of plain 3x3 convolutions with a feature pyramid at strides 8, 16 and 32 (torchvision's parts)
predicts classes and a box at every point; points answer for objects by task-aligned assignment (Feng et al. 2021).
It saw {train_images:,} images {epochs} times, in {hours:.1f} hours on {devices};
seed {seeds}. The weights are a running average over the steps, in 16 bits. {looks}
Epoch and score threshold ({score_threshold}) are those best on validation; the sizes are those best on validation and
on grids of four of its images, which stand in for larger pictures, of those that take at most
{max_milliseconds:.0f} ms together. Settings: {files}; all else: `assets/results/detector.json`.

Data: photographs of Flickr8k (with boxes of Flickr30k Entities), FDDB and Animal-Pose, with boxes by people, and boxes
by two other detectors, the teachers, where people left things out: the 80 classes of COCO by a YOLOX-nano, faces by a
small SSD-style face detector. The photographs are from Flickr and the news and are for non-commercial research; none
is in this project. The licence above is that of the weights; whether weights that were trained on such photographs
suit your purpose is yours to judge.

A class is learnt if a teacher knows it and it has {least_boxes} boxes or more. A teacher's box is neither learnt nor
punished where the teacher scored it below {least_teacher_score}, where people labelled its class exhaustively, and
where it overlaps by more than half what people call something else that is learnt.

## What it reaches

{targets}

Speed is processor time on the machine that wrote this card, the image already decoded.

## What it scores

Percent, by pycocotools. A box counts as found at an overlap of half (AP50), or on average over overlaps from 50 to 95
percent. Only boxes by people are asked for. A class is judged in the images where people labelled all of it, and in
those where they labelled some of it; there a detection on a teacher's box is neither right nor wrong. Test is
images of COCO with its annotations (CC BY 4.0): all 80 classes in `coco128_lightly`, only people in `coco_val_rep`.
Held-out faces are every second FDDB image of validation. {reading}

{scores}

## What to know

- It was trained on photographs 288 pixels wide or high at most. What is a few pixels wide in such an image it mostly
  misses.
- They are everyday scenes, animals, and news pictures of the years around 2000. Drawings, screenshots, and pictures of
  other times and places were not tried.
- Teachers' mistakes are in its training data; it may call a horse a sheep.
- It finds faces; it does not say whose they are, and must not be used to.
"""


def targets_table(result: dict) -> str:
    """What was to be reached, as a Markdown table, and whether it was."""
    lines = [["measured", "value", "target", "reached"], ["---"] * 4]
    for what, split, name, target in (
        ("person, AP50 on test", "test", "person", 40),
        ("face, AP50 on held-out faces", "held_out_faces", "face", 60),
        ("dog, AP50 on test", "test", "dog", 30),
        ("cat, AP50 on test", "test", "cat", 30),
    ):
        scores = result["metrics"].get(split, {}).get("per_class", {}).get(name)
        if scores is None:
            lines.append([what, "not measured", f"{target} or more", "no"])
        else:
            lines.append(_target(what, 100 * scores["ap50"], target, "or more", float.__ge__))
    lines.append(_target("weights, MB", result["bytes"] / 1e6, 8, "at most", float.__le__))
    lines.append(_target("ms for 640x480 on one core", result["milliseconds"], 100, "at most", float.__le__))
    return markdown_table(lines)


def scores_table(result: dict) -> str:
    """AP50, AP50:95 and number of boxes of each class on each split, as a Markdown table."""
    splits = {name: shown for name, shown in _SPLITS.items() if name in result["metrics"]}
    head = ["class", "boxes in the training images: by people, by teachers"]
    head += [f"{shown} {what}" for shown in splits.values() for what in ("AP50", "AP50:95", "boxes")]
    lines = [head, ["---"] * len(head)]
    for name, boxes in result["train_boxes"].items():
        cells = [_cells(result["metrics"][split]["per_class"].get(name)) for split in splits]
        lines.append([name, f"{boxes['people']:,}, {boxes['teachers']:,}", *chain(*cells)])
    means = [[*(_percent(result["metrics"][split][key]) for key in ("ap50", "ap50_95")), ""] for split in splits]
    return markdown_table([*lines, ["mean", "", *chain(*means)]])


def trainings(result: dict) -> list[dict]:
    """The trainings that the weights went through, the first of them first."""
    earlier = result.get("started_from")
    return [*(trainings(earlier) if earlier else []), result]


def make_card(result: dict) -> str:
    """The card's text."""
    settings, config, sittings = result["settings"], result["config"], trainings(result)
    return _CARD.format(
        count=len(settings["classes"]),
        classes=", ".join(settings["classes"]),
        parameters=result["parameters"] / 1e6,
        megabytes=result["bytes"] / 1e6,
        milliseconds=result["milliseconds"],
        epochs=", then ".join(str(each["config"]["training"]["epochs"]) for each in sittings),
        files=_then(f"`{_settings_file(each)}`" for each in sittings),
        train_images=result["train_images"],
        hours=sum(each["wall_time_seconds"] for each in sittings) / 3600,
        devices=_then(each["device"] for each in sittings),
        seeds=_then(str(each["seed"]) for each in sittings),
        looks=_looks(settings["input_sizes"]),
        score_threshold=settings["score_threshold"],
        max_milliseconds=result["export"]["max_milliseconds"],
        least_boxes=config["data"]["least_boxes"],
        least_teacher_score=config["data"]["least_teacher_score"],
        targets=targets_table(result),
        scores=scores_table(result),
        reading=_reading(result),
    )


def write_card(path: Path, result: dict) -> None:
    """Writes the card beside the weights."""
    path.write_text(make_card(result), encoding="utf-8")


def _looks(sizes: list[int]) -> str:
    """At which sizes an image is looked at."""
    if len(sizes) == 1:
        return f"An image is looked at with its longer side at {sizes[0]} pixels."
    shown = ", ".join(f"{size} (mirrored)" if number % 2 else str(size) for number, size in enumerate(sizes))
    return f"An image is looked at {len(sizes)} times, its longer side at {shown} pixels; all that is found competes."


def _then(values: Iterable[str]) -> str:
    """What was so of one training after another, each thing once."""
    return " and then ".join(dict.fromkeys(values))


def _settings_file(result: dict) -> str:
    """The settings file in the command of a training."""
    return next(word for word in shlex.split(result["command"]) if word.endswith(".yaml"))


def _target(what: str, value: float, target: float, side: str, holds: Callable[[float, float], bool]) -> list[str]:
    bound = f"{target} or more" if side == "or more" else f"at most {target}"
    return [what, f"{value:.1f}", bound, "yes" if holds(float(value), float(target)) else "no"]


def _cells(scores: dict | None) -> list[str]:
    return [_percent(scores["ap50"]), _percent(scores["ap50_95"]), str(scores["boxes"])] if scores else ["", "", ""]


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"


def _reading(result: dict) -> str:
    """How test and held-out faces were read, and how few boxes some of their numbers stand on."""
    if "test" not in result["metrics"]:
        return "Neither was read for this card."
    of_class = result["metrics"]["test"]["per_class"]
    counts = [f"{scores['boxes']} {name}s" for name, scores in of_class.items() if name in ("dog", "cat")]
    rough = f" Few boxes make a rough number: test has {' and '.join(counts)}." if counts else ""
    times = len(trainings(result))
    if times == 1:
        return f"Nothing was chosen by either; both were read once, after all choices.{rough}"
    return (
        "No weights, size or threshold was chosen by either. But they may be read more than once, and what is known "
        f"of them may decide how one goes on: these weights went through {times} trainings, others may have been left "
        f"out, and the project's README says what was read when.{rough}"
    )


if __name__ == "__main__":
    argparse.ArgumentParser(prog="python -m train.detector.card", description=__doc__.splitlines()[0]).parse_args()
    write_card(CARD, json.loads(RESULT.read_text(encoding="utf-8")))
