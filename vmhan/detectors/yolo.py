"""Object detectors of ultralytics: any YOLO, such as the paper's YOLOv3. Library and weights are AGPL-3.0."""

import os
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from transformers.utils.versions import require_version

from vmhan.image_inputs import load_image_input
from vmhan.network import is_reachable
from vmhan.object_detection import DetectedObject, DetectorUnavailable, build_objects

_REQUIREMENT = "ultralytics>=8.4.67"  # the first that refuses code in a file of weights
_RELEASES = "https://github.com"
_WITH_BOXES = ("detect", "segment", "pose")  # tasks of ultralytics whose results hold upright boxes


class UltralyticsDetector:
    """Detects objects with a YOLO of ultralytics, which is AGPL-3.0, as are its weights.

    Args:
        weights: Name (`"yolov3u"`, the paper's YOLOv3), fetched on first use, or path of a `.pt` file.
        threshold: Least score of an object.
        device: Device, such as "cuda:0"; by default ultralytics chooses.

    Raises:
        DetectorUnavailable: ultralytics is not installed, or the weights are not here and cannot be fetched.
        ValueError: The file holds no YOLO, or more than its weights.
    """

    def __init__(self, weights: str, threshold: float = 0.25, device: str | None = None):
        path = _find_yolo(weights)
        _check_weights(path)
        self.model = _import_ultralytics("").YOLO(path)
        if self.model.task not in _WITH_BOXES:
            raise ValueError(f"{weights!r} is a YOLO to {self.model.task}; take one to detect, such as yolov3u.")
        self.threshold = threshold
        self.device = device

    def detect(self, images: Sequence[Image.Image]) -> list[list[DetectedObject]]:
        """Detects the objects of each image, by falling score."""
        if not images:
            return []
        upright = [load_image_input(image) for image in images]
        results = self.model.predict(upright, conf=self.threshold, device=self.device, verbose=False)
        return [
            build_objects(
                [result.names[int(kind)] for kind in result.boxes.cls],
                result.boxes.conf.tolist(),
                result.boxes.xyxy.tolist(),
                image.size,
            )
            for result, image in zip(results, upright, strict=True)
        ]


def _import_ultralytics(part: str) -> Any:
    """Imports a module of ultralytics when it is needed: it takes seconds, and is optional."""
    try:
        require_version(_REQUIREMENT)
        return import_module(f"ultralytics{part}")
    except ImportError as error:
        why = "it is not installed" if isinstance(error, PackageNotFoundError) else error
        raise DetectorUnavailable(
            f'A YOLO needs {_REQUIREMENT} ({why}); pip install "vmhan[yolo]", or take another detector.'
        ) from error


def _find_yolo(weights: str) -> str:
    """Finds the weights of a YOLO: the file, or that of this name in PyTorch's cache, fetched if it is missing."""
    if os.path.isfile(weights):
        return weights
    if Path(weights).name != weights:  # a path; ultralytics would fetch a file of its last part
        raise DetectorUnavailable(f"The detector's weights {weights!r} do not exist; check the path.")
    path = yolo_file(weights)
    if os.path.isfile(path):
        return str(path)
    download = _import_ultralytics(".utils.downloads").attempt_download_asset
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not is_reachable(_RELEASES):
            raise ConnectionError("they do not answer")
        fetched = download(path)
    except (OSError, RuntimeError) as error:
        raise DetectorUnavailable(_not_fetched(weights, path, error)) from error
    if not os.path.isfile(fetched):  # ultralytics publishes nothing of this name
        raise DetectorUnavailable(_not_fetched(weights, path, "ultralytics publishes no such file"))
    return str(fetched)


def yolo_file(name: str) -> Path:
    """Builds the path of the weights of a YOLO in PyTorch's cache."""
    return Path(torch.hub.get_dir()) / "checkpoints" / f"{name.removesuffix('.pt')}.pt"


def _not_fetched(weights: str, path: Path, why: object) -> str:
    return (
        f"The detector {weights!r} is not at {str(path)!r} and could not be fetched from ultralytics' releases "
        f"({why}). Put the file there, give its path, or take a detector that is on this machine."
    )


def _check_weights(path: str) -> None:
    """Reads a `.pt` file, a pickle, allowing only the classes of a YOLO, so that no other code runs."""
    try:
        _import_ultralytics(".nn.tasks").torch_safe_load(path, safe_only=True)
    except DetectorUnavailable:  # an OSError too, which says nothing of the file
        raise
    except (TypeError, RuntimeError, OSError, EOFError) as error:  # however it is damaged
        raise ValueError(f"{path!r} is no weights file of a YOLO, or holds more than that: {error}") from error


__all__ = ["UltralyticsDetector", "yolo_file"]
