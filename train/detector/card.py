"""The card of the bundled detector, filled in from its result file.

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
_TEMPLATE = Path(__file__).with_name("card_template.md")


def targets_table(result: dict) -> str:
    """Renders the targets and the values that were reached as a Markdown table."""
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


def class_scores_table(result: dict) -> str:
    """Renders AP50, AP50:95 and number of boxes of each class on each split as a Markdown table."""
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
    """Lists the trainings that the weights went through, the first of them first."""
    earlier = result.get("started_from")
    return [*(trainings(earlier) if earlier else []), result]


def render_card(result: dict) -> str:
    """Renders the text of the card."""
    settings, config, sittings = result["settings"], result["config"], trainings(result)
    return _TEMPLATE.read_text(encoding="utf-8").format(
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
        input_sizes=_describe_sizes(settings["input_sizes"]),
        score_threshold=settings["score_threshold"],
        max_milliseconds=result["export"]["max_milliseconds"],
        least_boxes=config["data"]["least_boxes"],
        least_teacher_score=config["data"]["least_teacher_score"],
        targets=targets_table(result),
        scores=class_scores_table(result),
        reading=_reading(result),
    )


def write_card(path: Path, result: dict) -> None:
    """Writes the card beside the weights."""
    path.write_text(render_card(result), encoding="utf-8")


def _describe_sizes(sizes: list[int]) -> str:
    """Describes the input sizes of an image."""
    if len(sizes) == 1:
        return f"Each image is run with its longer side at {sizes[0]} pixels."
    shown = ", ".join(f"{size} (mirrored)" if number % 2 else str(size) for number, size in enumerate(sizes))
    return (
        f"Each image is run at {len(sizes)} sizes, its longer side at {shown} pixels; non-maximum suppression is over "
        "the detections of all."
    )


def _then(values: Iterable[str]) -> str:
    """Joins the values of one training after another, equal ones once."""
    return " and then ".join(dict.fromkeys(values))


def _settings_file(result: dict) -> str:
    """Finds the settings file in the command of a training."""
    return next(word for word in shlex.split(result["command"]) if word.endswith(".yaml"))


def _target(what: str, value: float, target: float, side: str, holds: Callable[[float, float], bool]) -> list[str]:
    bound = f"{target} or more" if side == "or more" else f"at most {target}"
    return [what, f"{value:.1f}", bound, "yes" if holds(float(value), float(target)) else "no"]


def _cells(scores: dict | None) -> list[str]:
    return [_percent(scores["ap50"]), _percent(scores["ap50_95"]), str(scores["boxes"])] if scores else ["", "", ""]


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"


def _reading(result: dict) -> str:
    """Describes how test and held-out faces were read, and how few boxes some of their numbers rest on."""
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
        f"out, and `docs/detector.md` says how often they were read.{rough}"
    )


if __name__ == "__main__":
    argparse.ArgumentParser(prog="python -m train.detector.card", description=__doc__.splitlines()[0]).parse_args()
    write_card(CARD, json.loads(RESULT.read_text(encoding="utf-8")))
