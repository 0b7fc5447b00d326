"""The entities of a request, the pairs of them and the objects of its image, checked.

An entity is a mention in the text or an object of the image. A relation goes from the text to either.
"""

import operator
from collections.abc import Sequence
from itertools import combinations

Span = tuple[int, int]


def read_entities(
    text: str, entities: Sequence, objects: list[dict] | None, image_size: tuple[int, int] | None
) -> tuple[list[Span | int], list[dict]]:
    """The mentions of a request, spans or places among the objects that are entities, and these objects."""
    mentions, entity_objects = [], []
    for entity in entities:
        if not isinstance(entity, dict):
            mentions.append(find_mention(text, entity))
            continue
        item = _read_entity_object(entity, objects, image_size)
        if item not in entity_objects:
            entity_objects.append(item)
        mentions.append(entity_objects.index(item))
    return mentions, entity_objects


def _read_entity_object(entity: dict, objects: list[dict] | None, image_size: tuple[int, int] | None) -> dict:
    """The object that an entity is."""
    if "object" in entity and len(entity) == 1:
        count = len(objects or ())
        place = entity["object"]
        if type(place) is not int or not 0 <= place < count:
            raise ValueError(f"The entity {entity!r} is none of the {count} objects of the request, counted from 0.")
        return objects[place]
    if "box" not in entity or not set(entity) <= {"box", "label"}:
        raise ValueError(
            f'The entity {entity!r} is no object of the image: give {{"box": [left, top, right, bottom]}} in pixels, '
            'perhaps with a "label", or {"object": its place among "objects"}.'
        )
    label = read_words("label", entity.get("label")).strip() or None
    return {"label": label, "score": 1.0, "box": _read_box(entity["box"], label or "entity", image_size)}


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


def read_pairs(pairs, mentions: list[Span | int], text: str) -> list[tuple[int, int]]:
    """The pairs of mentions that a user names, or every two of which one is in the text, heads in the text."""
    if pairs is None:
        pairs = [_from_the_text(pair, mentions) for pair in combinations(range(len(mentions)), 2)]
        pairs = [pair for pair in pairs if not isinstance(mentions[pair[0]], int)]
        if not pairs:
            raise ValueError("All entities are objects of the image; a relation needs one in the text, its head.")
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
        if isinstance(head, int):
            raise ValueError(f"The head of the pair {pair} is an object of the image; heads are in the text.")
        if head == tail:
            raise ValueError(
                f"Head and tail of the pair {pair} are both {text[slice(*head)]!r} at {head[0]} to {head[1]}; "
                "give a (start, end) span for another occurrence, or leave one out."
            )
    return pairs


def _from_the_text(pair: tuple[int, int], mentions: list[Span | int]) -> tuple[int, int]:
    """The pair the way round in which its head is in the text, if there is one."""
    return pair[::-1] if isinstance(mentions[pair[0]], int) else pair


def read_objects(objects: Sequence, image_size: tuple[int, int] | None) -> list[dict]:
    """Objects as `{"label", "score", "box"}`; what a user only names is sure."""
    if not isinstance(objects, Sequence) or isinstance(objects, str):
        raise ValueError(f"objects is {objects!r}; give a list of names or of dicts, or leave it out.")
    return [_read_object({"label": item} if isinstance(item, str) else item, image_size) for item in objects]


def _read_object(item: dict, image_size: tuple[int, int] | None) -> dict:
    if not isinstance(item, dict) or not read_words("label", item.get("label")).strip():
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


def read_words(name: str, words: str | None) -> str:
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
