"""From picture to nodes: what is seen in the images of requests whose users did not tell it."""

from collections.abc import Callable, Sequence

from PIL import Image

from .description import ImageDescriber, describe_objects
from .detection import ObjectDetector
from .extraction_request import ExtractionRequest
from .object_names import object_names
from .pictures import visual_key


def look_at_images(
    requests: Sequence[ExtractionRequest],
    detector: ObjectDetector | None = None,
    describer: ImageDescriber | None = None,
    max_objects: int = 3,
) -> None:
    """Fills in the objects and descriptions that users left out. Equal images are looked at once.

    A description is that of the user, or of the describer, or tells what was detected. Objects are those of the user,
    or what was detected, or the nouns of the description.

    Args:
        max_objects: How many objects of an image are kept, the surest first. A description tells of all.
    """
    with_image = [request for request in requests if request.image is not None]
    detected, described = {}, {}
    if detector is not None:
        detected = _once_per_image([request for request in with_image if request.objects is None], detector.detect)
    if describer is not None:
        described = _once_per_image(
            [request for request in with_image if request.description is None], describer.describe
        )
    for request in requests:
        found = detected.get(id(request), [])
        request.description = request.description or described.get(id(request)) or describe_objects(found)
        if request.objects is None:
            named = [{"label": name, "score": 1.0, "box": None} for name in object_names(request.description)]
            seen = [{"label": item.label, "score": item.score, "box": list(item.box)} for item in found]
            request.objects = (seen or named)[:max_objects]


def _once_per_image(requests: list[ExtractionRequest], look: Callable[[list[Image.Image]], list]) -> dict:
    """What `look` makes of each request's image, by the identity of the request."""
    keys = [visual_key({"image": request.image}) for request in requests]
    distinct = {key: request.image for key, request in zip(keys, requests, strict=True)}
    results = dict(zip(distinct, look(list(distinct.values())), strict=True)) if distinct else {}
    return {id(request): results[key] for key, request in zip(keys, requests, strict=True)}


__all__ = ["look_at_images"]
