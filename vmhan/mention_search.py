"""The places of entities that a user names by their letters.

A name stands for a whole word where it can, and not for a part of another, longer entity: beside "Paris Hilton",
"Paris" is the city. Letters are compared as text_normalization.py spells them. What is a guess comes with a warning.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

from .request_values import short_text
from .text_normalization import NormalizedText, Span, normalize

WHOLE, JOINED, IN_TAG, IN_WORD = range(4)  # how a name stands in the text, the best first
_LONGEST_SPELLING = 32  # characters of a name for one of the text, as an escape
_NAMED_SPANS = 5  # of the other places of a name, in a warning

_ADDRESSES = re.compile(r"(?:https?://|www\.)\S+")
# Scripts without blanks between words, so that a name may start and end at any letter: Thai to Myanmar, Khmer,
# Hiragana and Han. Katakana is not among them: foreign names are runs of it.
_NO_BLANKS = (
    "\u0e00-\u109f\u1780-\u17ff\u3005-\u3007\u3041-\u309f\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
_INSIDE = "\u0301"  # stands for what a letter goes on with: its marks, or the rest of a ligature
_WORDS = re.compile(rf"[{_NO_BLANKS}]{_INSIDE}*|(?:[^\W{_NO_BLANKS}]{_INSIDE}*)+")


class Occurrence(NamedTuple):
    """A place of a name.

    Args:
        start, end: Its characters in the normalized text, end-exclusive.
        span: Its [start, end) characters in the original.
        standing: `WHOLE` words, `JOINED` to others as in a compound, handle, hashtag or address, a part of a handle or
            hashtag (`IN_TAG`), or a part of a word (`IN_WORD`).
    """

    start: int
    end: int
    span: Span
    standing: int


class MentionSearch:
    """Places names in a text.

    Args:
        text: The text.
        spans: [start, end) characters of entities whose place is known.

    Attributes:
        warnings: What was guessed, in sentences.
    """

    def __init__(self, text: str, spans: Iterable[Span] = ()):
        self.text = text
        self.warnings: list[str] = []
        self._normalized = NormalizedText(text)
        self._words = _find_words(self._normalized)
        self._word_starts = [start for start, _ in self._words]
        self._addresses = [match.span() for match in _ADDRESSES.finditer(self._normalized.text)]
        self._taken = set(spans)
        self._covered = bytearray(len(text))  # 1 where an entity is, or might be
        for span in self._taken:
            self._cover(span)

    def place(self, names: Sequence[str]) -> list[Span]:
        """The [start, end) characters of each name; of a name that is given twice two occurrences, if there are two.

        Raises:
            ValueError: A name does not occur.
        """
        wanted: dict[str, list[int]] = {}
        for index, name in enumerate(names):
            if len(name) > _LONGEST_SPELLING * len(self.text):  # too long to be worth the time of a look
                raise ValueError(self._does_not_occur(name, ""))
            wanted.setdefault(normalize(name), []).append(index)
        for start, end in self._taken:
            wanted.setdefault(normalize(self.text[start:end]), [])
        placed = {}
        for normalized in sorted(wanted, key=len, reverse=True):  # the longer one covers the shorter one
            indices = wanted[normalized]
            found = self._find(normalized)
            if indices and not found:
                found = self._find_around(names[indices[0]].strip())
            if indices and not found:
                raise ValueError(self._does_not_occur(names[indices[0]], normalized))
            placed |= zip(indices, self._choose(names, indices, found), strict=True)
            for occurrence in found:
                if occurrence.standing <= JOINED:
                    self._cover(occurrence.span)
        return [placed[index] for index in range(len(names))]

    def _choose(self, names: Sequence[str], indices: list[int], found: list[Occurrence]) -> list[Span]:
        """The best occurrence for each of the equal names at `indices`."""
        chosen = []
        for index in indices:
            ranks = [self._rank(occurrence) for occurrence in found]
            best = min(ranks)
            equal = [occurrence for occurrence, rank in zip(found, ranks, strict=True) if rank == best]
            chosen.append(equal[0].span)
            if index == indices[-1] and equal[0].span not in self._taken:
                self._warn(names[index], equal[0], [occurrence.span for occurrence in equal[1:]])
            self._taken.add(equal[0].span)
            self._cover(equal[0].span)
        return chosen

    def _rank(self, occurrence: Occurrence) -> tuple:
        start, end = occurrence.span
        return (
            occurrence.standing == IN_WORD,
            occurrence.span in self._taken,
            1 in self._covered[start:end],
            occurrence.standing,
        )

    def _warn(self, name: str, chosen: Occurrence, others: list[Span]) -> None:
        if chosen.standing == IN_WORD:
            start, end = self._word_around(chosen)
            around = short_text(self.text[start:end])
            self.warnings.append(
                f"The entity {short_text(name)} stands in the text only inside of {around} at {start} to {end}; check "
                "that it is meant, or give a (start, end) span."
            )
        elif others:
            named = " and ".join(f"{start} to {end}" for start, end in others[:_NAMED_SPANS])
            further = f" and {len(others) - _NAMED_SPANS} more" if len(others) > _NAMED_SPANS else ""
            start, end = chosen.span
            self.warnings.append(
                f"The entity {short_text(name)} at {start} to {end} could also be the one at {named}{further}; give a "
                "(start, end) span to choose."
            )

    def _cover(self, span: Span) -> None:
        start, end = span
        self._covered[start:end] = b"\1" * (end - start)

    def _find(self, normalized: str) -> list[Occurrence]:
        return [
            Occurrence(start, end, self._normalized.span(start, end), self._standing(start, end))
            for start, end in self._normalized.find(normalized)
        ]

    def _find_around(self, name: str) -> list[Occurrence]:
        """Where the very letters of a name stand that cuts an escape, or a letter from its accent: all of it."""
        return [
            Occurrence(start, end, self._normalized.span(start, end), IN_WORD)
            for start, end in (self._normalized.find_around(name) if name else ())
        ]

    def _standing(self, start: int, end: int) -> int:
        text = self._normalized.text
        word, end_word = self._word_of(start), self._word_of(end - 1)
        inside = (word is not None and word[0] < start) or (end_word is not None and end < end_word[1])
        first = word[0] if word else start
        tagged = first > 0 and text[first - 1] in "@#"
        if inside:
            return IN_TAG if tagged else IN_WORD
        in_address = any(first <= start and end <= last for first, last in self._addresses)
        before, after = text[max(start - 2, 0) : start], text[end : end + 2]
        compound = (before[:-1].isalnum() and before[-1:] in ("-", "'")) or (after[:1] == "-" and after[1:].isalnum())
        return JOINED if tagged or in_address or compound else WHOLE

    def _word_of(self, index: int) -> Span | None:
        """[start, end) of the word around a character of the normalized text, None outside of words."""
        place = bisect_right(self._word_starts, index) - 1
        return self._words[place] if place >= 0 and index < self._words[place][1] else None

    def _word_around(self, occurrence: Occurrence) -> Span:
        """[start, end) in the original of the words that an occurrence cuts."""
        first, last = self._word_of(occurrence.start), self._word_of(occurrence.end - 1)
        return self._normalized.span(first[0] if first else occurrence.start, last[1] if last else occurrence.end)

    def _does_not_occur(self, name: str, normalized: str) -> str:
        name, text = short_text(name), short_text(self.text)
        told = f"The entity {name} does not occur in the text {text}; copy it letter by letter"
        other = re.search(re.escape(normalized), self._normalized.text, re.IGNORECASE) if normalized else None
        if not other:
            return f"{told}."
        start, end = self._normalized.span(*other.span())
        return f"{told}: there is {self.text[start:end]!r} at {start} to {end}."


def _find_words(normalized: NormalizedText) -> list[Span]:
    """[start, end) of the words of a normalized text; a letter of a script without blanks is a word."""
    units = "".join(
        char if start is not None else _INSIDE for char, start in zip(normalized.text, normalized.starts, strict=True)
    )
    parts = pairwise([0, *sorted(normalized.breaks), len(units)])
    return [match.span() for start, end in parts for match in _WORDS.finditer(units, start, end)]


__all__ = ["MentionSearch"]
