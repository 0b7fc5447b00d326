"""Which points answer for which objects, and the loss."""

import torch

from train.detector.augmentation import DetectionBatch
from train.detector.losses import POINTS_PER_OBJECT, assign, detection_loss
from vmhan.detector_network import DensePrediction, DetectorNetwork, DetectorSettings

SIZE = 64


def grid():
    """Points of a 64x64 image at stride 8."""
    y, x = torch.meshgrid(torch.arange(8), torch.arange(8), indexing="ij")
    return (torch.stack([x, y], dim=-1).flatten(0, 1) + 0.5) * 8


def guess(images=1, classes=2, half=12.0):
    """A prediction of boxes of one size around every point, no class surer than the other."""
    points = grid()
    boxes = torch.cat([points - half, points + half], dim=-1).expand(images, -1, -1).clone()
    return DensePrediction(torch.full((images, len(points), classes), -2.0), boxes, points)


def batch(*images):
    """A batch of lists of (box, label, counts)."""
    longest = max(map(len, images))
    padded = [[*objects, *[((0, 0, 0, 0), -1, False)] * (longest - len(objects))] for objects in images]
    boxes = torch.tensor([[box for box, _, _ in objects] for objects in padded], dtype=torch.float32)
    labels = torch.tensor([[label for _, label, _ in objects] for objects in padded], dtype=torch.long)
    counts = torch.tensor([[counts for _, _, counts in objects] for objects in padded])
    pixels = torch.zeros(len(images), 3, SIZE, SIZE)
    return DetectionBatch(pixels, boxes.view(len(images), longest, 4), labels, counts)


def test_points_inside_with_the_best_overlap_answer():
    prediction = guess()
    assigned = assign(prediction, batch([((20, 20, 44, 44), 1, True)]))
    answering = assigned.objects[0] >= 0
    points = prediction.points[answering]
    assert 0 < len(points) <= POINTS_PER_OBJECT
    assert ((points >= 20) & (points <= 44)).all()
    assert assigned.scores[0, ~answering].sum() == 0 and assigned.scores[..., 0].sum() == 0
    best = assigned.scores[0, :, 1].argmax()
    assert (prediction.points[best] - 32).abs().max() <= 4  # one of the four points around the centre


def test_score_to_learn_is_the_overlap_of_the_best_point():
    prediction = guess()
    assigned = assign(prediction, batch([((16, 16, 40, 40), 0, True)]))  # around the point (28, 28), exactly
    assert torch.isclose(assigned.scores.max(), torch.tensor(1.0))


def test_point_answers_for_the_object_that_it_overlaps_most():
    assigned = assign(guess(), batch([((16, 16, 40, 40), 0, True), ((0, 0, 64, 64), 1, True)]))
    middle = (grid() == 28).all(dim=1)
    assert assigned.objects[0, middle].item() == 0
    assert (assigned.objects == 1).any()
    assert ((assigned.scores > 0).sum(dim=-1) <= 1).all()


def test_tiny_object_between_points_still_has_one_that_answers():
    for corner in range(0, 56, 3):
        assigned = assign(guess(half=2.0), batch([((corner, corner, corner + 2, corner + 2), 0, True)]))
        assert (assigned.objects >= 0).any()


def test_padding_joins_nothing():
    objects = [((16, 16, 40, 40), 0, True)]
    alone = assign(guess(), batch(objects))
    padded = assign(guess(images=2), batch(objects, [*objects, ((40, 40, 60, 60), 1, True)]))
    assert torch.equal(alone.scores[0], padded.scores[0]) and torch.equal(alone.objects[0], padded.objects[0])


def test_doubted_object_is_neither_learned_nor_punished():
    prediction = guess()
    prediction.class_logits[..., 1] = 3.0  # sure of class 1 everywhere
    doubted = batch([((16, 16, 48, 48), 1, False)])
    assigned = assign(prediction, doubted)
    assert (assigned.objects < 0).all() and assigned.scores.sum() == 0
    inside = ((grid() > 16) & (grid() < 48)).all(dim=1)
    assert torch.equal(assigned.doubted[0, :, 1], inside) and not assigned.doubted[..., 0].any()
    assert detection_loss(prediction, doubted)["loss"] < detection_loss(prediction, batch([]))["loss"]


def test_found_object_in_a_doubted_one_is_learned():
    both = batch([((16, 16, 40, 40), 1, True), ((0, 0, 64, 64), 1, False)])
    assigned = assign(guess(), both)
    assert (assigned.objects == 0).any()
    assert not (assigned.doubted & (assigned.scores > 0)).any()


def test_batch_without_objects_teaches_that_there_is_nothing():
    prediction = guess()
    prediction.class_logits.requires_grad_()
    losses = detection_loss(prediction, batch([]))
    losses["loss"].backward()
    assert losses["box_loss"] == 0 and (prediction.class_logits.grad > 0).all()


def test_perfect_prediction_has_almost_no_loss():
    prediction = guess()
    aims = batch([((16, 16, 40, 40), 0, True)])
    perfect = prediction._replace(boxes=aims.boxes[:, :1].expand_as(prediction.boxes))
    answering = assign(perfect, aims).objects >= 0
    perfect.class_logits[:] = -20
    perfect.class_logits[..., 0][answering] = 20
    assert detection_loss(perfect, aims)["loss"] < 1e-2


def test_every_parameter_of_the_network_learns():
    torch.manual_seed(0)
    settings = DetectorSettings(classes=["a", "b"], stem_width=4, widths=[4, 8, 8, 8], depths=[1] * 4, neck_width=8)
    network = DetectorNetwork(settings)
    objects = [((2, 2, 12, 12), 0, True), ((10, 10, 40, 40), 1, True), ((1, 1, 62, 62), 0, True)]
    aims = batch(objects, objects[:1])._replace(pixels=torch.rand(2, 3, SIZE, SIZE) * 255)
    detection_loss(network(aims.pixels), aims)["loss"].backward()
    assert [name for name, p in network.named_parameters() if p.grad is None or not p.grad.isfinite().all()] == []
