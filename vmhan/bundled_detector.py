"""The project's own object detector, as it is used: a folder with weights and settings, and images to objects.

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

from .detector_network import MEAN_COLOUR, DensePrediction, DetectorNetwork, DetectorSettings
from .image_inputs import load_image_input
from .object_detection import DetectedObject

CONFIG_FILE = "config.json"
WEIGHTS_FILE = "model.safetensors"
_BATCH = 16  # images that pass the network together
_CANDIDATES = 1000  # surest boxes of a look at an image that compete; far more than there are objects


class _Candidates(NamedTuple):
    """What may be in an image: `scores` and `labels`, `(candidates)`, and `boxes`, `(candidates, 4)`, in pixels."""

    scores: Tensor
    labels: Tensor
    boxes: Tensor


class BundledDetector:
    """Finds objects with the weights of a folder; an `ObjectDetector`.

    Args:
        folder: Where `model.safetensors` and `config.json` lie.
        device: Where to compute; by default the CPU.
        threshold: Least score of an object; by default that of the folder's settings.

    Raises:
        FileNotFoundError: A file is missing.
        ValueError: A setting is unknown or out of range, the weights are damaged, or the two do not fit each other.
    """

    def __init__(self, folder: str | Path, device: str | torch.device | None = None, threshold: float | None = None):
        network, settings = load_network(folder)
        self.settings = settings if threshold is None else replace(settings, score_threshold=threshold)
        self.network = fuse_normalisation(network.eval()).to(device, memory_format=torch.channels_last)

    def detect(self, images: Sequence[Image.Image]) -> list[list[DetectedObject]]:
        """The objects of each image, the surest first, boxes in pixels of the upright image.

        Args:
            images: As `load_image_input` takes them.
        """
        return detect_objects(self.network, self.settings, [load_image_input(image) for image in images])


def load_network(folder: str | Path) -> tuple[DetectorNetwork, DetectorSettings]:
    """The network and the settings of a folder, as `save_detector` wrote them; errors as of `BundledDetector`."""
    settings = read_settings(folder)
    network = DetectorNetwork(settings)
    _load_weights(network, Path(folder) / WEIGHTS_FILE)
    return network, settings


def read_settings(folder: str | Path) -> DetectorSettings:
    """The settings in `config.json` of `folder`."""
    path = Path(folder) / CONFIG_FILE
    if not path.is_file():
        raise FileNotFoundError(f"{str(path)!r} does not exist; a detector is a folder with it and {WEIGHTS_FILE}.")
    try:
        return DetectorSettings(**json.loads(path.read_text(encoding="utf-8")))
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path} does not describe a detector: {error}") from error


def save_detector(folder: str | Path, network: DetectorNetwork, settings: DetectorSettings) -> None:
    """Writes a detector that `BundledDetector` loads, its weights in 16 bits."""
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
    """The objects of each image by a network in evaluation mode; see `BundledDetector.detect`."""
    looks = [
        _look(network, settings, images, size, mirrored=bool(number % 2))
        for number, size in enumerate(settings.input_sizes)
    ]
    return [_select(of_image, settings) for of_image in zip(*looks, strict=True)]


def fuse_normalisation(network: nn.Module) -> nn.Module:
    """Folds each batch normalisation of a network in evaluation mode into the convolution before it, in place."""
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
    """Width and height with the longer side `longest`, the shape kept."""
    scale = longest / max(size)
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _padded_size(size: tuple[int, int]) -> tuple[int, int]:
    return -(-size[0] // 32) * 32, -(-size[1] // 32) * 32


def _to_pixels(image: Image.Image, longest: int, mirrored: bool) -> Tensor:
    """`(3, height, width)`, both multiples of 32: the image at top left, below and to the right the mean colour."""
    size = _resized(image.size, longest)
    canvas = Image.new("RGB", _padded_size(size), MEAN_COLOUR)
    resized = image.convert("RGB").resize(size, Image.Resampling.BILINEAR, reducing_gap=3.0)
    canvas.paste(ImageOps.mirror(resized) if mirrored else resized)
    return pil_to_tensor(canvas)


def _look(
    network: nn.Module, settings: DetectorSettings, images: Sequence[Image.Image], longest: int, mirrored: bool
) -> list[_Candidates]:
    """What may be in each image, by one look at it with a longer side of `longest`."""
    device = next(network.parameters()).device
    # together only what needs no further padding, so that no image changes another's objects
    by_shape = defaultdict(list)
    for number, image in enumerate(images):
        by_shape[_padded_size(_resized(image.size, longest))].append(number)
    found = {}
    for numbers in by_shape.values():
        for start in range(0, len(numbers), _BATCH):
            batch = numbers[start : start + _BATCH]
            pixels = torch.stack([_to_pixels(images[number], longest, mirrored) for number in batch])
            prediction = network(pixels.to(device))
            for row, number in enumerate(batch):
                surest = _surest(prediction, row, settings.score_threshold)
                boxes = _in_image(surest.boxes, images[number].size, longest, mirrored)
                found[number] = surest._replace(boxes=boxes)
    return [found[number] for number in range(len(images))]


def _surest(prediction: DensePrediction, row: int, least_score: float) -> _Candidates:
    """The surest points of one image, boxes in pixels of the input."""
    classes = prediction.class_logits.shape[-1]
    scores = prediction.class_logits[row].sigmoid().flatten()
    scores, places = scores.topk(min(_CANDIDATES, scores.numel()))
    places = places[scores >= least_score]
    return _Candidates(scores[: len(places)], places % classes, prediction.boxes[row][places // classes])


def _in_image(boxes: Tensor, size: tuple[int, int], longest: int, mirrored: bool) -> Tensor:
    """Boxes in pixels of the input as such of the image, which is `size` (width, height)."""
    width, height = _resized(size, longest)
    boxes = clip_boxes_to_image(boxes, (height, width)) * boxes.new_tensor([size[0] / width, size[1] / height] * 2)
    boxes = clip_boxes_to_image(boxes, size[::-1])
    return horizontal_flip_bounding_boxes(boxes, BoundingBoxFormat.XYXY, size[::-1]) if mirrored else boxes


def _select(looks: Sequence[_Candidates], settings: DetectorSettings) -> list[DetectedObject]:
    """The objects of one image; the candidates of all looks at it compete."""
    scores, labels, boxes = map(torch.cat, zip(*looks, strict=True))
    kept = batched_nms(boxes, scores, labels, settings.overlap_threshold)
    kept = kept[(boxes[kept, :2] < boxes[kept, 2:]).all(dim=1)][: settings.max_detections]
    return [
        DetectedObject(settings.classes[label], score, tuple(box))
        for label, score, box in zip(labels[kept].tolist(), scores[kept].tolist(), boxes[kept].tolist(), strict=True)
    ]
