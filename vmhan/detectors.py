"""Detectors by name: the bundled one, any YOLO of ultralytics, and any object detector of `transformers`.

Example:
    >>> detector = load_detector("bundled")                     # ours, which needs no network
    >>> detector = load_detector("yolov3u")                     # the paper's YOLOv3, fetched on first use
    >>> detector = load_detector("PekingU/rtdetr_v2_r18vd")     # a permissive one from the Hub
"""

import json
import os
import re
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path

import torch
from huggingface_hub import try_to_load_from_cache
from huggingface_hub.utils import httpx
from PIL import Image
from transformers import AutoImageProcessor, AutoModelForObjectDetection
from transformers.utils import cached_file

from .bundled_detector import CONFIG_FILE, WEIGHTS_FILE, BundledDetector
from .detection import DetectedObject, DetectorUnavailable, ObjectDetector, tidy_objects
from .image_inputs import load_image_input
from .network import answers, hub_settings

BUNDLED = "bundled"
NO_DETECTOR = "none"  # the name that stands for looking with nothing, wherever a detector is optional
BUNDLED_FOLDER = Path(__file__).resolve().parents[1] / "assets" / "detector"
FOLDER_BESIDE_MODEL = "detector"  # where a model that was pushed to the Hub holds the bundled detector
_YOLO_NAME = re.compile(r"(yolo|rtdetr-)[\w.-]*", re.IGNORECASE)
_YOLO_RELEASES = "https://github.com"
_WITH_BOXES = ("detect", "segment", "pose")  # tasks of ultralytics whose results hold upright boxes


def load_detector(name: "str | os.PathLike", threshold: float | None = None) -> ObjectDetector:
    """The detector of this name.

    Args:
        name: `"bundled"`; the name of a YOLO of ultralytics (`"yolov3u"` is the paper's), or a `.pt` file of its
            weights; or a Hub id of a `transformers` object detector, or a folder of one or of a detector like ours.
        threshold: Least score of an object, 0 to 1; by default the detector's own.

    Raises:
        DetectorUnavailable: Its weights or its library cannot be had, be it for want of a network, of a package, or of
            the right to read or write where they lie.
        ValueError: No detector is called so, or its weights are damaged.
    """
    name = os.fspath(name)
    settings = {} if threshold is None else {"threshold": threshold}
    load = _kind_of(name)
    try:
        return load(name, **settings)
    except DetectorUnavailable:
        raise
    except (OSError, ImportError, httpx.HTTPError) as error:
        raise DetectorUnavailable(
            f"The detector {name!r} cannot be had ({type(error).__name__}: {error}). Check its name, the network and "
            "the rights of the folders it is kept in, or take a detector that is here."
        ) from error


def _kind_of(name: str) -> Callable[..., ObjectDetector]:
    if name == BUNDLED:
        return _load_bundled
    if os.path.isdir(name):
        return TransformersDetector if _is_of_transformers(Path(name)) else BundledDetector
    if name.endswith(".pt") or _YOLO_NAME.fullmatch(name):
        return UltralyticsDetector
    if "/" in name:
        return TransformersDetector
    raise ValueError(
        f'There is no detector {name!r}; take "bundled", a YOLO such as "yolov3u", a file of its weights, a Hub id '
        'such as "PekingU/rtdetr_v2_r18vd", or a folder.'
    )


def has_weights(name: "str | os.PathLike") -> bool:
    """Whether the weights of the detector `name` are on this machine, so that it loads without a network."""
    name = os.fspath(name)
    if name == BUNDLED:
        return all((BUNDLED_FOLDER / file).is_file() for file in (CONFIG_FILE, WEIGHTS_FILE))
    if os.path.exists(name):
        return True
    if _YOLO_NAME.fullmatch(name):
        return os.path.isfile(_yolo_file(name))
    try:
        return isinstance(try_to_load_from_cache(name, CONFIG_FILE), str)
    except ValueError:  # no name that the Hub could have
        return False


