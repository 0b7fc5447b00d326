"""What an LLM answered, checked: JSON wherever it stands in the reply, and only what the sentence or image holds."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise

from vmhan.node_selection import SelectionRequest, Span, overlap

#: Characters of a reply that are read, without thoughts, and words of a phrase about the image that is still a phrase.
LONGEST_REPLY = 20_000
LONGEST_PHRASE = 8

_THOUGHTS = re.compile(r"<think>.*?(?:</think>|\Z)", re.DOTALL)
_OPENING = re.compile(r"[{\[]")
_PIECES = re.compile(r"\w+|[^\w\s]")


@dataclass
class Answer:
    """A checked reply.

    Args:
        items: What is kept of it.
        dropped: How many items were dropped, by reason.
        fault: Why the whole reply is of no use, or None.
    """

    items: list = field(default_factory=list)
    dropped: Counter = field(default_factory=Counter)
    fault: str | None = None

    def drop(self, reason: str):
        self.dropped[reason] += 1


def read_text_phrases(reply: str, request: SelectionRequest, count: int) -> Answer:
    """Phrases as [start, end) characters: the first occurrence that overlaps neither head nor tail."""
    answer = Answer()
    for phrase in _entries(reply, "phrases", answer):
        if not isinstance(phrase, str) or not _says_something(phrase):
            answer.drop("no text")
            continue
        found = find_phrase(request.text, phrase)
        free = [span for span in found if not overlap(span, request.head) and not overlap(span, request.tail)]
        if not found:
            answer.drop("not in the sentence")
        elif not free:
            answer.drop("head or tail")
        else:
            _keep(answer, free[0], count)
    return _judged(answer, "none of these phrases stands in the sentence beside the two entities")


def read_visual_phrases(reply: str, request: SelectionRequest, count: int) -> Answer:
    """Phrases about the image, in lower case."""
    answer = Answer()
    for phrase in _entries(reply, "phrases", answer):
        if not isinstance(phrase, str) or not phrase.isprintable() or not _says_something(phrase):
            answer.drop("no text")
        elif len(phrase.split()) > LONGEST_PHRASE:
            answer.drop("too long")
        else:
            _keep(answer, " ".join(phrase.lower().split()), count)
    return _judged(answer, "these are no phrases of one to five words")


def read_objects(reply: str, request: SelectionRequest, count: int) -> Answer:
    """Indices into the objects of the request; a name stands for the first such object that is not yet kept."""
    answer = Answer()
    labels = [item.label.casefold() for item in request.objects]
    for entry in _entries(reply, "objects", answer):
        if type(entry) is not int and not isinstance(entry, str):
            answer.drop("no number")
            continue
        index = _object_index(entry, labels, answer.items)
        if index is None:
            answer.drop("not among the objects")
        else:
            _keep(answer, index, count)
    return _judged(answer, "none of these is the number of an object")


def _object_index(entry: int | str, labels: list[str], kept: list[int]) -> int | None:
    if isinstance(entry, str):
        name = entry.strip().casefold()
        named = [index for index, label in enumerate(labels) if label and label == name]
        if named:
            return next((index for index in named if index not in kept), named[0])
        numbered = re.match(r"[0-9]{1,4}(?!\w)", name)
        entry = int(numbered[0]) if numbered else -1
    return entry if 0 <= entry < len(labels) else None


def _says_something(phrase: str) -> bool:
    """Whether a phrase holds a letter or digit; "..." is what the prompt holds in place of an answer."""
    return any(letter.isalnum() for letter in phrase)


def _keep(answer: Answer, item, count: int):
    if item in answer.items:
        answer.drop("twice")
    elif len(answer.items) == count:
        answer.drop("too many")
    else:
        answer.items.append(item)


def _judged(answer: Answer, fault: str) -> Answer:
    """An empty list is an answer; a list of which nothing is left is none."""
    if answer.fault is None and not answer.items and answer.dropped:
        answer.fault = fault
    return answer


def _entries(reply: str, key: str, answer: Answer) -> list:
    """The list under `key` in the first JSON object that has one, or the first bare list."""
    values = list(json_values(_THOUGHTS.sub("", reply)[:LONGEST_REPLY]))
    named = [value[key] for value in values if isinstance(value, dict) and isinstance(value.get(key), list)]
    lists = named or [value for value in values if isinstance(value, list)]
    if not lists:
        answer.fault = f'it holds no JSON object with a list called "{key}"'
    return lists[0] if lists else []


def json_values(text: str) -> Iterator[object]:
    """The JSON objects and lists in a text, in order, whatever prose or code fence is around them."""
    decoder, place = json.JSONDecoder(), 0
    while opening := _OPENING.search(text, place):
        place = opening.start() + 1
        try:
            value, place = decoder.raw_decode(text, opening.start())
        except RecursionError:
            return  # brackets by the thousand are no answer, and each of them would take as long
        except ValueError:
            continue
        yield value


def find_phrase(text: str, phrase: str) -> list[Span]:
    """Where whole words of a sentence spell a phrase, in any case and spacing: "Libya's" finds "Libya 's".

    Returns [start, end) characters of `text`. Cases are folded, so "STRASSE" finds "Straße".
    """
    pieces = _PIECES.findall(phrase.casefold())
    if not pieces:
        return []
    places = [index for index, letter in enumerate(text) for _ in letter.casefold()]
    pattern = re.escape(pieces[0])
    for before, piece in pairwise(pieces):
        pattern += (r"\s+" if _is_word(before) and _is_word(piece) else r"\s*") + re.escape(piece)
    start, end = (r"(?<!\w)" if _is_word(pieces[0]) else ""), (r"(?!\w)" if _is_word(pieces[-1]) else "")
    found = re.finditer(start + pattern + end, text.casefold())
    return [(places[match.start()], places[match.end() - 1] + 1) for match in found]


def _is_word(piece: str) -> bool:
    return bool(re.match(r"\w", piece))


__all__ = ["Answer"]
