"""What a user asks for, checked: a sentence, its entities, the pairs to score and what is known of the image.

An entity is a mention in the sentence or an object of the image. A relation goes from the sentence to either.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from PIL import Image

from .image_inputs import load_image_input
from .node_selection import SelectionRequest
from .object_detection import DetectedObject
from .recognized_entities import merge_tokens
from .request_entities import read_entities, read_pairs
from .request_limits import DEFAULT_LIMITS, RequestLimits
from .request_objects import read_objects
from .request_values import read_fields, read_words, short_value
from .text_checks import script_warning
from .text_normalization import Span


@dataclass
class ExtractionRequest:
    """A checked request.

    Args:
        text: The sentence.
        mentions: [start, end) characters of each entity; of one that is an object its place in `visible_objects`.
        pairs: (head, tail) indices into `mentions`.
        description: Words about the image, or None.
        objects: `{"label", "score", "box"}` of each object, boxes in pixel corners or None. None until someone has
            looked for objects, if the user names none.
        image: The upright picture, or None.
        entity_objects: Those of the entities that are objects, like `objects`; their label may be None.
        id: What the user calls the request, or None.
        warnings: What the user should know of the answer, in sentences.
    """

    text: str
    mentions: list[Span | int]
    pairs: list[tuple[int, int]]
    description: str | None
    objects: list[dict] | None
    image: Image.Image | None
    entity_objects: list[dict] = field(default_factory=list)
    id: Any = None
    warnings: list[str] = field(default_factory=list)

    @property
    def visible_objects(self) -> list[dict]:
        """The entities that are objects, then the other objects of the image."""
        return [*self.entity_objects, *(item for item in self.objects or () if item not in self.entity_objects)]

    def is_object(self, mention: int) -> bool:
        """Whether this entity is an object of the image."""
        return isinstance(self.mentions[mention], int)

    @property
    def image_size(self) -> tuple[int, int] | None:
        """(width, height) in pixels, or None without an image."""
        return None if self.image is None else self.image.size

    def visual_input(self, with_pixels: bool = False) -> dict | None:
        """The image as `VMHANProcessor` takes it, or None if nothing is known of it."""
        picture = self.image if with_pixels else None
        visible = self.visible_objects
        if not self.description and not visible and picture is None:
            return None
        objects = [{"label": item["label"], "box": self._relative_box(item["box"])} for item in visible]
        return {"description": self.description, "objects": objects, "image": picture}

    def selection_request(self, head: int, tail: int) -> SelectionRequest:
        """What a `NodeSelector` may know of the pair of these two mentions; objects in the order of `visual_input`.

        Raises:
            ValueError: The tail is an object, which no selector knows what to do with.
        """
        if self.is_object(tail):
            raise ValueError(
                f"Entity {tail} is an object of the image, but this model was trained with nodes selected for two "
                "entities of the text; give a mention in the text, or take a model that was trained on MORE."
            )
        return SelectionRequest(
            self.text,
            self.mentions[head],
            self.mentions[tail],
            self.mentions,
            self.description,
            self.image,
            [DetectedObject(item["label"] or "", item["score"], item["box"]) for item in self.visible_objects],
        )

    def _relative_box(self, box: list[float] | None) -> tuple[float, float, float, float] | None:
        if box is None:
            return None
        width, height = self.image_size
        x0, y0, x1, y1 = box
        return ((x0 + x1) / 2 / width, (y0 + y1) / 2 / height, (x1 - x0) / width, (y1 - y0) / height)


def read_request(
    inputs: dict,
    pairs: Sequence[tuple[int, int]] | None = None,
    max_objects: int = 3,
    limits: RequestLimits = DEFAULT_LIMITS,
    training_scripts: Sequence[str] | None = None,
) -> ExtractionRequest:
    """Checks `inputs` and finds the entities in the text.

    Args:
        inputs: `"text"` and `"entities"` (strings, [start, end) characters, what `pipeline("ner")` or spaCy return, or
            an object of the image: `{"box"}` with pixel corners and perhaps a `"label"` and a `"score"`, or
            `{"object"}`, its place among `"objects"`), and optionally `"image"` (as `load_image_input`
            takes it), `"description"`, `"objects"`: names, or `{"label", "score", "box"}` with pixel corners, also as
            `pipeline("object-detection")` returns them, `"pairs"` and an `"id"`. Fields may be numpy's and pandas';
            those that are None or NaN count as absent.
        pairs: (head, tail) indices of the pairs wanted, where the request has no `"pairs"` of its own; by default
            every two entities, in their order, but from the text to an object and never between two objects.
        max_objects: How many objects are kept, the surest first.
        limits: How large the request may be.
        training_scripts: As in `VMHANConfig`, for a warning where the text is in others.

    Raises:
        ValueError: Names the value that is wrong and what to do about it.
        OSError: The image cannot be read.
    """
    fields = read_fields(inputs)
    text = read_words("text", fields.get("text"))
    if not text.strip():
        raise ValueError(f"text is {short_value(fields.get('text'))}; give the sentence that holds the entities.")
    limits.check_text(text)
    pairs = fields.get("pairs", pairs)
    entities = _read_entity_list(fields.get("entities"), pairs)
    limits.check_entities(len(entities))
    description = read_words("description", fields.get("description")).strip() or None
    limits.check_description(description or "")
    objects = fields.get("objects")
    _check_objects(objects, entities, limits)
    image = fields.get("image")
    image = None if image is None else load_image_input(image)
    image_size = None if image is None else image.size
    objects = None if objects is None else read_objects(objects, image_size)
    mentions, entity_objects, warnings = read_entities(text, entities, objects, image_size)
    if warning := script_warning(text, training_scripts):
        warnings.append(warning)
    pairs = read_pairs(pairs, mentions, text, limits)
    return ExtractionRequest(
        text,
        mentions,
        pairs,
        description,
        None if objects is None else sorted(objects, key=lambda item: -item["score"])[:max_objects],
        image,
        entity_objects,
        fields.get("id"),
        warnings,
    )


def _read_entity_list(entities, pairs) -> list:
    """The entities of a request, tokens of `pipeline("ner")` merged; `pairs` count them after that."""
    given = entities if isinstance(entities, Sequence) and not isinstance(entities, str) else ()
    merged = merge_tokens(given)
    if len(merged) < 2:
        raise ValueError(f"entities is {short_value(entities)}; a relation needs a list of at least two entities.")
    if len(merged) < len(given) and pairs is not None:
        raise ValueError(
            f"pairs is {short_value(pairs)}, but the {len(given)} entities are tokens of {len(merged)} entities; "
            'merge them with `pipeline("ner", aggregation_strategy="first")`, or leave pairs out.'
        )
    return merged


def _check_objects(objects, entities: Sequence, limits: RequestLimits) -> None:
    """Refuses too many objects, and labels of any that are too long."""
    objects = objects if isinstance(objects, Sequence) and not isinstance(objects, str) else ()
    limits.check_objects(len(objects))
    for item in (*objects, *(entity for entity in entities if isinstance(entity, dict))):
        label = item.get("label") if isinstance(item, dict) else item
        limits.check_label(label if isinstance(label, str) else "")
