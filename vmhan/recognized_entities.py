"""Entities as recognizers return them: `pipeline("ner")`, with and without aggregation, spaCy, GLiNER.

Offsets win over words, which tokenizers lower and strip of accents. Tokens of one entity are merged as
`aggregation_strategy="simple"` merges them, and so are the pieces of a word.

Example:
    >>> tokens = [
    ...     {"entity": "B-PER", "index": 1, "word": "Ann", "start": 0, "end": 3},
    ...     {"entity": "I-PER", "index": 2, "word": "##a", "start": 3, "end": 4},
    ... ]
    >>> [read_mention(entity) for entity in merge_tokens(tokens)]
    [(0, 4)]
"""

import re
from collections.abc import Sequence

from .request_values import short_value

_TAG = re.compile(r"(?:([BIESLU])-)?(.*)", re.DOTALL)
_OPENING = ("B", "S", "U")  # of a tag, what opens an entity: alone with BIO, or also a single one with BIOES, BILOU
_PIECE = "##"  # how WordPiece spells what goes on with a word
_WORD_STARTS = "▁Ġ"  # how SentencePiece and byte-level BPE spell what opens one


def is_mention(entity) -> bool:
    """Whether an entity is a dict that tells of a mention in the text, not of an object."""
    if not isinstance(entity, dict) or entity.keys() & {"box", "object"}:
        return False
    return {"start", "end"} <= entity.keys() or bool(entity.keys() & {"text", "word"})


def read_mention(entity: dict) -> str | tuple:
    """The (start, end) of a mention, yet to be checked, or without them its letters.

    Raises:
        ValueError: It has neither.
    """
    start, end = (_whole(_given(entity.get(name))) for name in ("start", "end"))
    if start is not None and end is not None:
        return start, end
    word = entity["text"] if "text" in entity else entity.get("word")
    if start is not None or end is not None or not isinstance(word, str):
        raise ValueError(
            f'The entity {short_value(entity)} has no "start" and "end", nor a "text" or a "word" to look for.'
        )
    return word if "text" in entity else word.removeprefix(_PIECE).lstrip(_WORD_STARTS)


def merge_tokens(entities: Sequence) -> list:
    """Entities, those that are tokens merged; all others stay as they are."""
    merged, last = [], None
    for entity in entities:
        if last is not None and _is_token(entity) and _continues(last, entity):
            merged[-1] = _join(merged[-1], entity)
        else:
            merged.append(entity)
        last = entity if _is_token(entity) else None
    return merged


def _is_token(entity) -> bool:
    return isinstance(entity, dict) and "word" in entity and bool(entity.keys() & {"entity", "entity_group"})


def _continues(last: dict, token: dict) -> bool:
    """Whether a token belongs to the entity of the token that came last."""
    start = _given(token.get("start"))
    within_word = start is not None and start == last.get("end")
    is_piece = str(token["word"]).startswith(_PIECE)
    if not (_is_numbered(last) and _is_numbered(token)):  # aggregated, which leaves pieces of another tag apart
        return is_piece and within_word
    if token["index"] != last["index"] + 1:  # what stands between the two is no entity
        return False
    (_, last_kind), (prefix, kind) = (_TAG.match(str(one["entity"])).groups() for one in (last, token))
    return is_piece or (prefix not in _OPENING and (within_word or kind == last_kind))


def _is_numbered(token: dict) -> bool:
    return "entity" in token and isinstance(_whole(token.get("index")), int)


def _join(entity: dict, token: dict) -> dict:
    """The entity with one more token; its word counts only where there are no offsets."""
    word, more = str(entity["word"]), str(token["word"])
    if more.startswith(_PIECE):
        word += more.removeprefix(_PIECE)
    elif more[:1] in _WORD_STARTS or word[:1] not in _WORD_STARTS:
        word += " " + more.lstrip(_WORD_STARTS)
    else:
        word += more
    return {**entity, "word": word, "end": token.get("end")}


def _given(value):
    """A value, or None where a table has NaN for it."""
    return None if value is None or value != value else value


def _whole(value):
    """A value, or the integer that it is: a column of pandas that lacks some holds floats."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


__all__ = ["is_mention", "merge_tokens", "read_mention"]
