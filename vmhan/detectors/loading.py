"""Loading of detectors by name: the bundled one, any YOLO of ultralytics, any object detector of `transformers`.

Example:
    >>> detector = load_detector("bundled")                     # needs no network
    >>> detector = load_detector("yolov3u")                     # the paper's YOLOv3, fetched on first use
    >>> detector = load_detector("PekingU/rtdetr_v2_r18vd")     # Apache-2.0, from the Hub
"""

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from huggingface_hub import try_to_load_from_cache
from huggingface_hub.utils import httpx

from vmhan.bundled_detector import CONFIG_FILE, BundledDetector
from vmhan.bundled_weights import BUNDLED, has_bundled_detector, load_bundled_detector
from vmhan.detectors.huggingface import TransformersDetector
from vmhan.detectors.yolo import UltralyticsDetector, yolo_file
from vmhan.object_detection import NO_DETECTOR, DetectorUnavailable, ObjectDetector

_YOLO_NAME = re.compile(r"(yolo|rtdetr-)[\w.-]*", re.IGNORECASE)


def load_detector(name: "str | os.PathLike", threshold: float | None = None) -> ObjectDetector:
    """Loads a detector by name.

    Args:
        name: `"bundled"`; the name of a YOLO of ultralytics (`"yolov3u"` is the paper's), or a `.pt` file of its
            weights; or a Hub id of a `transformers` object detector, or a folder of one or of a `BundledDetector`.
        threshold: Least score of an object, 0 to 1; by default the detector's own.

    Raises:
        DetectorUnavailable: Its weights or its library are unavailable, for lack of a network, of a package, or of the
            right to read or write their folders.
        ValueError: There is no detector of this name, or its weights are damaged.
    """
    name = os.fspath(name)
    settings = {} if threshold is None else {"threshold": threshold}
    load = _find_loader(name)
    try:
        return load(name, **settings)
    except DetectorUnavailable:
        raise
    except (OSError, ImportError, httpx.HTTPError) as error:
        raise DetectorUnavailable(
            f"The detector {name!r} is unavailable ({type(error).__name__}: {error}). Check its name, the network and "
            "the rights of its folders, or take a detector that is on this machine."
        ) from error


def _find_loader(name: str) -> Callable[..., ObjectDetector]:
    if name == BUNDLED:
        return _load_bundled
    if os.path.isdir(name):
        return TransformersDetector if _belongs_to_transformers(Path(name)) else BundledDetector
    if needs_ultralytics(name):
        return UltralyticsDetector
    if "/" in name:
        return TransformersDetector
    raise ValueError(
        f'There is no detector {name!r}; take "bundled", a YOLO such as "yolov3u", a file of its weights, a Hub id '
        'such as "PekingU/rtdetr_v2_r18vd", or a folder.'
    )


def needs_ultralytics(name: "str | os.PathLike") -> bool:
    """Returns whether a detector is a YOLO of ultralytics, by its name or the file of its weights."""
    name = os.fspath(name)
    return not os.path.isdir(name) and (name.endswith(".pt") or _YOLO_NAME.fullmatch(name) is not None)


def has_weights(name: "str | os.PathLike") -> bool:
    """Returns whether the weights of a detector are on this machine, so that it loads without a network."""
    name = os.fspath(name)
    if name == BUNDLED:
        return has_bundled_detector()
    if os.path.exists(name):
        return True
    if _YOLO_NAME.fullmatch(name):
        return os.path.isfile(yolo_file(name))
    try:
        return isinstance(try_to_load_from_cache(name, CONFIG_FILE), str)
    except ValueError:  # no valid Hub id
        return False


def _belongs_to_transformers(folder: Path) -> bool:
    """Returns whether `transformers` loads a folder; its error names best what a folder without a config lacks."""
    config = folder / CONFIG_FILE
    return not config.is_file() or "model_type" in json.loads(config.read_text(encoding="utf-8"))


def _load_bundled(name: str, **settings: Any) -> ObjectDetector:
    return load_bundled_detector(**settings)


__all__ = [
    "BUNDLED",
    "NO_DETECTOR",
    "TransformersDetector",
    "UltralyticsDetector",
    "has_weights",
    "load_detector",
    "needs_ultralytics",
]
