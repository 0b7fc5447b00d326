"""Parsing of an LLM's replies: JSON anywhere in the reply, and only items of the sentence or image."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from vmhan.node_selection import SelectionRequest, Span, overlap

#: Most characters of a reply that are read, thoughts not counted, and most words of a phrase about the image.
LONGEST_REPLY = 20_000
LONGEST_PHRASE = 8

_THOUGHTS = re.compile(r"<think>.*?(?:</think>|\Z)", re.DOTALL)
_OPENING = re.compile(r"[{\[]")
_PIECES = re.compile(r"\w+|[^\w\s]")


@dataclass
class ParsedReply:
    """A parsed reply.

    Args:
        items: The items that are kept.
        dropped: Number of dropped items by reason.
        fault: Why the whole reply is unusable, or None.
    """

    items: list = field(default_factory=list)
    dropped: Counter[str] = field(default_factory=Counter)
    fault: str | None = None

    def drop(self, reason: str) -> None:
        """Counts a dropped item."""
        self.dropped[reason] += 1

    def keep(self, item: Any, count: int) -> None:
        """Keeps an item, unless it is there already or `count` items are."""
        if item in self.items:
            self.drop("twice")
        elif len(self.items) == count:
            self.drop("too many")
        else:
            self.items.append(item)

    def check(self, fault: str) -> "ParsedReply":
        """Sets the fault of a reply whose items were all dropped; an empty list is usable."""
        if self.fault is None and not self.items and self.dropped:
            self.fault = fault
        return self


def read_text_phrases(reply: str, request: SelectionRequest, count: int) -> ParsedReply:
    """Parses phrases of the sentence as [start, end) characters: the first occurrence beside head and tail."""
    parsed = ParsedReply()
    for phrase in _entries(reply, "phrases", parsed):
        if not isinstance(phrase, str) or not _has_content(phrase):
            parsed.drop("no text")
            continue
        found = find_phrase(request.text, phrase)
        free = [span for span in found if not overlap(span, request.head) and not overlap(span, request.tail)]
        if not found:
            parsed.drop("not in the sentence")
        elif not free:
            parsed.drop("head or tail")
        else:
            parsed.keep(free[0], count)
    return parsed.check("none of these phrases stands in the sentence beside the two entities")


def read_visual_phrases(reply: str, request: SelectionRequest, count: int) -> ParsedReply:
    """Parses phrases about the image, in lower case."""
    parsed = ParsedReply()
    for phrase in _entries(reply, "phrases", parsed):
        if not isinstance(phrase, str) or not phrase.isprintable() or not _has_content(phrase):
            parsed.drop("no text")
        elif len(phrase.split()) > LONGEST_PHRASE:
            parsed.drop("too long")
        else:
            parsed.keep(" ".join(phrase.lower().split()), count)
    return parsed.check("these are no phrases of one to five words")


def read_object_indices(reply: str, request: SelectionRequest, count: int) -> ParsedReply:
    """Parses indices of objects of the request; a name means the first such object that is not kept yet."""
    parsed = ParsedReply()
    labels = [item.label.casefold() for item in request.objects]
    for entry in _entries(reply, "objects", parsed):
        if type(entry) is not int and not isinstance(entry, str):
            parsed.drop("no number")
            continue
        index = _object_index(entry, labels, parsed.items)
        if index is None:
            parsed.drop("not among the objects")
        else:
            parsed.keep(index, count)
    return parsed.check("none of these is the number of an object")


def _object_index(entry: int | str, labels: list[str], kept: list[int]) -> int | None:
    if isinstance(entry, str):
        name = entry.strip().casefold()
        named = [index for index, label in enumerate(labels) if label and label == name]
        if named:
            return next((index for index in named if index not in kept), named[0])
        numbered = re.match(r"[0-9]{1,4}(?!\w)", name)
        entry = int(numbered[0]) if numbered else -1
    return entry if 0 <= entry < len(labels) else None


def _has_content(phrase: str) -> bool:
    """Returns whether a phrase holds a letter or digit; "..." is the placeholder of the prompt."""
    return any(letter.isalnum() for letter in phrase)


def _entries(reply: str, key: str, parsed: ParsedReply) -> list:
    """Finds the list under `key` in the first JSON object with one, or the first bare list; else sets the fault."""
    values = list(json_values(_THOUGHTS.sub("", reply)[:LONGEST_REPLY]))
    named = [value[key] for value in values if isinstance(value, dict) and isinstance(value.get(key), list)]
    lists = named or [value for value in values if isinstance(value, list)]
    if not lists:
        parsed.fault = f'it holds no JSON object with a list called "{key}"'
    return lists[0] if lists else []


def json_values(text: str) -> Iterator[object]:
    """Yields the JSON objects and lists in a text, in order, whatever prose or code fence is around them."""
    decoder, position = json.JSONDecoder(), 0
    while opening := _OPENING.search(text, position):
        position = opening.start() + 1
        try:
            value, position = decoder.raw_decode(text, opening.start())
        except RecursionError:
            return  # brackets by the thousand, each of which would take as long
        except ValueError:
            continue
        yield value


def find_phrase(text: str, phrase: str) -> list[Span]:
    """Finds a phrase as whole words of a sentence, in any case and spacing: "Libya's" finds "Libya 's".

    Returns [start, end) characters of `text`. Cases are folded, so "STRASSE" finds "Straße".
    """
    pieces = _PIECES.findall(phrase.casefold())
    if not pieces:
        return []
    positions = [index for index, letter in enumerate(text) for _ in letter.casefold()]
    pattern = re.escape(pieces[0])
    for before, piece in pairwise(pieces):
        pattern += (r"\s+" if _is_word(before) and _is_word(piece) else r"\s*") + re.escape(piece)
    start, end = (r"(?<!\w)" if _is_word(pieces[0]) else ""), (r"(?!\w)" if _is_word(pieces[-1]) else "")
    found = re.finditer(start + pattern + end, text.casefold())
    return [(positions[match.start()], positions[match.end() - 1] + 1) for match in found]


def _is_word(piece: str) -> bool:
    return bool(re.match(r"\w", piece))


__all__ = [
    "ParsedReply",
    "find_phrase",
    "json_values",
    "read_object_indices",
    "read_text_phrases",
    "read_visual_phrases",
]
