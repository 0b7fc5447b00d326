"""Average precision of a detector, by pycocotools, against the boxes that people drew.

A class is judged in the images where people labeled it exhaustively, every detection there being right or wrong, and
in those where people labeled some of it: there a detection on a teacher's box is neither. Detections in other images
are left out, for nobody knows (as LVIS does). So no teacher's box ever counts as found or missed.
"""

import contextlib
import io
from collections.abc import Sequence

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from torchvision.ops import box_convert

from train.detector.data import DetectionRow
from vmhan.object_detection import DetectedObject

LEAST_SCORE = 0.01  # detections below hardly change an average precision
_AT_HALF = 0  # the index of the overlap 0.5 among COCO's ten
_ALL_SIZES = 0


def detection_metrics(
    rows: Sequence[DetectionRow], found: Sequence[Sequence[DetectedObject]], classes: Sequence[str]
) -> dict:
    """Scores the objects that were found in the images of `rows`.

    Args:
        rows: The boxes of each image.
        found: The objects found in each image, all down to `LEAST_SCORE`.
        classes: The classes to score; one of which people boxed nothing here is left out.

    Returns:
        `ap50` and `ap50_95`, means over the classes; `per_class`, for each `ap50`, `ap50_95`, `boxes`, `images`, and
        `best_threshold`, the score at which its F1 is highest.
    """
    per_class = {name: scores for name in classes if (scores := _score_class(rows, found, name))}
    return {
        "images": len(rows),
        "ap50": _mean(per_class, "ap50"),
        "ap50_95": _mean(per_class, "ap50_95"),
        "per_class": per_class,
    }


def _score_class(
    rows: Sequence[DetectionRow], found: Sequence[Sequence[DetectedObject]], name: str
) -> dict[str, float] | None:
    judged = [index for index, row in enumerate(rows) if _is_judged(row, name)]
    truth = [box for index in judged for box in _true_boxes(rows[index], name, index)]
    boxes = sum(not box["iscrowd"] for box in truth)
    if not boxes:
        return None
    guesses = [
        {"image_id": index, "category_id": 1, "bbox": _corner_and_size(item.box), "score": item.score}
        for index in judged
        for item in found[index]
        if item.label == name
    ]
    scores = {"boxes": boxes, "images": len(judged)}
    if not guesses:
        return {"ap50": 0.0, "ap50_95": 0.0, **scores, "best_threshold": None}
    evaluation = _evaluate(judged, truth, guesses)
    ap50_95, ap50 = (max(0.0, float(value)) for value in evaluation.stats[:2])
    return {"ap50": ap50, "ap50_95": ap50_95, **scores, "best_threshold": _best_threshold(evaluation)}


def _is_judged(row: DetectionRow, name: str) -> bool:
    return row.is_complete(name) or any(
        category == name and people for category, people in zip(row.categories, row.by_people, strict=True)
    )


def _true_boxes(row: DetectionRow, name: str, image_id: int) -> list[dict]:
    """Lists people's boxes, and a teacher's as a crowd, which pycocotools neither demands nor punishes."""
    if not row.categories:
        return []
    boxes = []
    for box, category, people in zip(
        box_convert(row.boxes, "xyxy", "xywh").tolist(), row.categories, row.by_people.tolist(), strict=True
    ):
        if category == name and (people or not row.is_complete(name)):
            boxes.append({"image_id": image_id, "category_id": 1, "bbox": box, "iscrowd": int(not people)})
    return boxes


def _corner_and_size(box: tuple[float, float, float, float]) -> list[float]:
    return [box[0], box[1], box[2] - box[0], box[3] - box[1]]


def _evaluate(images: list[int], truth: list[dict], guesses: list[dict]) -> COCOeval:
    with contextlib.redirect_stdout(io.StringIO()):  # it prints each step
        coco = COCO()
        coco.dataset = {
            "info": {},
            "images": [{"id": image} for image in images],
            "categories": [{"id": 1}],
            "annotations": [
                {**box, "id": number, "area": box["bbox"][2] * box["bbox"][3]} for number, box in enumerate(truth, 1)
            ],
        }
        coco.createIndex()
        evaluation = COCOeval(coco, coco.loadRes(guesses), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return evaluation


def _best_threshold(evaluation: COCOeval) -> float:
    """Finds the score at which F1 is highest, a detection being right that overlaps by half."""
    precision = evaluation.eval["precision"][_AT_HALF, :, 0, _ALL_SIZES, -1]
    recall = evaluation.params.recThrs
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-9)
    return float(evaluation.eval["scores"][_AT_HALF, f1.argmax(), 0, _ALL_SIZES, -1])


def _mean(per_class: dict[str, dict[str, float]], name: str) -> float:
    return float(np.mean([scores[name] for scores in per_class.values()])) if per_class else 0.0
