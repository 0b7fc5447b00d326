"""Objects and descriptions of images, for requests whose users gave none."""

from collections.abc import Callable, Hashable, Sequence
from typing import TypeVar

from PIL import Image

from .extraction_request import ExtractionRequest
from .image_cache import ImageCache
from .image_description import PARTS, ImageDescriber, compose_description
from .object_detection import DetectedObject, ImageObject, ObjectDetector
from .object_nouns import object_names
from .visual_inputs import visual_key

Result = TypeVar("Result")


def annotate_images(
    requests: Sequence[ExtractionRequest],
    detector: ObjectDetector | None = None,
    describer: ImageDescriber | None = None,
    max_objects: int = 3,
    cache: ImageCache | None = None,
) -> None:
    """Fills in the objects and descriptions that requests lack. Equal images are analyzed once.

    The description is the user's, else the describer's, else composed of the detected objects. The objects are the
    user's, else the detected ones, else the nouns of the description.

    Args:
        requests: Checked requests; those without an image get the nouns of their description alone.
        detector: Detects objects, or None.
        describer: Describes images, or None.
        max_objects: Objects kept of an image, by falling score, but the face of a person after all others. A composed
            description counts all that were detected.
        cache: Cache of earlier results; by default one for this call.
    """
    cache = cache or ImageCache(max(1, 2 * len(requests)))
    detections, descriptions = [None] * len(requests), [None] * len(requests)
    if detector is not None:
        images = [request.image if request.objects is None else None for request in requests]
        detections = _analyze(images, detector, detector.detect, cache)
    if describer is not None:
        images = [request.image if request.description is None else None for request in requests]
        descriptions = _analyze(images, describer, describer.describe, cache)
    for request, detected, description in zip(requests, detections, descriptions, strict=True):
        _annotate(request, detected or [], description, max_objects)


def _analyze(
    images: Sequence[Image.Image | None],
    tool: Hashable,
    method: Callable[[Sequence[Image.Image]], Sequence[Result]],
    cache: ImageCache,
) -> list[Result | None]:
    """Runs `method` of `tool` on the images that the cache lacks; returns a result for each image, None for None."""
    given = {index: image for index, image in enumerate(images) if image is not None}
    present = list(given.values())
    keys = [visual_key({"image": image}) for image in present]
    computed = cache.get_or_compute(tool, keys, lambda new: method([present[index] for index in new]))
    results = dict(zip(given, computed, strict=True))
    return [results.get(index) for index in range(len(images))]


def _annotate(
    request: ExtractionRequest, detected: Sequence[DetectedObject], description: str | None, max_objects: int
) -> None:
    """Fills in what one request lacks."""
    request.description = request.description or description or compose_description(item.label for item in detected)
    if request.objects is None:
        objects = [_image_object(item) for item in _parts_last(detected)] or [
            ImageObject(label=name, score=1.0, box=None) for name in object_names(request.description)
        ]
        request.objects = objects[:max_objects]


def _image_object(item: DetectedObject) -> ImageObject:
    return ImageObject(label=item.label, score=item.score, box=None if item.box is None else list(item.box))


def _parts_last(detected: Sequence[DetectedObject]) -> list[DetectedObject]:
    """Sorts objects whose center lies in the whole that they are a part of behind all others."""

    def is_part(item: DetectedObject) -> bool:
        if item.box is None:
            return False
        x, y = (item.box[0] + item.box[2]) / 2, (item.box[1] + item.box[3]) / 2
        wholes = (other.box for other in detected if other.label == PARTS.get(item.label) and other.box is not None)
        return any(x0 <= x <= x1 and y0 <= y <= y1 for x0, y0, x1, y1 in wholes)

    return sorted(detected, key=is_part)


__all__ = ["annotate_images"]
