"""The detector's loss, and the assignment of the points of an image to its objects.

Task-aligned assignment (Feng et al. 2021, "TOOD"): the alignment of a point with an object whose box it lies in is
`score^a * overlap^b`, of its current prediction; the points with the highest alignment are assigned to the object, and
learn to score as well as the best of them overlaps it. Nothing in it loops over images or objects.
"""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional
from torchvision.ops import box_iou, complete_box_iou_loss

from train.detector.augmentation import DetectionBatch
from vmhan.detector_network import STRIDES, DensePrediction

POINTS_PER_OBJECT = 10
SCORE_POWER, OVERLAP_POWER = 0.5, 6.0
BOX_WEIGHT = 5.0  # the mean of a box's loss is that much smaller than the sum of the scores'


class Assignment(NamedTuple):
    """The object that each point is assigned to.

    Args:
        scores: `(images, points, classes)`, targets, 0 to 1.
        objects: `(images, points)`, index of the object in the image; -1 is none.
        doubted: `(images, points, classes)`, where a score is neither right nor wrong.
    """

    scores: Tensor
    objects: Tensor
    doubted: Tensor


def detection_loss(prediction: DensePrediction, batch: DetectionBatch) -> dict[str, Tensor]:
    """Computes `loss` of a batch, and its parts `class_loss` and `box_loss`, each per object to detect."""
    assigned = assign(prediction, batch)
    total = assigned.scores.sum().clamp(min=1)
    wrong = functional.binary_cross_entropy_with_logits(prediction.class_logits, assigned.scores, reduction="none")
    class_loss = wrong.masked_fill(assigned.doubted, 0).sum() / total
    image, point = (assigned.objects >= 0).nonzero(as_tuple=True)
    targets = batch.boxes[image, assigned.objects[image, point]]  # (assigned points, 4)
    distances = complete_box_iou_loss(prediction.boxes[image, point], targets)
    box_loss = BOX_WEIGHT * (distances * assigned.scores[image, point].sum(dim=-1)).sum() / total
    return {"loss": class_loss + box_loss, "class_loss": class_loss.detach(), "box_loss": box_loss.detach()}


@torch.no_grad()
def assign(prediction: DensePrediction, batch: DetectionBatch) -> Assignment:
    """Assigns points to the objects of a batch."""
    classes = prediction.class_logits.shape[-1]
    labels = batch.labels.clamp(min=0)
    if not labels.shape[1]:
        nothing = torch.zeros_like(prediction.class_logits)
        return Assignment(nothing, nothing[..., 0].long() - 1, nothing.bool())
    inside = _inside(batch.boxes, prediction.points) & (batch.labels >= 0)[..., None]
    doubted = _of_classes(inside & ~batch.counts[..., None], labels, classes)
    inside &= batch.counts[..., None]
    alignment, overlaps = _alignment(prediction, batch.boxes, labels, inside)
    chosen = _most_aligned(alignment, inside)
    overlaps = overlaps * chosen
    objects = overlaps.argmax(dim=1)  # a point is assigned to one object only
    chosen &= functional.one_hot(objects, chosen.shape[1]).transpose(1, 2).bool()
    alignment, overlaps = alignment * chosen, overlaps * chosen
    relative = alignment / alignment.amax(dim=2, keepdim=True).clamp(min=1e-12)
    targets = (relative * overlaps.amax(dim=2, keepdim=True)).amax(dim=1)  # (images, points)
    scores = torch.zeros_like(prediction.class_logits)
    scores.scatter_(2, labels.gather(1, objects)[..., None], targets[..., None])
    return Assignment(scores, objects.masked_fill(~chosen.any(dim=1), -1), doubted & (scores == 0))


def _alignment(prediction: DensePrediction, boxes: Tensor, labels: Tensor, inside: Tensor) -> tuple[Tensor, Tensor]:
    """Computes `(images, objects, points)`: alignment, above 0 wherever a point is inside, and overlaps."""
    points = prediction.class_logits.shape[1]
    scores = prediction.class_logits.sigmoid().transpose(1, 2)
    scores = scores.gather(1, labels[..., None].expand(-1, -1, points))
    images = zip(boxes, prediction.boxes, strict=True)  # torchvision before 0.24 takes no batches of boxes
    overlaps = torch.stack([box_iou(*pair) for pair in images]).nan_to_num() * inside
    return (scores**SCORE_POWER * overlaps**OVERLAP_POWER).clamp(min=1e-12) * inside, overlaps


def _most_aligned(alignment: Tensor, inside: Tensor) -> Tensor:
    """Marks the points with the highest alignment with each object."""
    points = alignment.topk(min(POINTS_PER_OBJECT, alignment.shape[2]), dim=2).indices
    return torch.zeros_like(inside).scatter_(2, points, True) & inside


def _inside(boxes: Tensor, points: Tensor) -> Tensor:
    """Marks `(images, objects, points)` in a box, or in a stride's width around a tiny one's center."""
    centers = (boxes[..., :2] + boxes[..., 2:]) / 2
    halves = ((boxes[..., 2:] - boxes[..., :2]) / 2).clamp(min=STRIDES[0] / 2)
    return ((points - centers[..., None, :]).abs() <= halves[..., None, :]).all(dim=-1)


def _of_classes(per_object: Tensor, labels: Tensor, classes: int) -> Tensor:
    """Marks `(images, points, classes)` where any object of a class is marked at a point."""
    one_hot = functional.one_hot(labels, classes).float()
    return torch.einsum("iop,ioc->ipc", per_object.float(), one_hot) > 0
