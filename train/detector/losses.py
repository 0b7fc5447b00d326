"""The detector's loss, and which points of an image answer for which object.

Task-aligned assignment (Feng et al. 2021, "TOOD"): a point's claim on an object whose box it lies in is
`score^a * overlap^b`, of what it predicts now; the points with the highest claims answer for the object, and learn to
score as well as the best of them overlaps it. Nothing in it loops over images or objects.
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
    """What each point answers for.

    Args:
        scores: `(images, points, classes)`, what to predict, 0 to 1.
        objects: `(images, points)`, which object of the image; -1 is none.
        doubted: `(images, points, classes)`, where a score is neither right nor wrong.
    """

    scores: Tensor
    objects: Tensor
    doubted: Tensor


def detection_loss(prediction: DensePrediction, batch: DetectionBatch) -> dict[str, Tensor]:
    """Loss of a batch: `loss`, and its parts `class_loss` and `box_loss`, each per object that is to be found."""
    assigned = assign(prediction, batch)
    total = assigned.scores.sum().clamp(min=1)
    wrong = functional.binary_cross_entropy_with_logits(prediction.class_logits, assigned.scores, reduction="none")
    class_loss = wrong.masked_fill(assigned.doubted, 0).sum() / total
    answers = assigned.objects >= 0
    image, point = answers.nonzero(as_tuple=True)
    aims = batch.boxes[image, assigned.objects[image, point]]
    apart = complete_box_iou_loss(prediction.boxes[image, point], aims)
    box_loss = BOX_WEIGHT * (apart * assigned.scores[image, point].sum(dim=-1)).sum() / total
    return {"loss": class_loss + box_loss, "class_loss": class_loss.detach(), "box_loss": box_loss.detach()}


@torch.no_grad()
def assign(prediction: DensePrediction, batch: DetectionBatch) -> Assignment:
    """Says which points answer for which objects of `batch`."""
    classes = prediction.class_logits.shape[-1]
    labels = batch.labels.clamp(min=0)
    if not labels.shape[1]:
        nothing = torch.zeros_like(prediction.class_logits)
        return Assignment(nothing, nothing[..., 0].long() - 1, nothing.bool())
    inside = _inside(batch.boxes, prediction.points) & (batch.labels >= 0)[..., None]
    doubted = _of_classes(inside & ~batch.counts[..., None], labels, classes)
    inside &= batch.counts[..., None]
    claims, overlaps = _claims(prediction, batch.boxes, labels, inside)
    chosen = _strongest(claims, inside)
    overlaps = overlaps * chosen
    objects = overlaps.argmax(dim=1)  # a point answers for one object only
    chosen &= functional.one_hot(objects, chosen.shape[1]).transpose(1, 2).bool()
    claims, overlaps = claims * chosen, overlaps * chosen
    worth = claims / claims.amax(dim=2, keepdim=True).clamp(min=1e-12) * overlaps.amax(dim=2, keepdim=True)
    scores = torch.zeros_like(prediction.class_logits)
    scores.scatter_(2, labels.gather(1, objects)[..., None], worth.amax(dim=1)[..., None])
    return Assignment(scores, objects.masked_fill(~chosen.any(dim=1), -1), doubted & (scores == 0))


def _claims(prediction: DensePrediction, boxes: Tensor, labels: Tensor, inside: Tensor) -> tuple[Tensor, Tensor]:
    """`(images, objects, points)`: claims, above 0 wherever a point is inside, and overlaps."""
    points = prediction.class_logits.shape[1]
    scores = prediction.class_logits.sigmoid().transpose(1, 2)
    scores = scores.gather(1, labels[..., None].expand(-1, -1, points))
    overlaps = box_iou(boxes, prediction.boxes).nan_to_num() * inside
    return (scores**SCORE_POWER * overlaps**OVERLAP_POWER).clamp(min=1e-12) * inside, overlaps


def _strongest(claims: Tensor, inside: Tensor) -> Tensor:
    """Which points have one of the highest claims on an object."""
    places = claims.topk(min(POINTS_PER_OBJECT, claims.shape[2]), dim=2).indices
    return torch.zeros_like(inside).scatter_(2, places, True) & inside


def _inside(boxes: Tensor, points: Tensor) -> Tensor:
    """`(images, objects, points)`: which points lie in a box, or in a stride's width around a tiny one's centre."""
    centres = (boxes[..., :2] + boxes[..., 2:]) / 2
    halves = ((boxes[..., 2:] - boxes[..., :2]) / 2).clamp(min=STRIDES[0] / 2)
    return ((points - centres[..., None, :]).abs() <= halves[..., None, :]).all(dim=-1)


def _of_classes(per_object: Tensor, labels: Tensor, classes: int) -> Tensor:
    """`(images, points, classes)`: whether any object of a class is marked at a point."""
    one_hot = functional.one_hot(labels, classes).float()
    return torch.einsum("iop,ioc->ipc", per_object.float(), one_hot) > 0
