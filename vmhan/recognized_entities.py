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

from collections.abc import Sequence
from functools import reduce
from statistics import fmean
from typing import Any, TypeGuard

from .request_values import read_score, short_value

#: Kinds of entities by the tags of CoNLL-2003, which most recognizers use.
KINDS = {"PER": "person", "LOC": "place", "ORG": "organization", "MISC": "other"}
_PREFIXES = ("B", "I", "E", "S", "L", "U")  # of tags: BIO, BIOES and BILOU
_OPENING = ("B", "S", "U")  # those that open an entity
_PIECE = "##"  # how WordPiece spells a token that continues a word
_WORD_STARTS = "▁Ġ"  # how SentencePiece and byte-level BPE spell one that opens a word


def is_mention(entity: Any) -> bool:
    """Returns whether an entity is a dict of a mention in the text, not of an object of the image."""
    if not isinstance(entity, dict) or entity.keys() & {"box", "object"}:
        return False
    return {"start", "end"} <= entity.keys() or bool(entity.keys() & {"text", "word"})


def read_mention(entity: dict) -> str | tuple:
    """Reads the (start, end) of a mention, not yet checked, or without them its text.

    Raises:
        ValueError: It has neither.
    """
    start, end = (_to_whole(_or_none(entity.get(name))) for name in ("start", "end"))
    if start is not None and end is not None:
        return start, end
    word = entity["text"] if "text" in entity else entity.get("word")
    if start is not None or end is not None or not isinstance(word, str):
        raise ValueError(
            f'The entity {short_value(entity)} has no "start" and "end", nor a "text" or a "word" to search.'
        )
    return word if "text" in entity else word.removeprefix(_PIECE).lstrip(_WORD_STARTS)


def read_kind(entity: dict) -> str | None:
    """Reads the kind of a mention: its `"kind"`, as an answer holds it, or that of its tag; None for any other tag."""
    if isinstance(entity.get("kind"), str):
        return entity["kind"]
    tags = (entity.get(name) for name in ("entity_group", "entity", "label"))
    tag = next((tag for tag in tags if isinstance(tag, str)), "")
    return KINDS.get(_split_tag(tag)[1])


def read_mention_score(entity: dict, text: str) -> float:
    """Reads the score of a mention with this text, 1 where it has none; raises ValueError if it is none of 0 to 1."""
    return read_score(_or_none(entity.get("score")), text)


def merge_tokens(entities: Sequence) -> list:
    """Merges those entities that are tokens of one entity; all others stay as they are."""
    groups: list[list] = []
    last: dict | None = None
    for entity in entities:
        if last is not None and _is_token(entity) and _continues(last, entity):
            groups[-1].append(entity)
        else:
            groups.append([entity])
        last = entity if _is_token(entity) else None
    return [group[0] if len(group) == 1 else _merge(group) for group in groups]


def _is_token(entity: Any) -> TypeGuard[dict]:
    return isinstance(entity, dict) and "word" in entity and bool(entity.keys() & {"entity", "entity_group"})


def _continues(last: dict, token: dict) -> bool:
    """Returns whether a token belongs to the entity of the token before it."""
    start = _or_none(token.get("start"))
    within_word = start is not None and start == last.get("end")
    is_piece = str(token["word"]).startswith(_PIECE)
    if not (_is_numbered(last) and _is_numbered(token)):  # aggregated, which leaves pieces of another tag apart
        return is_piece and within_word
    if token["index"] != last["index"] + 1:  # a token between the two is outside of entities
        return False
    (_, last_kind), (prefix, kind) = _split_tag(str(last["entity"])), _split_tag(str(token["entity"]))
    return is_piece or (prefix not in _OPENING and (within_word or kind == last_kind))


def _split_tag(tag: str) -> tuple[str | None, str]:
    """Splits a tag such as "B-PER" into prefix and entity type; the prefix is None without one."""
    prefix, hyphen, kind = tag.partition("-")
    return (prefix, kind) if hyphen and prefix in _PREFIXES else (None, tag)


def _is_numbered(token: dict) -> bool:
    return "entity" in token and isinstance(_to_whole(token.get("index")), int)


def _merge(tokens: Sequence[dict]) -> dict:
    """Merges the tokens of one entity, whose score is their mean."""
    merged: dict = reduce(_join, tokens)
    scores = [token["score"] for token in tokens if isinstance(token.get("score"), float)]
    return {**merged, "score": fmean(scores)} if len(scores) == len(tokens) else merged


def _join(entity: dict, token: dict) -> dict:
    """Adds a token to an entity; its word counts only where there are no offsets."""
    word, more = str(entity["word"]), str(token["word"])
    if more.startswith(_PIECE):
        word += more.removeprefix(_PIECE)
    elif more[:1] in _WORD_STARTS or word[:1] not in _WORD_STARTS:
        word += " " + more.lstrip(_WORD_STARTS)
    else:
        word += more
    return {**entity, "word": word, "end": token.get("end")}


def _or_none(value: Any) -> Any:
    """Converts NaN, which tables hold for a missing value, to None."""
    return None if value is None or value != value else value


def _to_whole(value: Any) -> Any:
    """Converts a whole float to an integer: a column of pandas that lacks some values holds floats."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


__all__ = ["KINDS", "is_mention", "merge_tokens", "read_kind", "read_mention", "read_mention_score"]
