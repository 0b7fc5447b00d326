"""Random views of images, and the batches that they come in."""

import pytest
import torch
from detection_fixture import write_data
from torch.utils.data import DataLoader

from train.detector.augmentation import DetectionAugmentation, DetectionBatch, SampleKey, ViewSampler, collate
from train.detector.data import read_split


@pytest.fixture(scope="module")
def views(tmp_path_factory):
    split = read_split(write_data(tmp_path_factory.mktemp("shapes")), "train")
    return DetectionAugmentation(split, ["person", "face"], least_score=0.5)


def is_inside_colour(view, box, label):
    """Whether the middle of a box has the color of its class, whatever the colors were shifted to."""
    x0, y0, x1, y1 = box.tolist()
    red, green, blue = view.image[:, int(y0 + y1) // 2, int(x0 + x1) // 2].tolist()
    return red == green == blue or (red > green if label == 0 else green > red)


@pytest.mark.parametrize("mosaic", [False, True])
def test_boxes_move_with_what_they_are_around(views, mosaic):
    seen = 0
    for seed in range(40):
        view = views[SampleKey(seed, seed % len(views), 64, mosaic)]
        assert view.image.shape == (3, 64, 64) and view.image.dtype == torch.uint8
        boxes, labels, counts = view.targets.boxes, view.targets.labels, view.targets.counts
        assert len(boxes) == len(labels) == len(counts)
        assert (boxes[:, :2] >= 0).all() and (boxes[:, 2:] <= 64).all() and (boxes[:, :2] < boxes[:, 2:]).all()
        for box, label in zip(boxes[counts], labels[counts], strict=True):
            seen += 1
            assert is_inside_colour(view, box, label)
    assert seen > 30


def test_what_a_crop_leaves_little_of_does_not_count(views):
    views_of = [views[SampleKey(seed, 3, 64, False)].targets for seed in range(60)]
    cut = [targets for targets in views_of if not targets.counts.all()]
    assert cut and any(targets.counts.any() for targets in views_of)
    for targets in cut:
        sides = (targets.boxes[:, 2:] - targets.boxes[:, :2])[~targets.counts]
        assert (sides.amin(dim=1) < 30).all()


def test_view_depends_on_its_key_alone(views):
    key = SampleKey(5, 2, 64, True)
    torch.manual_seed(1)
    first = views[key]
    before = torch.get_rng_state()
    second = views[key]
    assert torch.equal(first.image, second.image) and torch.equal(first.targets.boxes, second.targets.boxes)
    assert torch.equal(before, torch.get_rng_state())
    assert not torch.equal(first.image, views[key._replace(seed=6)].image)


def test_epoch_has_every_image_once_and_a_batch_one_size():
    sampler = ViewSampler(20, 4, [64, 96], mosaic=0.5, seed=3)
    batches = list(sampler)
    assert len(batches) == len(sampler) == 5
    assert sorted(key.index for batch in batches for key in batch) == list(range(20))
    assert all(len({key.size for key in batch}) == 1 for batch in batches)
    assert {key.size for batch in batches for key in batch} == {64, 96}
    assert {key.mosaic for batch in batches for key in batch} == {True, False}


def test_sampler_goes_on_at_a_batch_as_if_never_stopped():
    whole = ViewSampler(20, 4, [64, 96], mosaic=0.5, seed=3)
    whole.start_at(2)
    rest = ViewSampler(20, 4, [64, 96], mosaic=0.5, seed=3)
    rest.start_at(2, batch=3)
    assert list(whole)[3:] == list(rest) and len(rest) == 2
    first = ViewSampler(20, 4, [64, 96], mosaic=0.5, seed=3)
    assert list(first) != list(whole)


def test_too_few_images_for_a_batch_are_refused():
    with pytest.raises(ValueError, match="batch_size"):
        ViewSampler(3, 4, [64], mosaic=0.5, seed=3)


def test_batch_is_the_same_with_workers_and_without(views):
    def first_batch(workers):
        sampler = ViewSampler(len(views), 4, [64], mosaic=0.5, seed=3)
        return next(iter(DataLoader(views, batch_sampler=sampler, collate_fn=collate, num_workers=workers)))

    alone, together = first_batch(0), first_batch(2)
    assert isinstance(alone, DetectionBatch) and alone.pixels.shape == (4, 3, 64, 64)
    assert all(torch.equal(one, other) for one, other in zip(alone, together, strict=True))
    assert alone.labels[alone.labels < 0].numel() == (alone.boxes.sum(dim=-1) == 0).sum()
