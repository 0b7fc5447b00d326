"""What a user asks for, checked: a sentence, its entities, the pairs to score and what is known of the image."""

import operator
import os
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from PIL import Image
from transformers.image_utils import load_image

from .detection import DetectedObject
from .node_selection import SelectionRequest

Span = tuple[int, int]


@dataclass
class ExtractionRequest:
    """A checked request.

    Args:
        text: The sentence.
        mentions: [start, end) characters of each entity.
        pairs: (head, tail) indices into `mentions`.
        description: Words about the image, or None.
        objects: `{"label", "score", "box"}` of each object, boxes in pixel corners or None. None until someone has
            looked for objects, if the user names none.
        image: The upright picture, or None.
    """

    text: str
    mentions: list[Span]
    pairs: list[tuple[int, int]]
    description: str | None
    objects: list[dict] | None
    image: Image.Image | None

    @property
    def image_size(self) -> tuple[int, int] | None:
        """(width, height) in pixels, or None without an image."""
        return None if self.image is None else self.image.size

    def visual_input(self, with_pixels: bool = False) -> dict | None:
        """The image as `VMHANProcessor` takes it, or None if nothing is known of it."""
        picture = self.image if with_pixels else None
        if not self.description and not self.objects and picture is None:
            return None
        objects = [{"label": item["label"], "box": self._relative_box(item["box"])} for item in self.objects]
        return {"description": self.description, "objects": objects, "image": picture}

    def selection_request(self, head: int, tail: int) -> SelectionRequest:
        """What a `NodeSelector` may know of the pair of these two mentions; objects in the order of `visual_input`."""
        return SelectionRequest(
            self.text,
            self.mentions[head],
            self.mentions[tail],
            self.mentions,
            self.description,
            self.image,
            [DetectedObject(item["label"], item["score"], item["box"]) for item in self.objects],
        )

    def _relative_box(self, box: list[float] | None) -> tuple[float, float, float, float] | None:
        if box is None:
            return None
        width, height = self.image_size
        x0, y0, x1, y1 = box
        return ((x0 + x1) / 2 / width, (y0 + y1) / 2 / height, (x1 - x0) / width, (y1 - y0) / height)


def read_request(
    inputs: dict, pairs: Sequence[tuple[int, int]] | None = None, max_objects: int = 3
) -> ExtractionRequest:
    """Checks `inputs` and finds the entities in the text.

    Args:
        inputs: `"text"` and `"entities"` (strings or [start, end) characters), and optionally `"image"` (path, URL or
            PIL image), `"description"` and `"objects"`: names, or `{"label", "score", "box"}` with pixel corners.
        pairs: (head, tail) indices of the pairs wanted; by default every two entities, in their order.
        max_objects: How many objects are kept, the surest first.

    Raises:
        ValueError: Names the value that is wrong and what to do about it.
        OSError: The image cannot be read.
    """
    if not isinstance(inputs, dict):
        raise ValueError(f'A request is a dict with "text" and "entities", not {type(inputs).__name__}.')
    unknown = set(inputs) - {"text", "image", "entities", "description", "objects"}
    if unknown:
        raise ValueError(
            f"Unknown fields {sorted(unknown)}; a request has text, entities, image, description, objects."
        )
    text = _read_words("text", inputs.get("text"))
    if not text.strip():
        raise ValueError(f"text is {inputs.get('text')!r}; give the sentence that holds the entities.")
    entities = inputs.get("entities")
    if not isinstance(entities, Sequence) or isinstance(entities, str) or len(entities) < 2:
        raise ValueError(f"entities is {entities!r}; a relation needs a list of at least two entities.")
    mentions = [find_mention(text, entity) for entity in entities]
    image = inputs.get("image")
    image = None if image is None else read_image(image)
    image_size = None if image is None else image.size
    description = _read_words("description", inputs.get("description")).strip() or None
    objects = inputs.get("objects")
    return ExtractionRequest(
        text,
        mentions,
        _read_pairs(pairs, mentions, text),
        description,
        None if objects is None else _read_objects(objects, image_size, max_objects),
        image,
    )


def find_mention(text: str, entity: str | Sequence[int]) -> Span:
    """Characters [start, end) of an entity: of the first occurrence of a string, or of a checked span."""
    if isinstance(entity, str):
        start = text.find(entity) if entity.strip() else -1
        if start < 0:
            raise ValueError(
                f"The entity {entity!r} does not occur in the text {_short(text)}; copy it letter by letter."
            )
        return start, start + len(entity)
    try:
        start, end = map(operator.index, entity)
    except (TypeError, ValueError):
        raise ValueError(f"The entity {entity!r} is neither a string nor a (start, end) span of characters.") from None
    if not 0 <= start < end <= len(text):
        raise ValueError(
            f"The entity span ({start}, {end}) is not within the {len(text)} characters of the text; "
            "spans are end-exclusive character offsets with start < end."
        )
    if not text[start:end].strip():
        raise ValueError(f"The entity span ({start}, {end}) holds only white space; choose the words of the entity.")
    return start, end


