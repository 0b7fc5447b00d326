"""Objects of a request's image, checked: names, dicts of ours, and what `pipeline("object-detection")` returns."""

from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any

from .object_detection import ImageObject
from .request_values import read_number, read_score, read_string, short_text, short_value

_CORNERS = ("xmin", "ymin", "xmax", "ymax")
# How far a box may lie outside of its image, for networks and annotators round: pixels, or a share of the side.
_PIXELS_OUTSIDE, _SHARE_OUTSIDE = 1.0, 0.005


def read_request_objects(objects: Any, image_size: tuple[int, int] | None) -> list[ImageObject]:
    """Reads the objects of a request; one that is only named has the score 1.

    Raises:
        ValueError: An object is invalid; names it.
    """
    if not isinstance(objects, Sequence) or isinstance(objects, str):
        raise ValueError(f"objects is {short_value(objects)}; give a list of names or of dicts, or leave it out.")
    return [_read_object({"label": item} if isinstance(item, str) else item, image_size) for item in objects]


def _read_object(item: Any, image_size: tuple[int, int] | None) -> ImageObject:
    if not isinstance(item, dict) or not read_string("label", item.get("label")).strip():
        raise ValueError(f'The object {short_value(item)} is neither a name nor a dict with a "label".')
    label = item["label"].strip()
    box = item.get("box")
    return {
        "label": label,
        "score": read_score(item.get("score"), label),
        "box": None if box is None else _read_box(box, label, image_size),
    }


def read_entity_object(
    entity: Mapping, objects: Sequence[ImageObject] | None, image_size: tuple[int, int] | None
) -> ImageObject:
    """Reads an entity that is an object of the image: `{"box"}` or `{"object"}`, an index into `objects`.

    Raises:
        ValueError: It is invalid; names it.
    """
    if "object" in entity and len(entity) == 1:
        objects, index = objects or (), entity["object"]
        if type(index) is not int or not 0 <= index < len(objects):
            raise ValueError(
                f"The entity {short_value(entity)} is none of the {len(objects)} objects of the request, counted "
                "from 0."
            )
        return objects[index]
    if "box" not in entity or not set(entity) <= {"box", "label", "score"}:
        raise ValueError(
            f'The entity {short_value(entity)} is no object of the image: give {{"box": [left, top, right, bottom]}} '
            'in pixels, perhaps with a "label" and a "score", or {"object": its index in "objects"}. A mention in '
            'the text is a string, a (start, end) span, or a dict with "start" and "end", with "text" or with "word".'
        )
    label = read_string("label", entity.get("label")).strip() or None
    name = label or "entity"
    return {
        "label": label,
        "score": read_score(entity.get("score"), name),
        "box": _read_box(entity["box"], name, image_size),
    }


def _read_box(box: Any, label: str, image_size: tuple[int, int] | None) -> list[float]:
    """Reads [left, top, right, bottom] in pixels, clipped to the image where it is a little outside."""
    if image_size is None:
        raise ValueError(f"The object {short_text(label)} has a box, but there is no image to measure it in.")
    x0, y0, x1, y1 = corners = _read_corners(box, label)
    width, height = image_size
    across, down = (max(_PIXELS_OUTSIDE, _SHARE_OUTSIDE * side) for side in image_size)
    inside = -across <= x0 < x1 <= width + across and -down <= y0 < y1 <= height + down
    x0, y0, x1, y1 = max(x0, 0.0), max(y0, 0.0), min(x1, float(width)), min(y1, float(height))
    if not inside or x0 >= x1 or y0 >= y1:
        raise ValueError(
            f"The box {short_value(corners)} of {short_text(label)} is not within the image of {image_size} pixels; "
            "give left, top, right and bottom in pixels of it."
        )
    return [x0, y0, x1, y1]


def _read_corners(box: Any, label: str) -> list[float]:
    try:
        edges = [box[name] for name in _CORNERS] if isinstance(box, dict) else box
        x0, y0, x1, y1 = (read_number(edge) for edge in edges)
    except (KeyError, OverflowError, TypeError, ValueError):
        raise ValueError(
            f"The box {short_value(box)} of {short_text(label)} is not four numbers: left, top, right and "
            f"bottom in pixels, or a dict of {', '.join(_CORNERS)}."
        ) from None
    corners = [x0, y0, x1, y1]
    if not all(map(isfinite, corners)):
        raise ValueError(
            f"The box {short_value(corners)} of {short_text(label)} is not of finite numbers; leave the object out."
        )
    return corners


__all__ = ["read_entity_object", "read_request_objects"]
