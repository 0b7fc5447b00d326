"""Plain sentences with an unmistakable relation between two entities, or none, and which answers to them are right.

A line of the file is a JSON object: `text`; `head` and `tail`, which occur once in it; `relation`, with its direction
from head to tail; and `half`, "development" or "once": the second half is read to report a model, not to choose one.

Example: "Asmara is the birthplace of Yonas Tesfaye." has the head "Yonas Tesfaye", the tail "Asmara" and the relation
`/per/loc/place_of_birth`. An answer that takes Asmara for the head is wrong.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vmhan.data.schema import SYMMETRIC

DEVELOPMENT, ONCE = "development", "once"
HALVES = (DEVELOPMENT, ONCE)
#: The negative label, as the file spells it.
NO_RELATION = "None"
Span = tuple[int, int]


@dataclass(frozen=True)
class PlainSentence:
    """A line of the file; see the module."""

    text: str
    head: str
    tail: str
    relation: str
    half: str

    def __post_init__(self):
        for name in (self.head, self.tail):
            if self.text.count(name) != 1:
                raise ValueError(f"{name!r} occurs {self.text.count(name)} times in {self.text!r}; name it so once.")
        if self.half not in HALVES:
            raise ValueError(f"half is {self.half!r} in {self.text!r}; it is {' or '.join(map(repr, HALVES))}.")

    @property
    def head_span(self) -> Span:
        """(start, end) characters of the head."""
        return self._span(self.head)

    @property
    def tail_span(self) -> Span:
        """(start, end) characters of the tail."""
        return self._span(self.tail)

    @property
    def directed(self) -> bool:
        """Whether the relation does not hold the other way round."""
        return self.relation != NO_RELATION and self.relation not in SYMMETRIC

    def _span(self, name: str) -> Span:
        start = self.text.index(name)
        return start, start + len(name)


def read_plain_sentences(path: Path) -> list[PlainSentence]:
    """Reads the sentences of a file, both halves.

    Raises:
        ValueError: A line is none, with its number.
    """
    sentences = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            sentences.append(PlainSentence(**json.loads(line)))
        except (ValueError, TypeError) as error:
            raise ValueError(f"Line {number} of {path} is no plain sentence: {error}") from error
    return sentences


def request_of(sentence: PlainSentence) -> dict[str, Any]:
    """Builds the request of a sentence: its text, and its entities in the order of the text, not of the relation."""
    return {"text": sentence.text, "entities": sorted([sentence.head_span, sentence.tail_span])}


def is_right(sentence: PlainSentence, pair: Mapping[str, Any]) -> bool:
    """Tests whether an answered pair has the relation of a sentence and, if that is directed, its head as head."""
    as_written = (pair["head"]["start"], pair["head"]["end"]) == sentence.head_span
    return pair["relation"] == sentence.relation and (as_written or not sentence.directed)


def count_right(sentences: Sequence[PlainSentence], right: Sequence[bool]) -> dict[str, dict[str, int]]:
    """Counts sentences and right answers: of all, of those with a relation and of those without."""
    related = [sentence.relation != NO_RELATION for sentence in sentences]
    kinds = {
        "all": [True] * len(related),
        "related": related,
        "unrelated": [not has_relation for has_relation in related],
    }
    return {
        kind: {"sentences": sum(kept), "right": sum(ok for ok, keep in zip(right, kept, strict=True) if keep)}
        for kind, kept in kinds.items()
    }
