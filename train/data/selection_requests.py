"""Requests to a node selector, built from the rows of a data set without their relation."""

from collections.abc import Callable

from PIL import Image

from train.data.collator import character_spans
from vmhan.image_inputs import load_image_input
from vmhan.node_selection import SelectionRequest
from vmhan.object_detection import DetectedObject

#: The columns that a selector may see.
REQUEST_COLUMNS = (
    *("words", "head_span", "tail_span", "mentions"),
    *("image", "image_key", "description", "object_names", "object_boxes"),
)
#: Of a row the description and objects of its image, as the model gets them; None without an image.
ImageFields = Callable[[dict], dict | None]


def to_request(row: dict, image_fields: ImageFields, with_image: bool = True) -> SelectionRequest:
    """Builds the request of a row.

    Args:
        row: With `REQUEST_COLUMNS`.
        image_fields: Where it gives None, the request has no image either.
        with_image: False leaves the image itself unopened.
    """
    head, tail, *mentions = character_spans(row["words"], [row["head_span"], row["tail_span"], *row["mentions"]])
    text, fields = " ".join(row["words"]), image_fields(row)
    if fields is None:
        return SelectionRequest(text, head, tail, mentions)
    image = _load_image(row) if with_image else None
    objects = [_to_object(item, image and image.size) for item in fields.get("objects") or ()]
    return SelectionRequest(text, head, tail, mentions, fields.get("description"), image, objects)


def _load_image(row: dict) -> Image.Image | None:
    """Loads the upright RGB image of a row, which holds it, a path of it as `image_key`, or neither."""
    image = row.get("image_key") if row.get("image") is None else row["image"]
    return None if image is None else load_image_input(image)


def _to_object(item: dict, size: tuple[int, int] | None) -> DetectedObject:
    """Converts an object of the processor to pixels; without an image it has no box."""
    box = item.get("box")
    if box is not None and size is not None:
        (cx, cy, w, h), (width, height) = box, size
        box = ((cx - w / 2) * width, (cy - h / 2) * height, (cx + w / 2) * width, (cy + h / 2) * height)
    score = item.get("score")
    return DetectedObject(item.get("label") or "", 1.0 if score is None else score, box if size else None)
