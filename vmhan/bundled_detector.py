"""Inference of the bundled object detector, from a folder with weights and settings.

The folder holds `model.safetensors` and `config.json` (`DetectorSettings`), and is written by `train/detector/run.py`.
"""

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, replace
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import torch
from PIL import Image, ImageOps
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval
from torchvision.ops import batched_nms
from torchvision.ops.boxes import clip_boxes_to_image
from torchvision.transforms.v2.functional import horizontal_flip_bounding_boxes, pil_to_tensor
from torchvision.tv_tensors import BoundingBoxFormat

from .detector_network import MEAN_COLOR, DensePrediction, DetectorNetwork, DetectorSettings
from .image_inputs import load_image_input
from .object_detection import DetectedObject

CONFIG_FILE = "config.json"
WEIGHTS_FILE = "model.safetensors"
_BATCH = 16  # images that pass the network together
_CANDIDATES = 1000  # boxes of one pass that compete, by falling score; far more than there are objects


class _Candidates(NamedTuple):
    """Candidate objects of an image: `scores`, `labels` `(candidates)` and `boxes` `(candidates, 4)` in pixels."""

    scores: Tensor
    labels: Tensor
    boxes: Tensor


class BundledDetector:
    """Detects objects with the weights of a folder; an `ObjectDetector`.

    Args:
        folder: Folder of `model.safetensors` and `config.json`.
        device: Device to compute on; by default the CPU.
        threshold: Least score of an object; by default that of the folder's settings.

    Raises:
        FileNotFoundError: A file is missing.
        ValueError: A setting is unknown or out of range, the weights are damaged, or the two do not match.
    """

    def __init__(self, folder: str | Path, device: str | torch.device | None = None, threshold: float | None = None):
        network, settings = load_network(folder)
        self.settings = settings if threshold is None else replace(settings, score_threshold=threshold)
        network = fuse_normalization(network.eval()).to(torch.device(device or "cpu"))
        self.network = network.to(memory_format=torch.channels_last)

    def detect(self, images: Sequence[Image.Image]) -> list[list[DetectedObject]]:
        """Detects the objects of each image, by falling score, boxes in pixels of the upright image.

        Args:
            images: Images, as `load_image_input` takes them.
        """
        return detect_objects(self.network, self.settings, [load_image_input(image) for image in images])


def load_network(folder: str | Path) -> tuple[DetectorNetwork, DetectorSettings]:
    """Loads network and settings from a folder that `save_detector` wrote; errors as of `BundledDetector`."""
    settings = read_settings(folder)
    network = DetectorNetwork(settings)
    _load_weights(network, Path(folder) / WEIGHTS_FILE)
    return network, settings


def read_settings(folder: str | Path) -> DetectorSettings:
    """Reads the settings in `config.json` of `folder`."""
    path = Path(folder) / CONFIG_FILE
    if not path.is_file():
        raise FileNotFoundError(f"{str(path)!r} does not exist; a detector is a folder with it and {WEIGHTS_FILE}.")
    try:
        return DetectorSettings(**json.loads(path.read_text(encoding="utf-8")))
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path} does not describe a detector: {error}") from error