def bundled_detector_of(model: str, revision: str | None = None) -> str:
    """Name of the bundled detector: `"bundled"` where the package has it, else a folder of the model's repository.

    Args:
        model: Hub id or folder.
        revision: Commit of the repository. With it nobody is asked for what the Hub's cache has.
    """
    if has_weights(BUNDLED) or not model:
        return BUNDLED
    names = [f"{FOLDER_BESIDE_MODEL}/{name}" for name in (CONFIG_FILE, WEIGHTS_FILE)]
    known = revision and all(isinstance(try_to_load_from_cache(model, name, revision=revision), str) for name in names)
    settings = {"local_files_only": True} if known else hub_settings(model)
    try:
        files = [cached_file(model, name, revision=revision, **settings) for name in names]
    except OSError:  # neither here nor there; who loads "bundled" is told so
        return BUNDLED
    return str(Path(files[0]).parent)


def _is_of_transformers(folder: Path) -> bool:
    """Whether `transformers` is to load the folder; it says best what a folder without a config lacks."""
    config = folder / CONFIG_FILE
    return not config.is_file() or "model_type" in json.loads(config.read_text(encoding="utf-8"))


def _load_bundled(name: str, **settings) -> ObjectDetector:
    try:
        return BundledDetector(BUNDLED_FOLDER, **settings)
    except (FileNotFoundError, ValueError) as error:
        raise DetectorUnavailable(
            f"The detector {name!r} cannot be had: {error} Install from a clone of the repository, or take another."
        ) from error


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
    path = _yolo_file(weights)
    if os.path.isfile(path):
        return str(path)
    download = _ultralytics(".utils.downloads").attempt_download_asset
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not answers(_YOLO_RELEASES):
            raise ConnectionError("they do not answer")
        fetched = download(path)
    except (OSError, RuntimeError) as error:
        raise DetectorUnavailable(_not_fetched(weights, path, error)) from error
    if not os.path.isfile(fetched):  # ultralytics publishes nothing of this name
        raise DetectorUnavailable(_not_fetched(weights, path, "ultralytics publishes no such file"))
    return str(fetched)


def _yolo_file(name: str) -> Path:
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


class TransformersDetector:
    """Any model of `AutoModelForObjectDetection`: RT-DETR and D-FINE are fast, and Apache-2.0.

    Args:
        name_or_path: Hub id or folder.
        threshold: Least score of an object.
        device: Such as "cuda:0".

    Raises:
        DetectorUnavailable: The model is neither here nor to be fetched.
        ValueError: The model is no object detector.
    """

    def __init__(self, name_or_path: str, threshold: float = 0.3, device: str | torch.device = "cpu"):
        try:
            settings = hub_settings(name_or_path)
            self.processor = AutoImageProcessor.from_pretrained(name_or_path, **settings)
            self.model = AutoModelForObjectDetection.from_pretrained(name_or_path, **settings).eval().to(device)
        except OSError as error:
            raise DetectorUnavailable(
                f"The detector {name_or_path!r} is neither a folder here nor to be had from the Hub ({error}). "
                "Check the name and the network, or take a detector that is here."
            ) from error
        self.threshold = threshold

    @torch.inference_mode()
    def detect(self, images: Sequence[Image.Image]) -> list[list[DetectedObject]]:
        """The objects of each image, the surest first."""
        if not images:
            return []
        images = [load_image_input(image) for image in images]
        inputs = self.processor(images=images, return_tensors="pt").to(self.model.device, self.model.dtype)
        sizes = [(image.height, image.width) for image in images]
        results = self.processor.post_process_object_detection(
            self.model(**inputs), threshold=self.threshold, target_sizes=sizes
        )
        names = self.model.config.id2label
        return [
            tidy_objects(
                [names[int(kind)] for kind in result["labels"]],
                result["scores"].tolist(),
                result["boxes"].tolist(),
                image.size,
            )
            for result, image in zip(results, images, strict=True)
        ]


__all__ = [
    "BUNDLED",
    "TransformersDetector",
    "UltralyticsDetector",
    "bundled_detector_of",
    "has_weights",
    "load_detector",
]
