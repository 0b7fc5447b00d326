"""The entities of a request and the pairs of them, checked.

An entity is a mention in the text or an object of the image. A relation goes from the text to either.
"""

from collections.abc import Sequence
from itertools import combinations

from .mention_search import MentionSearch
from .recognized_entities import is_mention, read_mention
from .request_limits import RequestLimits
from .request_objects import read_entity_object
from .request_values import read_index, short_text, short_value
from .text_normalization import Span


def read_entities(
    text: str, entities: Sequence, objects: list[dict] | None, image_size: tuple[int, int] | None
) -> tuple[list[Span | int], list[dict], list[str]]:
    """The entities of a request: spans or places among the objects that are entities, these objects, and warnings."""
    mentions, entity_objects, in_text = [], [], []
    for entity in entities:
        if not isinstance(entity, dict) or is_mention(entity):
            in_text.append(entity)
            mentions.append(None)
            continue
        item = read_entity_object(entity, objects, image_size)
        if item not in entity_objects:
            entity_objects.append(item)
        mentions.append(entity_objects.index(item))
    spans, warnings = find_mentions(text, in_text)
    remaining = iter(spans)
    return [next(remaining) if found is None else found for found in mentions], entity_objects, warnings


def find_mentions(text: str, entities: Sequence) -> tuple[list[Span], list[str]]:
    """The [start, end) characters of all entities of a text, and warnings of those whose place is a guess.

    Args:
        text: The text.
        entities: Strings, (start, end) spans, or dicts as `recognized_entities` reads them. Strings are placed
            together, as `MentionSearch` does it.

    Raises:
        ValueError: A string does not occur, or a span is none of the text.
    """
    spans = [_read_span(text, entity) for entity in entities]
    names = [name for name in spans if isinstance(name, str)]
    if not names:
        return spans, []
    search = MentionSearch(text, [span for span in spans if not isinstance(span, str)])
    placed = iter(search.place(names))
    return [next(placed) if isinstance(span, str) else span for span in spans], search.warnings


def find_mention(text: str, entity: str | Sequence[int] | dict) -> Span:
    """Characters [start, end) of an entity: of the best occurrence of a string, or of a checked span."""
    (span,), _ = find_mentions(text, [entity])
    return span


def _read_span(text: str, entity: str | Sequence[int] | dict) -> Span | str:
    """The checked span of an entity, or the string to look for."""
    if not isinstance(entity, dict):
        return entity if isinstance(entity, str) else _check_span(text, entity)
    found = read_mention(entity)
    if isinstance(found, str):
        return found
    start, end = _check_span(text, found)
    inside = text[start:end]  # the offsets of some tokenizers hold the blank before a word
    return start + len(inside) - len(inside.lstrip()), end - len(inside) + len(inside.rstrip())


def _check_span(text: str, span: Sequence[int]) -> Span:
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


def read_pairs(pairs, mentions: list[Span | int], text: str, limits: RequestLimits) -> list[tuple[int, int]]:
    """The pairs of mentions that a user names, or every two of which one is in the text, heads in the text."""
    if pairs is None:
        pairs = [_from_the_text(pair, mentions) for pair in combinations(range(len(mentions)), 2)]
        pairs = [pair for pair in pairs if not isinstance(mentions[pair[0]], int)]
        if not pairs:
            raise ValueError("All entities are objects of the image; a relation needs one in the text, its head.")
    try:
        pairs = [tuple(map(read_index, pair)) for pair in pairs]
    except TypeError:
        raise ValueError(
            f"pairs is {short_value(pairs)}; give a list of (head, tail) indices, such as [(0, 1)]."
        ) from None
    if not pairs:
        raise ValueError("pairs is empty; name at least one (head, tail), or leave it out for every two entities.")
    limits.check_pairs(len(pairs))
    places = {}
    for place, pair in enumerate(pairs):
        if len(pair) != 2 or not all(0 <= i < len(mentions) for i in pair):
            raise ValueError(
                f"The pair {short_value(pair)} is no (head, tail) out of the {len(mentions)} entities, counted from 0."
            )
        head, tail = (mentions[i] for i in pair)
        if isinstance(head, int):
            raise ValueError(f"The head of the pair {pair} is an object of the image; heads are in the text.")
        if head == tail:
            raise ValueError(
                f"Head and tail of the pair {pair} are both {short_text(text[slice(*head)])} at {head[0]} to "
                f"{head[1]}; give a (start, end) span for another occurrence, or leave one out."
            )
        if places.setdefault(pair, place) != place:
            raise ValueError(
                f"pairs names the pair {pair} twice, at {places[pair]} and {place}, counted from 0; leave one out."
            )
    return pairs


def _from_the_text(pair: tuple[int, int], mentions: list[Span | int]) -> tuple[int, int]:
    """The pair the way round in which its head is in the text, if there is one."""
    return pair[::-1] if isinstance(mentions[pair[0]], int) else pair
