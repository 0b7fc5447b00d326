"""Views of the images to train the detector on: resized, cropped, mirrored, recolored, four of them in one.

A sample is a function of its key alone, which the sampler draws from seed and epoch. So a resumed run sees what an
uninterrupted one does, whatever the number of workers.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import Dataset, Sampler
from torchvision import tv_tensors
from torchvision.transforms import v2

from train.detector.data import DetectionSplit, Targets, reliable_targets
from vmhan.detector_network import MEAN_COLOR

SCALES = (0.6, 1.7)  # of the size at which an image just fits
_LEAST_VISIBLE = 0.3  # share of a box; one that is cut further is neither found nor punished
_LEAST_SIDE = 3.0  # pixels; likewise


class SampleKey(NamedTuple):
    """A sample: the random state, the index of the image, the size of the view in pixels, and if four are joined."""

    seed: int
    index: int
    size: int
    mosaic: bool


class View(NamedTuple):
    """An image `(3, height, width)`, 0 to 255, and the objects to detect in it."""

    image: Tensor
    targets: Targets


class DetectionBatch(NamedTuple):
    """Views side by side.

    Args:
        pixels: `(images, 3, size, size)`, 0 to 255.
        boxes: `(images, objects, 4)`, corners in pixels.
        labels: `(images, objects)`; -1 is padding.
        counts: `(images, objects)`; False where finding it is neither right nor wrong.
    """

    pixels: Tensor
    boxes: Tensor
    labels: Tensor
    counts: Tensor


class DetectionAugmentation(Dataset):
    """Random views of the images of a split.

    Args:
        split: The images and their boxes.
        classes: Those that are learned.
        least_score: Boxes that a teacher scored lower are in doubt.
    """

    def __init__(self, split: DetectionSplit, classes: Sequence[str], least_score: float):
        self.split = split
        self.targets = [reliable_targets(row, classes, least_score) for row in split.rows]
        self.recolor = v2.Compose([v2.RandomHorizontalFlip(), v2.ColorJitter(0.3, 0.3, 0.3), v2.RandomGrayscale(0.05)])

    def __len__(self) -> int:
        return len(self.split)

    def __getitem__(self, key: SampleKey) -> View:
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(key.seed)  # the CPU's only; others would queue the call for ever
            view = self._mosaic(key) if key.mosaic else self._cut(key.index, key.size, key.size)
            boxes = tv_tensors.BoundingBoxes(view.targets.boxes, format="XYXY", canvas_size=(key.size, key.size))
            image, boxes = self.recolor(tv_tensors.Image(view.image), boxes)
        return View(image.as_subclass(Tensor), Targets(_plain(boxes), view.targets.labels, view.targets.counts))

    def _cut(self, index: int, height: int, width: int) -> View:
        """Scales an image at random, and cuts a random part of `height` x `width` out, or pads it to that."""
        image, targets = self.split.image(index), self.targets[index]
        boxes = tv_tensors.BoundingBoxes(targets.boxes, format="XYXY", canvas_size=image.size[::-1])
        resize = v2.ScaleJitter((height, width), scale_range=SCALES, antialias=True)
        crop = v2.RandomCrop((height, width), pad_if_needed=True, fill=MEAN_COLOR)
        image, whole = resize(v2.functional.to_image(image), boxes)
        image, boxes = crop(image, whole)
        boxes = _plain(v2.functional.clamp_bounding_boxes(boxes))
        visible = _area(boxes) >= _LEAST_VISIBLE * _area(_plain(whole))
        sides = boxes[:, 2:] - boxes[:, :2]
        counts = targets.counts & visible & (sides >= _LEAST_SIDE).all(dim=1)
        kept = (sides > 0).all(dim=1)
        return View(image.as_subclass(Tensor), Targets(boxes[kept], targets.labels[kept], counts[kept]))

    def _mosaic(self, key: SampleKey) -> View:
        """Joins four images around a random point."""
        x, y = (int(torch.randint(key.size // 4, 3 * key.size // 4, ())) for _ in range(2))
        others = torch.randint(len(self), (3,)).tolist()
        corners = [(0, 0, x, y), (x, 0, key.size, y), (0, y, x, key.size), (x, y, key.size, key.size)]
        canvas, parts = torch.empty(3, key.size, key.size, dtype=torch.uint8), []
        for index, (left, top, right, bottom) in zip([key.index, *others], corners, strict=True):
            view = self._cut(index, bottom - top, right - left)
            canvas[:, top:bottom, left:right] = view.image
            boxes = view.targets.boxes + torch.tensor([left, top] * 2)
            parts.append((boxes, view.targets.labels, view.targets.counts))
        return View(canvas, Targets(*map(torch.cat, zip(*parts, strict=True))))


class ViewSampler(Sampler[list[SampleKey]]):
    """Batches of an epoch, all views of a batch of one size.

    Args:
        images: Number of images.
        batch_size: Views in a batch; the last, smaller one is left out.
        sizes: A batch's size is one of these.
        mosaic: Share of views that join four images.
        seed: Seed of the run.
    """

    def __init__(self, images: int, batch_size: int, sizes: Sequence[int], mosaic: float, seed: int):
        if images < batch_size:
            raise ValueError(f"{images} images do not fill a batch of {batch_size}; lower --batch_size.")
        self.images, self.batch_size, self.sizes, self.mosaic, self.seed = images, batch_size, sizes, mosaic, seed
        self.epoch, self.first_batch = 0, 0

    def start_at(self, epoch: int, batch: int = 0) -> None:
        """Goes on at a batch of an epoch."""
        self.epoch, self.first_batch = epoch, batch

    def __len__(self) -> int:
        return self.images // self.batch_size - self.first_batch

    def __iter__(self) -> Iterator[list[SampleKey]]:
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + self.epoch)
        order = torch.randperm(self.images, generator=generator).tolist()
        seeds = torch.randint(2**62, (self.images,), generator=generator).tolist()
        joined = (torch.rand(self.images, generator=generator) < self.mosaic).tolist()
        batches = self.images // self.batch_size
        sizes = [self.sizes[i] for i in torch.randint(len(self.sizes), (batches,), generator=generator).tolist()]
        for batch in range(self.first_batch, batches):
            of_batch = range(batch * self.batch_size, (batch + 1) * self.batch_size)
            yield [SampleKey(seeds[i], order[i], sizes[batch], joined[i]) for i in of_batch]


def collate(views: Sequence[View]) -> DetectionBatch:
    """Collates views of one size to a batch."""
    targets = [view.targets for view in views]
    return DetectionBatch(
        torch.stack([view.image for view in views]),
        pad_sequence([each.boxes for each in targets], batch_first=True),
        pad_sequence([each.labels for each in targets], batch_first=True, padding_value=-1),
        pad_sequence([each.counts for each in targets], batch_first=True),
    )


def _plain(boxes: Tensor) -> Tensor:
    return boxes.as_subclass(Tensor)


def _area(boxes: Tensor) -> Tensor:
    return (boxes[:, 2:] - boxes[:, :2]).clamp(min=0).prod(dim=1)
