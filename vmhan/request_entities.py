"""Entities of a request and their pairs, checked.

An entity is a mention in the text or an object of the image. A relation goes from the text to either.
"""

from collections.abc import Sequence
from itertools import combinations
from typing import Any, NamedTuple

from .mention_search import MentionSearch
from .object_detection import ImageObject
from .recognized_entities import is_mention, read_kind, read_mention, read_mention_score
from .request_limits import RequestLimits
from .request_objects import read_entity_object
from .request_values import read_index, short_text, short_value
from .text_normalization import Span


class RequestEntity(NamedTuple):
    """An entity of a request.

    Args:
        mention: Its [start, end) characters; of an object of the image its index into the objects that are entities.
        kind: Such as "person", or None where it is not known.
        score: Confidence of whoever found it, 0 to 1; 1 for a user.
    """

    mention: Span | int
    kind: str | None = None
    score: float = 1.0


def read_entities(
    text: str, entities: Sequence, objects: Sequence[ImageObject] | None, image_size: tuple[int, int] | None
) -> tuple[list[RequestEntity], list[ImageObject], list[str]]:
    """Reads the entities of a request.

    Returns:
        The entities; the objects that are entities, each once; and warnings.

    Raises:
        ValueError: An entity is invalid; names it.
    """
    objects_or_none = [_read_if_object(entity, objects, image_size) for entity in entities]
    in_text = [entity for entity, item in zip(entities, objects_or_none, strict=True) if item is None]
    spans, warnings = search_mentions(text, in_text)
    mentions = iter([_read_details(text, *given) for given in zip(in_text, spans, strict=True)])
    read: list[RequestEntity] = []
    entity_objects: list[ImageObject] = []
    for item in objects_or_none:
        if item is None:
            read.append(next(mentions))
            continue
        if item not in entity_objects:
            entity_objects.append(item)
        read.append(RequestEntity(entity_objects.index(item), score=item["score"]))
    return read, entity_objects, warnings


def _read_details(text: str, entity: Any, span: Span) -> RequestEntity:
    """Reads the kind and the score of a mention, which only a dict may have."""
    if not isinstance(entity, dict):
        return RequestEntity(span)
    return RequestEntity(span, read_kind(entity), read_mention_score(entity, text[slice(*span)]))


def _read_if_object(
    entity: Any, objects: Sequence[ImageObject] | None, image_size: tuple[int, int] | None
) -> ImageObject | None:
    if not isinstance(entity, dict) or is_mention(entity):
        return None
    return read_entity_object(entity, objects, image_size)


def search_mentions(text: str, entities: Sequence) -> tuple[list[Span], list[str]]:
    """Searches the [start, end) characters of all entities of a text, and warnings about ambiguous names.

    Args:
        text: The text.
        entities: Strings, (start, end) spans, or dicts as `recognized_entities` reads them. Strings are searched
            together, as `MentionSearch` does it.

    Raises:
        ValueError: A string does not occur, or a span is none of the text.
    """
    given = [_read_span(text, entity) for entity in entities]
    spans = [span for span in given if not isinstance(span, str)]
    names = [name for name in given if isinstance(name, str)]
    if not names:
        return spans, []
    search = MentionSearch(text, spans)
    found = iter(search.find(names))
    return [next(found) if isinstance(span, str) else span for span in given], search.warnings


def search_mention(text: str, entity: str | Sequence[int] | dict) -> Span:
    """Searches the [start, end) characters of one entity."""
    (span,), _ = search_mentions(text, [entity])
    return span


def _read_span(text: str, entity: Any) -> Span | str:
    """Reads the checked span of an entity, or the string to search."""
    if not isinstance(entity, dict):
        return entity if isinstance(entity, str) else _check_span(text, entity)
    found = read_mention(entity)
    if isinstance(found, str):
        return found
    start, end = _check_span(text, found)
    inside = text[start:end]  # the offsets of some tokenizers hold the blank before a word
    return start + len(inside) - len(inside.lstrip()), end - len(inside) + len(inside.rstrip())


def _check_span(text: str, span: Any) -> Span:
    try:
        start, end = map(read_index, span)
    except (TypeError, ValueError):
        raise ValueError(
            f"The entity {short_value(span)} is neither a string nor a (start, end) span of characters."
        ) from None
    if not 0 <= start < end <= len(text):
        raise ValueError(
            f"The entity span {short_value((start, end))} is not within the {len(text)} characters of the text; "
            "spans are end-exclusive character offsets with start < end."
        )
    if not text[start:end].strip():
        raise ValueError(f"The entity span ({start}, {end}) holds only white space; choose the words of the entity.")
    return start, end


def read_pairs(pairs: Any, mentions: Sequence[Span | int], text: str, limits: RequestLimits) -> list[tuple[int, int]]:
    """Reads the (head, tail) pairs of a request; without them builds every two of which one is in the text, as head.

    Args:
        pairs: As users give them, or None.
        mentions: Those of the entities that `read_entities` returns.
        text: The text, for messages.
        limits: How many there may be.

    Raises:
        ValueError: A pair is invalid; names it.
    """
    checked = _every_two(mentions) if pairs is None else _read_index_pairs(pairs)
    if not checked:
        raise ValueError("pairs is empty; name at least one (head, tail), or leave it out for every two entities.")
    limits.check_pairs(len(checked))
    first_index: dict[tuple[int, int], int] = {}
    for index, pair in enumerate(checked):
        _check_pair(pair, mentions, text)
        if first_index.setdefault(pair, index) != index:
            raise ValueError(
                f"pairs names the pair {pair} twice, at {first_index[pair]} and {index}, counted from 0; leave one "
                "out."
            )
    return checked


def _every_two(mentions: Sequence[Span | int]) -> list[tuple[int, int]]:
    """Builds every pair whose head is in the text; of a mention and an object the mention is the head."""
    pairs = []
    for first, second in combinations(range(len(mentions)), 2):
        if not isinstance(mentions[first], int):
            pairs.append((first, second))
        elif not isinstance(mentions[second], int):
            pairs.append((second, first))
    if not pairs:
        raise ValueError("All entities are objects of the image; a relation needs one in the text, its head.")
    return pairs


def _read_index_pairs(pairs: Any) -> list:
    """Reads pairs of plain indices; `_check_pair` checks their number."""
    try:
        return [tuple(map(read_index, pair)) for pair in pairs]
    except TypeError:
        raise ValueError(
            f"pairs is {short_value(pairs)}; give a list of (head, tail) indices, such as [(0, 1)]."
        ) from None


def _check_pair(pair: tuple[int, ...], mentions: Sequence[Span | int], text: str) -> None:
    if len(pair) != 2 or not all(0 <= index < len(mentions) for index in pair):
        raise ValueError(
            f"The pair {short_value(pair)} is no (head, tail) out of the {len(mentions)} entities, counted from 0."
        )
    head, tail = (mentions[index] for index in pair)
    if isinstance(head, int):
        raise ValueError(f"The head of the pair {pair} is an object of the image; heads are in the text.")
    if head == tail:
        raise ValueError(
            f"Head and tail of the pair {pair} are both {short_text(text[slice(*head)])} at {head[0]} to "
            f"{head[1]}; give a (start, end) span for another occurrence, or leave one out."
        )


__all__ = ["RequestEntity", "read_entities", "read_pairs", "search_mention", "search_mentions"]