def read_image(image: "str | os.PathLike | Image.Image") -> Image.Image:
    """An upright RGB image from a path, a URL or a PIL image; errors name the file."""
    if isinstance(image, os.PathLike):
        image = os.fspath(image)
    if not isinstance(image, str | Image.Image):
        raise ValueError(f"image is a {type(image).__name__}; give a path, a URL or a PIL image.")
    is_path = isinstance(image, str) and not image.startswith(("http://", "https://"))
    if is_path and not Path(image).is_file():
        raise FileNotFoundError(f"The image {image!r} does not exist; check the path, or leave the image out.")
    try:
        return load_image(image)
    except Exception as error:  # Pillow and the network raise many kinds; what the user needs is the file's name
        name = repr(image) if isinstance(image, str) else "given"
        raise ValueError(
            f"The image {name} cannot be read ({error}); give an intact JPEG, PNG, WebP or GIF."
        ) from error


def _read_words(name: str, words: str | None) -> str:
    """`words`, empty for None; refuses what is no string, and the half characters that JSON can smuggle in."""
    if words is not None and not isinstance(words, str):
        raise ValueError(f"{name} is {words!r}; give a string.")
    try:
        (words or "").encode("utf-8")
    except UnicodeEncodeError as error:
        raise ValueError(
            f"{name} holds half a character at {error.start}: {words[error.start]!r}; drop it."
        ) from error
    return words or ""


def _read_pairs(pairs, mentions: list[Span], text: str) -> list[tuple[int, int]]:
    if pairs is None:
        pairs = list(combinations(range(len(mentions)), 2))
    try:
        pairs = [tuple(map(operator.index, pair)) for pair in pairs]
    except TypeError:
        raise ValueError(f"pairs is {pairs!r}; give a list of (head, tail) indices, such as [(0, 1)].") from None
    if not pairs:
        raise ValueError("pairs is empty; name at least one (head, tail), or leave it out for every two entities.")
    for pair in pairs:
        if len(pair) != 2 or not all(0 <= i < len(mentions) for i in pair):
            raise ValueError(
                f"The pair {pair} is no (head, tail) out of the {len(mentions)} entities, counted from 0."
            )
        head, tail = (mentions[i] for i in pair)
        if head == tail:
            raise ValueError(
                f"Head and tail of the pair {pair} are both {text[slice(*head)]!r} at {head[0]} to {head[1]}; "
                "give a (start, end) span for another occurrence, or leave one out."
            )
    return pairs


def _read_objects(objects: Sequence, image_size: tuple[int, int] | None, max_objects: int) -> list[dict]:
    """The `max_objects` surest objects as `{"label", "score", "box"}`; what a user only names is sure."""
    if not isinstance(objects, Sequence) or isinstance(objects, str):
        raise ValueError(f"objects is {objects!r}; give a list of names or of dicts, or leave it out.")
    read = [_read_object({"label": item} if isinstance(item, str) else item, image_size) for item in objects]
    return sorted(read, key=lambda item: -item["score"])[:max_objects]


def _read_object(item: dict, image_size: tuple[int, int] | None) -> dict:
    if not isinstance(item, dict) or not _read_words("label", item.get("label")).strip():
        raise ValueError(f'The object {item!r} is neither a name nor a dict with a "label".')
    score = item.get("score")
    return {
        "label": item["label"].strip(),
        "score": 1.0 if score is None else float(score),
        "box": None if item.get("box") is None else _read_box(item["box"], item["label"], image_size),
    }


def _read_box(box: Sequence, label: str, image_size: tuple[int, int] | None) -> list[float]:
    if image_size is None:
        raise ValueError(f"The object {label!r} has a box, but there is no image to measure it in.")
    try:
        x0, y0, x1, y1 = corners = [float(edge) for edge in box]
    except (TypeError, ValueError):
        raise ValueError(
            f"The box {box!r} of {label!r} is not four numbers: left, top, right and bottom in pixels."
        ) from None
    if not (0 <= x0 < x1 <= image_size[0] and 0 <= y0 < y1 <= image_size[1]):
        raise ValueError(f"The box {corners} of {label!r} is not within the image of {image_size} pixels.")
    return corners


def _short(text: str) -> str:
    return repr(text if len(text) <= 80 else text[:77] + "...")
