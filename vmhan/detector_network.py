"""Network of the bundled object detector: small, of plain 3x3 convolutions, with neither anchors nor proposals.

A residual backbone gives maps at strides 8, 16 and 32, a feature pyramid mixes them, and at every point of every map
one tower predicts the classes and another the distances to the four sides of the object's box, as FCOS does (Tian et
al. 2019). All parts are torchvision's.

Example: an image of 320x416 pixels has 40 * 52 + 20 * 26 + 10 * 13 = 2730 points.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torchvision.models.resnet import BasicBlock
from torchvision.ops import Conv2dNormActivation, FeaturePyramidNetwork

STRIDES = (8, 16, 32)
MEAN_COLOR = (124, 116, 104)  # of ImageNet; fills the part of the canvas that an image leaves free
_LONGEST_DISTANCE = 5.0  # of the logarithm of a distance in strides: e^5 * 8 pixels is more than any input has
_PRIOR = 0.01  # initial score of a class, so that the many empty points do not drown the start of training


@dataclass(kw_only=True)
class DetectorSettings:
    """Settings of a detector in its `config.json`: everything but the weights.

    Args:
        classes: Names of the classes, in the order of the network's outputs.
        stem_width: Channels of the first convolution, at stride 2.
        widths: Channels of the backbone's stages, at strides 4, 8, 16 and 32.
        depths: Residual blocks of each stage.
        neck_width: Channels of the pyramid and of the towers.
        tower_depth: 3x3 convolutions in each tower.
        input_sizes: Sizes at which an image passes the network, one after the other: pixels of its longer side,
            multiples of 32; every second pass is mirrored.
        score_threshold: Least score of an object.
        overlap_threshold: Of two boxes of a class that overlap by more (intersection over union) the one with the
            higher score stays.
        max_detections: Most objects of an image.

    Raises:
        ValueError: A value is out of range.
    """

    classes: list[str]
    stem_width: int = 16
    widths: list[int] = field(default_factory=lambda: [32, 64, 128, 256])
    depths: list[int] = field(default_factory=lambda: [1, 2, 2, 2])
    neck_width: int = 64
    tower_depth: int = 1
    input_sizes: list[int] = field(default_factory=lambda: [384])
    score_threshold: float = 0.3
    overlap_threshold: float = 0.6
    max_detections: int = 100

    def __post_init__(self):
        if not self.classes or len(set(self.classes)) < len(self.classes):
            raise ValueError(f"classes is {self.classes}; name at least one, and none twice.")
        if len(self.widths) != 4 or len(self.depths) != 4:
            raise ValueError(
                f"widths is {self.widths} and depths {self.depths}; give four of each, one for each stage."
            )
        if min(self.stem_width, *self.widths, *self.depths, self.neck_width) < 1 or self.tower_depth < 0:
            raise ValueError("stem_width, widths, depths and neck_width must be 1 or more, tower_depth 0 or more.")
        if not self.input_sizes or any(size < 32 or size % 32 for size in self.input_sizes):
            raise ValueError(f"input_sizes is {self.input_sizes}; give one size or more, all multiples of 32.")
        if not (0 <= self.score_threshold <= 1 and 0 < self.overlap_threshold <= 1):
            raise ValueError(
                f"score_threshold is {self.score_threshold} and overlap_threshold {self.overlap_threshold}; "
                "both are between 0 and 1."
            )
        if self.max_detections < 1:
            raise ValueError(f"max_detections is {self.max_detections}; it must be 1 or more.")


class DensePrediction(NamedTuple):
    """Predictions at every point of an image, in float32.

    Args:
        class_logits: `(images, points, classes)`.
        boxes: `(images, points, 4)`, corners (x0, y0, x1, y1) in pixels of the input.
        points: `(points, 2)`, their (x, y) in pixels of the input.
    """

    class_logits: Tensor
    boxes: Tensor
    points: Tensor


class PooledContext(nn.Module):
    """Adds to each point of the coarsest map the strongest states of ever wider surroundings (SPPF)."""

    def __init__(self, width: int):
        super().__init__()
        self.pool = nn.MaxPool2d(5, stride=1, padding=2)
        self.mix = Conv2dNormActivation(4 * width, width, 1)

    def forward(self, states: Tensor) -> Tensor:
        pooled = [states]
        for _ in range(3):
            pooled.append(self.pool(pooled[-1]))
        return self.mix(torch.cat(pooled, dim=1))


class DetectorNetwork(nn.Module):
    """Predicts classes and boxes at every point of an image.

    Args:
        settings: Settings of the detector.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, settings: DetectorSettings):
        super().__init__()
        self.stem = Conv2dNormActivation(3, settings.stem_width, 3, stride=2)
        widths = [settings.stem_width, *settings.widths]
        self.stages = nn.ModuleList(map(_stage, widths, widths[1:], settings.depths))
        self.context = PooledContext(widths[-1])
        self.pyramid = FeaturePyramidNetwork(widths[-3:], settings.neck_width, norm_layer=nn.BatchNorm2d)
        self.class_towers = _towers(settings, len(settings.classes), bias=torch.tensor(_PRIOR).logit().item())
        self.box_towers = _towers(settings, 4, bias=1.0)  # a box begins about five strides wide
        # The deviation of ImageNet's colors: any would do, as would any mean, the network is trained from scratch.
        self.register_buffer("mean", torch.tensor(MEAN_COLOR, dtype=torch.float).view(3, 1, 1), persistent=False)
        self.register_buffer("deviation", torch.tensor([58.0, 57.0, 57.0]).view(3, 1, 1), persistent=False)

    def forward(self, pixels: Tensor) -> DensePrediction:
        """Predicts at every point.

        Args:
            pixels: `(images, 3, height, width)`, 0 to 255, integers or floats; both sides are multiples of 32.
        """
        states = ((pixels - self.mean) / self.deviation).contiguous(memory_format=torch.channels_last)
        states, levels = self.stem(states), {}
        for number, stage in enumerate(self.stages):
            states = levels[str(number)] = stage(states)
        levels["3"] = self.context(states)
        levels = self.pyramid({name: levels[name] for name in ("1", "2", "3")}).values()
        logits, boxes, points = [], [], []
        for level, stride, classify, regress in zip(levels, STRIDES, self.class_towers, self.box_towers, strict=True):
            logits.append(_flat(classify(level)))
            points.append(_centers(level, stride))
            distances = _flat(regress(level)).clamp(max=_LONGEST_DISTANCE).exp() * stride
            boxes.append(torch.cat([points[-1] - distances[..., :2], points[-1] + distances[..., 2:]], dim=-1))
        return DensePrediction(torch.cat(logits, dim=1), torch.cat(boxes, dim=1), torch.cat(points))


