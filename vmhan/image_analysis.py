"""From picture to nodes: what is seen in the images of requests whose users did not tell it."""

from collections.abc import Callable, Sequence

from .extraction_request import ExtractionRequest
from .image_cache import ImageCache
from .image_description import PARTS, ImageDescriber, compose_description
from .object_detection import DetectedObject, ObjectDetector
from .object_nouns import object_names
from .visual_inputs import visual_key


def annotate_images(
    requests: Sequence[ExtractionRequest],
    detector: ObjectDetector | None = None,
    describer: ImageDescriber | None = None,
    max_objects: int = 3,
    cache: ImageCache | None = None,
) -> None:
    """Fills in the objects and descriptions that users left out. Equal images are looked at once.

    A description is that of the user, or of the describer, or tells what was detected. Objects are those of the user,
    or what was detected, or the nouns of the description.

    Args:
        max_objects: How many objects of an image are kept, the surest first, but the face of a person after all else.
            A description tells of all.
        cache: Where what was seen in earlier images is kept.
    """
    cache = cache or ImageCache(max(1, 2 * len(requests)))
    with_image = [request for request in requests if request.image is not None]
    detected, described = {}, {}
    if detector is not None:
        unseen = [request for request in with_image if request.objects is None]
        detected = _once_per_image(unseen, detector, detector.detect, cache)
    if describer is not None:
        untold = [request for request in with_image if request.description is None]
        described = _once_per_image(untold, describer, describer.describe, cache)
    for request in requests:
        found = detected.get(id(request), [])
        request.description = (
            request.description or described.get(id(request)) or compose_description(item.label for item in found)
        )
        if request.objects is None:
            named = [{"label": name, "score": 1.0, "box": None} for name in object_names(request.description)]
            seen = [{"label": item.label, "score": item.score, "box": list(item.box)} for item in _parts_last(found)]
            request.objects = (seen or named)[:max_objects]


def _parts_last(found: Sequence[DetectedObject]) -> list[DetectedObject]:
    """The objects in their order, and behind them the parts, whose centres lie in what they are a part of."""

    def is_part(item: DetectedObject) -> bool:
        x, y = (item.box[0] + item.box[2]) / 2, (item.box[1] + item.box[3]) / 2
        wholes = (other.box for other in found if other.label == PARTS.get(item.label))
        return any(x0 <= x <= x1 and y0 <= y <= y1 for x0, y0, x1, y1 in wholes)

    return sorted(found, key=is_part)


def _once_per_image(requests: list[ExtractionRequest], tool, look: Callable, cache: ImageCache) -> dict:
    """What `look` of `tool` makes of each request's image, by the identity of the request."""
    keys = [visual_key({"image": request.image}) for request in requests]
    results = cache.get_or_compute(tool, keys, lambda places: look([requests[place].image for place in places]))
    return {id(request): result for request, result in zip(requests, results, strict=True)}


__all__ = ["annotate_images"]
