"""Requests, as users write them and as the pipeline checks them: a sentence, its entities, pairs and image.

An entity is a mention in the sentence or an object of the image. A relation goes from the sentence to either.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Required, TypedDict

from PIL import Image

from .image_inputs import load_image_input
from .node_selection import SelectionRequest
from .object_detection import DetectedObject, ImageObject
from .recognized_entities import merge_tokens
from .request_entities import RequestEntity, read_entities, read_pairs
from .request_limits import DEFAULT_LIMITS, RequestLimits
from .request_objects import read_request_objects
from .request_values import read_fields, read_string, short_value
from .text_checks import script_warning
from .text_normalization import Span


class ObjectInput(TypedDict, total=False):
    """An object of the image, as users and `pipeline("object-detection")` write it.

    Attributes:
        label: Its name.
        score: Confidence, 0 to 1; 1 by default.
        box: [left, top, right, bottom] in pixels of the upright image, or a dict of xmin, ymin, xmax and ymax.
    """

    label: Required[str]
    score: float | None
    box: Sequence[float] | Mapping[str, float] | None


class ExtractionInput(TypedDict, total=False):
    """A request, as users write it. Values may be numpy's and pandas' too; None and NaN count as absent.

    Attributes:
        text: The sentence.
        entities: Strings, [start, end) characters, what `pipeline("ner")` or spaCy return, or objects of the image:
            `{"box"}` with pixel corners and perhaps a `"label"` and a `"score"`, or `{"object"}`, an index into
            `objects`. Without them the model finds its own, if it can.
        image: An image, as `load_image_input` takes it.
        description: Text about the image.
        objects: Names or dicts of the objects of the image.
        pairs: (head, tail) indices into `entities`.
        annotation_style: Name of one of the model's `annotation_styles`; by default the first.
        id: Any value, which comes back with the answer.
    """

    text: Required[str]
    entities: Sequence[str | Sequence[int] | Mapping[str, Any]] | None
    image: Any
    description: str | None
    objects: Sequence[str | ObjectInput] | None
    pairs: Sequence[Sequence[int]] | None
    annotation_style: str | None
    id: Any


@dataclass
class ExtractionRequest:
    """A checked request.

    Args:
        text: The sentence.
        entities: Entities; None where the user gave none and none were found yet.
        pairs: (head, tail) indices into `entities`.
        description: Text about the image, or None.
        objects: Objects of the image; None where the user gave none and none were detected yet.
        image: The upright image, or None.
        entity_objects: Entities that are objects of the image; their label may be None.
        annotation_style: Name of an annotation style; None for the model's first.
        limits: Limits of the request.
        id: The user's `"id"`, or None.
        warnings: Sentences for the user.
    """

    text: str
    entities: list[RequestEntity] | None
    pairs: list[tuple[int, int]]
    description: str | None
    objects: list[ImageObject] | None
    image: Image.Image | None
    entity_objects: list[ImageObject] = field(default_factory=list)
    annotation_style: str | None = None
    limits: RequestLimits = DEFAULT_LIMITS
    id: Any = None
    warnings: list[str] = field(default_factory=list)

    @property
    def mentions(self) -> list[Span | int]:
        """[start, end) characters of each entity; of an object of the image its index into `visible_objects`."""
        return [entity.mention for entity in self.entities or ()]

    @property
    def visible_objects(self) -> list[ImageObject]:
        """The entities that are objects, then the other objects of the image."""
        return [*self.entity_objects, *(item for item in self.objects or () if item not in self.entity_objects)]

    @property
    def image_size(self) -> tuple[int, int] | None:
        """(width, height) in pixels, or None without an image."""
        return None if self.image is None else self.image.size

    def is_object(self, mention: int) -> bool:
        """Returns whether an entity is an object of the image."""
        return isinstance(self.mentions[mention], int)

    def span(self, mention: int) -> Span:
        """Returns the [start, end) characters of an entity in the text.

        Raises:
            ValueError: The entity is an object of the image.
        """
        span = self.mentions[mention]
        if isinstance(span, int):
            raise ValueError(
                f"Entity {mention} is an object of the image, but this model was trained with nodes selected for two "
                "entities of the text; give a mention in the text, or take a model that was trained on MORE."
            )
        return span

    def entity_text(self, mention: int) -> str | None:
        """Returns the text of an entity; of an object of the image its label, or None."""
        span = self.mentions[mention]
        if isinstance(span, int):
            return self.visible_objects[span]["label"]
        return self.text[slice(*span)]

    def visual_input(self, with_pixels: bool = False) -> dict | None:
        """Builds the image as `VMHANProcessor` takes it, or None if nothing is known of it."""
        image = self.image if with_pixels else None
        visible = self.visible_objects
        if not self.description and not visible and image is None:
            return None
        objects = [{"label": item["label"], "box": self._relative_box(item["box"])} for item in visible]
        return {"description": self.description, "objects": objects, "image": image}

    def selection_request(self, head: int, tail: int) -> SelectionRequest:
        """Builds the request to a `NodeSelector` for a pair of mentions; objects in the order of `visual_input`.

        Raises:
            ValueError: The tail is an object of the image: nodes are selected for pairs in the text alone.
        """
        return SelectionRequest(
            self.text,
            self.span(head),
            self.span(tail),
            [mention for mention in self.mentions if not isinstance(mention, int)],
            self.description,
            self.image,
            [DetectedObject(item["label"] or "", item["score"], item["box"]) for item in self.visible_objects],
        )

    def _relative_box(self, box: Sequence[float] | None) -> tuple[float, float, float, float] | None:
        """Converts pixel corners to (cx, cy, w, h) in 0..1."""
        if box is None or self.image is None:
            return None
        width, height = self.image.size
        x0, y0, x1, y1 = box
        return ((x0 + x1) / 2 / width, (y0 + y1) / 2 / height, (x1 - x0) / width, (y1 - y0) / height)


def read_request(
    inputs: ExtractionInput | Mapping[str, Any],
    pairs: Any = None,
    max_objects: int = 3,
    limits: RequestLimits = DEFAULT_LIMITS,
    training_scripts: Sequence[str] | None = None,
    annotation_style: str | None = None,
) -> ExtractionRequest:
    """Checks a request and searches its entities in the text.

    Args:
        inputs: The request as its user writes it.
        pairs: (head, tail) indices of the entities to relate, where the request has no `"pairs"` of its own; by
            default every two, in their order, but from the text to an object and never between two objects.
        max_objects: Objects kept, by falling score.
        limits: How large the request may be.
        training_scripts: As in `VMHANConfig`, for a warning where the text is in others.
        annotation_style: The style, where the request has none of its own. Whether a model knows it is not checked.

    Raises:
        ValueError: A value is invalid; names it and what to do about it.
        OSError: The image cannot be read.
    """
    fields = read_fields(inputs)
    text = read_string("text", fields.get("text"))
    if not text.strip():
        raise ValueError(f"text is {short_value(fields.get('text'))}; give the sentence that holds the entities.")
    limits.check_text(text)
    pairs = fields.get("pairs", pairs)
    entities = _read_entity_list(fields["entities"], pairs, limits) if "entities" in fields else []
    description = read_string("description", fields.get("description")).strip() or None
    limits.check_description(description or "")
    _check_objects(fields.get("objects"), entities, limits)
    image = load_image_input(fields["image"]) if "image" in fields else None
    image_size = None if image is None else image.size
    objects = read_request_objects(fields["objects"], image_size) if "objects" in fields else None
    read, entity_objects, warnings = read_entities(text, entities, objects, image_size)
    if warning := script_warning(text, training_scripts):
        warnings.append(warning)
    return ExtractionRequest(
        text=text,
        entities=read or None,
        pairs=_read_pairs(pairs, read, text, limits),
        description=description,
        objects=None if objects is None else sorted(objects, key=lambda item: -item["score"])[:max_objects],
        image=image,
        entity_objects=entity_objects,
        annotation_style=fields.get("annotation_style", annotation_style),
        limits=limits,
        id=fields.get("id"),
        warnings=warnings,
    )


def _read_entity_list(entities: Any, pairs: Any, limits: RequestLimits) -> list:
    """Reads the entities of a request, tokens of `pipeline("ner")` merged; `pairs` are indices after that."""
    given = entities if isinstance(entities, Sequence) and not isinstance(entities, str) else ()
    merged = merge_tokens(given)
    if len(merged) < 2:
        raise ValueError(f"entities is {short_value(entities)}; a relation needs a list of at least two entities.")
    if len(merged) < len(given) and pairs is not None:
        raise ValueError(
            f"pairs is {short_value(pairs)}, but the {len(given)} entities are tokens of {len(merged)} entities; "
            'merge them with `pipeline("ner", aggregation_strategy="first")`, or leave pairs out.'
        )
    limits.check_entities(len(merged))
    return merged


def _read_pairs(
    pairs: Any, entities: Sequence[RequestEntity], text: str, limits: RequestLimits
) -> list[tuple[int, int]]:
    """Reads the pairs of a request; of one whose entities are yet to be found there are none."""
    if entities:
        return read_pairs(pairs, [entity.mention for entity in entities], text, limits)
    if pairs is not None:
        raise ValueError(
            f'pairs is {short_value(pairs)}, but the request has no "entities" that it could be indices into; give '
            "both, or leave pairs out."
        )
    return []


def _check_objects(objects: Any, entities: Sequence, limits: RequestLimits) -> None:
    """Rejects too many objects, and labels of any that are too long."""
    objects = objects if isinstance(objects, Sequence) and not isinstance(objects, str) else ()
    limits.check_objects(len(objects))
    for item in (*objects, *(entity for entity in entities if isinstance(entity, dict))):
        label = item.get("label") if isinstance(item, dict) else item
        limits.check_label(label if isinstance(label, str) else "")


__all__ = ["ExtractionInput", "ExtractionRequest", "ObjectInput", "read_request"]