def _stage(width: int, next_width: int, depth: int) -> nn.Sequential:
    """Builds residual blocks, the first of which halves height and width."""
    # The shortcut averages, as in ResNet-D. A strided 1x1 convolution, as in ResNet, would drop three of four points,
    # and below 8 channels its gradient corrupts memory (https://github.com/uxlfoundation/oneDNN/issues/6035).
    mix = Conv2dNormActivation(width, next_width, 1, activation_layer=None)
    shortcut = nn.Sequential(nn.AvgPool2d(2), mix)
    first = BasicBlock(width, next_width, stride=2, downsample=shortcut)
    return nn.Sequential(first, *(BasicBlock(next_width, next_width) for _ in range(depth - 1)))


def _towers(settings: DetectorSettings, outputs: int, bias: float) -> nn.ModuleList:
    """Builds a tower for each stride, with this initial bias of its outputs."""
    return nn.ModuleList(_tower(settings, outputs, bias) for _ in STRIDES)


def _tower(settings: DetectorSettings, outputs: int, bias: float) -> nn.Sequential:
    width = settings.neck_width
    hidden = [Conv2dNormActivation(width, width, 3) for _ in range(settings.tower_depth)]
    output = nn.Conv2d(width, outputs, 1)
    if output.bias is not None:
        nn.init.constant_(output.bias, bias)
    return nn.Sequential(*hidden, output)


def _flat(level: Tensor) -> Tensor:
    """Flattens `(images, outputs, height, width)` to `(images, height * width, outputs)`, float32 also in autocast."""
    return level.flatten(2).transpose(1, 2).float()


def _centers(level: Tensor, stride: int) -> Tensor:
    """Computes the points of a map, `(height * width, 2)`, (x, y) in pixels of the input."""
    height, width = level.shape[-2:]
    y, x = torch.meshgrid(
        torch.arange(height, device=level.device), torch.arange(width, device=level.device), indexing="ij"
    )
    return (torch.stack([x, y], dim=-1).flatten(0, 1) + 0.5) * stride


__all__ = ["MEAN_COLOR", "STRIDES", "DensePrediction", "DetectorNetwork", "DetectorSettings"]