def save_detector(folder: str | Path, network: DetectorNetwork, settings: DetectorSettings) -> None:
    """Writes a detector that `BundledDetector` loads, its weights in 16 bits.

    Raises:
        ValueError: A weight does not fit in 16 bits.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    weights = {
        name: (tensor.half() if tensor.is_floating_point() else tensor).contiguous().cpu()
        for name, tensor in network.state_dict().items()
    }
    for name, tensor in weights.items():
        if not tensor.isfinite().all():
            raise ValueError(f"{name} holds numbers that 16 bits cannot; the training went astray.")
    save_file(weights, folder / WEIGHTS_FILE)
    write_settings(folder, settings)


def write_settings(folder: str | Path, settings: DetectorSettings) -> None:
    """Writes the settings of a detector beside its weights."""
    (Path(folder) / CONFIG_FILE).write_text(json.dumps(asdict(settings), indent=2) + "\n", encoding="utf-8")


@torch.inference_mode()
def detect_objects(
    network: nn.Module, settings: DetectorSettings, images: Sequence[Image.Image]
) -> list[list[DetectedObject]]:
    """Detects the objects of each image with a network in evaluation mode; see `BundledDetector.detect`."""
    passes = [
        _find_candidates(network, settings, images, size, mirrored=bool(number % 2))
        for number, size in enumerate(settings.input_sizes)
    ]
    return [_select(of_image, settings) for of_image in zip(*passes, strict=True)]


def fuse_normalization(network: nn.Module) -> nn.Module:
    """Folds each batch normalization of a network in evaluation mode into the convolution before it, in place."""
    for module in network.modules():
        children = list(module.named_children())
        for (name, layer), (next_name, following) in pairwise(children):
            if isinstance(layer, nn.Conv2d) and isinstance(following, nn.BatchNorm2d):
                setattr(module, name, fuse_conv_bn_eval(layer, following))
                setattr(module, next_name, nn.Identity())
    return network


def _load_weights(network: DetectorNetwork, path: Path) -> None:
    if not path.is_file():
        raise FileNotFoundError(f"{str(path)!r} does not exist; a detector is a folder with it and {CONFIG_FILE}.")
    try:
        network.load_state_dict(load_file(path))
    except SafetensorError as error:
        raise ValueError(f"{path} is damaged, or a Git LFS pointer to what was not fetched: {error}.") from error
    except RuntimeError as error:
        raise ValueError(f"{path} holds other weights than the {CONFIG_FILE} beside it describes: {error}") from error


def _resized(size: tuple[int, int], longest: int) -> tuple[int, int]:
    """Computes width and height with the longer side `longest`, in the same proportion."""
    scale = longest / max(size)
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _padded_size(size: tuple[int, int]) -> tuple[int, int]:
    """Rounds width and height up to multiples of 32."""
    return -(-size[0] // 32) * 32, -(-size[1] // 32) * 32


def _to_pixels(image: Image.Image, longest: int, mirrored: bool) -> Tensor:
    """Converts an image to `(3, height, width)`, padded below and to the right with the mean color."""
    size = _resized(image.size, longest)
    canvas = Image.new("RGB", _padded_size(size), MEAN_COLOR)
    resized = image.convert("RGB").resize(size, Image.Resampling.BILINEAR, reducing_gap=3.0)
    canvas.paste(ImageOps.mirror(resized) if mirrored else resized)
    return pil_to_tensor(canvas)


def _find_candidates(
    network: nn.Module, settings: DetectorSettings, images: Sequence[Image.Image], longest: int, mirrored: bool
) -> list[_Candidates]:
    """Finds candidates in each image, resized to a longer side of `longest` pixels."""
    device = next(network.parameters()).device
    # only images of one padded size share a batch, so that no image changes another's objects
    by_shape: dict[tuple[int, int], list[int]] = defaultdict(list)
    for number, image in enumerate(images):
        by_shape[_padded_size(_resized(image.size, longest))].append(number)
    found = {}
    for numbers in by_shape.values():
        for start in range(0, len(numbers), _BATCH):
            batch = numbers[start : start + _BATCH]
            pixels = torch.stack([_to_pixels(images[number], longest, mirrored) for number in batch])
            prediction = network(pixels.to(device))
            for row, number in enumerate(batch):
                best = _best_candidates(prediction, row, settings.score_threshold)
                boxes = _to_image_pixels(best.boxes, images[number].size, longest, mirrored)
                found[number] = best._replace(boxes=boxes)
    return [found[number] for number in range(len(images))]


def _best_candidates(prediction: DensePrediction, row: int, least_score: float) -> _Candidates:
    """Selects the points of one image with the highest scores, boxes in pixels of the input."""
    classes = prediction.class_logits.shape[-1]
    scores = prediction.class_logits[row].sigmoid().flatten()
    scores, indices = scores.topk(min(_CANDIDATES, scores.numel()))  # (candidates), into (points * classes)
    indices = indices[scores >= least_score]
    return _Candidates(scores[: len(indices)], indices % classes, prediction.boxes[row][indices // classes])


def _to_image_pixels(boxes: Tensor, size: tuple[int, int], longest: int, mirrored: bool) -> Tensor:
    """Converts boxes in pixels of the input to pixels of the image, which is `size` (width, height)."""
    width, height = _resized(size, longest)
    canvas = size[1], size[0]
    boxes = clip_boxes_to_image(boxes, (height, width)) * boxes.new_tensor([size[0] / width, size[1] / height] * 2)
    boxes = clip_boxes_to_image(boxes, canvas)
    return horizontal_flip_bounding_boxes(boxes, BoundingBoxFormat.XYXY, canvas) if mirrored else boxes


def _select(passes: Sequence[_Candidates], settings: DetectorSettings) -> list[DetectedObject]:
    """Selects the objects of one image by non-maximum suppression over the candidates of all passes."""
    scores, labels, boxes = map(torch.cat, zip(*passes, strict=True))
    kept = batched_nms(boxes, scores, labels, settings.overlap_threshold)
    kept = kept[(boxes[kept, :2] < boxes[kept, 2:]).all(dim=1)][: settings.max_detections]
    return [
        DetectedObject(settings.classes[label], score, tuple(box))
        for label, score, box in zip(labels[kept].tolist(), scores[kept].tolist(), boxes[kept].tolist(), strict=True)
    ]


__all__ = [
    "CONFIG_FILE",
    "WEIGHTS_FILE",
    "BundledDetector",
    "detect_objects",
    "fuse_normalization",
    "load_network",
    "read_settings",
    "save_detector",
    "write_settings",
]
