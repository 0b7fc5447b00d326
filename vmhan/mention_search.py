"""Search for the spans of entities that a user names by their text.

A name matches a whole word where it can, and not a part of another, longer entity: beside "Paris Hilton", "Paris" is
the city. Text is compared as text_normalization.py normalizes it. An ambiguous name comes with a warning.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from enum import IntEnum
from itertools import pairwise
from typing import NamedTuple

from .request_values import short_text
from .text_normalization import NormalizedText, Span, normalize

_LONGEST_SPELLING = 32  # characters of a name for one of the text, as an escape
_NAMED_SPANS = 5  # further occurrences that a warning lists

_ADDRESSES = re.compile(r"(?:https?://|www\.)\S+")
# Scripts without blanks between words, so that a name may start and end at any letter: Thai to Myanmar, Khmer,
# Hiragana and Han. Katakana is not among them: foreign names are runs of it.
_NO_BLANKS = (
    "\u0e00-\u109f\u1780-\u17ff\u3005-\u3007\u3041-\u309f\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
_INSIDE = "\u0301"  # replaces what continues a letter: its marks, or the rest of a ligature
_WORDS = re.compile(rf"[{_NO_BLANKS}]{_INSIDE}*|(?:[^\W{_NO_BLANKS}]{_INSIDE}*)+")


class MatchKind(IntEnum):
    """How a name matches the words of a text, the best first."""

    WHOLE = 0  # whole words
    JOINED = 1  # whole words joined to others, as in a compound, handle, hashtag or address
    IN_TAG = 2  # a part of a handle or hashtag
    IN_WORD = 3  # a part of a word


class Occurrence(NamedTuple):
    """An occurrence of a name.

    Args:
        start, end: Its characters in the normalized text, end-exclusive.
        span: Its [start, end) characters in the original.
        kind: How it matches words.
    """

    start: int
    end: int
    span: Span
    kind: MatchKind


class MentionSearch:
    """Searches names in a text.

    Args:
        text: The text.
        spans: [start, end) characters of entities that are given by them.

    Attributes:
        warnings: Sentences about ambiguous names.
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

    def find(self, names: Sequence[str]) -> list[Span]:
        """Finds the [start, end) characters of each name; of a name that is given twice two occurrences, if any.

        Raises:
            ValueError: A name does not occur.
        """
        found: dict[int, Span] = {}  # index of a name to its span
        by_text = self._group_by_text(names)
        for normalized in sorted(by_text, key=len, reverse=True):  # the longer one covers the shorter one
            indices = by_text[normalized]
            occurrences = self._find_occurrences(normalized, names[indices[0]] if indices else None)
            found |= zip(indices, self._choose(names, indices, occurrences), strict=True)
            for occurrence in occurrences:
                if occurrence.kind <= MatchKind.JOINED:
                    self._cover(occurrence.span)
        return [found[index] for index in range(len(names))]

    def _group_by_text(self, names: Sequence[str]) -> dict[str, list[int]]:
        """Groups the indices of names by normalized text; entities given by spans have no index."""
        by_text: dict[str, list[int]] = {}
        for index, name in enumerate(names):
            if len(name) > _LONGEST_SPELLING * len(self.text):  # too long to be worth the time of a search
                raise ValueError(self._does_not_occur(name, ""))
            by_text.setdefault(normalize(name), []).append(index)
        for start, end in self._taken:
            by_text.setdefault(normalize(self.text[start:end]), [])
        return by_text

    def _find_occurrences(self, normalized: str, name: str | None) -> list[Occurrence]:
        """Finds every occurrence of a normalized name; of `name` itself, unless it is None, there must be one."""
        occurrences = [
            Occurrence(start, end, self._normalized.span(start, end), self._match_kind(start, end))
            for start, end in self._normalized.find(normalized)
        ]
        if name is not None and not occurrences:
            occurrences = self._find_around(name.strip())
        if name is not None and not occurrences:
            raise ValueError(self._does_not_occur(name, normalized))
        return occurrences

    def _find_around(self, name: str) -> list[Occurrence]:
        """Finds a name that cuts an escape, or a letter from its accent, by the very characters: all of the units."""
        return [
            Occurrence(start, end, self._normalized.span(start, end), MatchKind.IN_WORD)
            for start, end in (self._normalized.find_around(name) if name else ())
        ]

    def _choose(self, names: Sequence[str], indices: list[int], occurrences: list[Occurrence]) -> list[Span]:
        """Chooses the best occurrence for each of the equal names at `indices`."""
        chosen = []
        for index in indices:
            ranks = [self._rank(occurrence) for occurrence in occurrences]
            best_rank = min(ranks)
            best, *others = (one for one, rank in zip(occurrences, ranks, strict=True) if rank == best_rank)
            chosen.append(best.span)
            if index == indices[-1] and best.span not in self._taken:
                self._warn(names[index], best, [occurrence.span for occurrence in others])
            self._taken.add(best.span)
            self._cover(best.span)
        return chosen

    def _rank(self, occurrence: Occurrence) -> tuple:
        """Ranks an occurrence, the lowest first."""
        start, end = occurrence.span
        return (
            occurrence.kind == MatchKind.IN_WORD,
            occurrence.span in self._taken,
            1 in self._covered[start:end],
            occurrence.kind,
        )

    def _warn(self, name: str, chosen: Occurrence, others: list[Span]) -> None:
        if chosen.kind == MatchKind.IN_WORD:
            start, end = self._word_around(chosen)
            around = short_text(self.text[start:end])
            self.warnings.append(
                f"The entity {short_text(name)} occurs in the text only inside of {around} at {start} to {end}; check "
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

    def _match_kind(self, start: int, end: int) -> MatchKind:
        """Returns how the characters [start, end) of the normalized text match its words."""
        text = self._normalized.text
        word, end_word = self._word_at(start), self._word_at(end - 1)
        inside = (word is not None and word[0] < start) or (end_word is not None and end < end_word[1])
        first = word[0] if word else start
        tagged = first > 0 and text[first - 1] in "@#"
        if inside:
            return MatchKind.IN_TAG if tagged else MatchKind.IN_WORD
        in_address = any(first <= start and end <= last for first, last in self._addresses)
        before, after = text[max(start - 2, 0) : start], text[end : end + 2]
        compound = (before[:-1].isalnum() and before[-1:] in ("-", "'")) or (after[:1] == "-" and after[1:].isalnum())
        return MatchKind.JOINED if tagged or in_address or compound else MatchKind.WHOLE

    def _word_at(self, index: int) -> Span | None:
        """Returns [start, end) of the word around a character of the normalized text, None outside of words."""
        number = bisect_right(self._word_starts, index) - 1
        return self._words[number] if number >= 0 and index < self._words[number][1] else None

    def _word_around(self, occurrence: Occurrence) -> Span:
        """Returns [start, end) in the original of the words that an occurrence cuts."""
        first, last = self._word_at(occurrence.start), self._word_at(occurrence.end - 1)
        return self._normalized.span(first[0] if first else occurrence.start, last[1] if last else occurrence.end)

    def _does_not_occur(self, name: str, normalized: str) -> str:
        name, text = short_text(name), short_text(self.text)
        message = f"The entity {name} does not occur in the text {text}; copy it letter by letter"
        other = re.search(re.escape(normalized), self._normalized.text, re.IGNORECASE) if normalized else None
        if not other:
            return f"{message}."
        start, end = self._normalized.span(*other.span())
        return f"{message}: there is {self.text[start:end]!r} at {start} to {end}."


def _find_words(normalized: NormalizedText) -> list[Span]:
    """Finds [start, end) of the words of a normalized text; a letter of a script without blanks is a word."""
    units = "".join(
        char if start is not None else _INSIDE for char, start in zip(normalized.text, normalized.starts, strict=True)
    )
    parts = pairwise([0, *sorted(normalized.breaks), len(units)])
    return [match.span() for start, end in parts for match in _WORDS.finditer(units, start, end)]


__all__ = ["MentionSearch"]
