"""Detectors of ultralytics: any YOLO, the paper's YOLOv3 among them. The library and its weights are AGPL-3.0."""

import os
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

import torch
from PIL import Image

from vmhan.image_inputs import load_image_input
from vmhan.network import answers
from vmhan.object_detection import DetectedObject, DetectorUnavailable, tidy_objects

_RELEASES = "https://github.com"
_WITH_BOXES = ("detect", "segment", "pose")  # tasks of ultralytics whose results hold upright boxes


class UltralyticsDetector:
    """A YOLO of ultralytics, which is AGPL-3.0, as are its weights.

    Args:
        weights: Name (`"yolov3u"`, the paper's YOLOv3), fetched on first use, or path of a `.pt` file.
        threshold: Least score of an object.
        device: Such as "cuda:0"; by default ultralytics chooses.

    Raises:
        DetectorUnavailable: ultralytics is not installed, or the weights are not here and cannot be fetched.
        ValueError: The file holds no YOLO, or more than its weights.
    """

    def __init__(self, weights: str, threshold: float = 0.25, device: str | None = None):
        path = _find_yolo(weights)
        _refuse_code(path)
        self.model = _ultralytics("").YOLO(path)
        if self.model.task not in _WITH_BOXES:
            raise ValueError(f"{weights!r} is a YOLO to {self.model.task}; take one to detect, such as yolov3u.")
        self.threshold = threshold
        self.device = device

    def detect(self, images: Sequence[Image.Image]) -> list[list[DetectedObject]]:
        """The objects of each image, the surest first."""
        if not images:
            return []
        images = [load_image_input(image) for image in images]
        results = self.model.predict(images, conf=self.threshold, device=self.device, verbose=False)
        return [
            tidy_objects(
                [result.names[int(kind)] for kind in result.boxes.cls],
                result.boxes.conf.tolist(),
                result.boxes.xyxy.tolist(),
                image.size,
            )
            for result, image in zip(results, images, strict=True)
        ]


def _ultralytics(part: str):
    """A module of ultralytics, imported now: it takes seconds, and who copies this file may not have it."""
    try:
        return import_module(f"ultralytics{part}")
    except ImportError as error:
        raise DetectorUnavailable(
            f"A YOLO needs ultralytics ({error}); pip install ultralytics, or take another detector."
        ) from error


def _find_yolo(weights: str) -> str:
    """Path of a YOLO's weights: the file, or that of this name in PyTorch's cache, fetched if need be."""
    if os.path.isfile(weights):
        return weights
    if Path(weights).name != weights:  # a path; ultralytics would look for its last part on the network
        raise DetectorUnavailable(f"The detector's weights {weights!r} do not exist; check the path.")
    path = yolo_file(weights)
    if os.path.isfile(path):
        return str(path)
    download = _ultralytics(".utils.downloads").attempt_download_asset
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not answers(_RELEASES):
            raise ConnectionError("they do not answer")
        fetched = download(path)
    except (OSError, RuntimeError) as error:
        raise DetectorUnavailable(_not_fetched(weights, path, error)) from error
    if not os.path.isfile(fetched):  # ultralytics publishes nothing of this name
        raise DetectorUnavailable(_not_fetched(weights, path, "ultralytics publishes no such file"))
    return str(fetched)


def yolo_file(name: str) -> Path:
    """Where PyTorch's cache has the weights of a YOLO."""
    return Path(torch.hub.get_dir()) / "checkpoints" / f"{name.removesuffix('.pt')}.pt"


def _not_fetched(weights: str, path: Path, why: object) -> str:
    return (
        f"The detector {weights!r} is not at {str(path)!r} and could not be fetched from ultralytics' releases "
        f"({why}). Put the file there, give its path, or take a detector that is here."
    )


def _refuse_code(path: str) -> None:
    """A `.pt` file is a pickle: this reads it with a list of the classes that a YOLO is made of, and runs no other."""
    try:
        _ultralytics(".nn.tasks").torch_safe_load(path, safe_only=True)
    except (TypeError, RuntimeError, OSError, EOFError) as error:  # whatever way it is damaged
        raise ValueError(f"{path!r} is no weights file of a YOLO, or holds more than that: {error}") from error


__all__ = ["UltralyticsDetector", "yolo_file"]
