"""Text normalization for comparison, with offsets of the original characters.

Spellings of a name that differ in HTML escapes, composed and decomposed letters, curly and straight quotes, kinds of
dashes and blanks, or invisible signs normalize to the same text. Case stays. Offsets are of the original
text, and an occurrence never cuts an escape, nor a letter from its accent.

Example:
    >>> text = NormalizedText("AT&amp;T in Cafe\u0301")
    >>> [text.span(*found) for found in text.find("AT&T")]
    [(0, 8)]
"""

import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from functools import lru_cache
from html import unescape
from html.entities import html5

Span = tuple[int, int]

_QUOTES = {"'": "‘’‚‛′‹›ʹʻʼˈ`´｀＇", '"': "“”„‟″«»＂"}
_DASHES = "‐‑‒–—―−﹘﹣－"
_SIGNS = {ord(sign): plain for plain, signs in {**_QUOTES, "-": _DASHES, "...": "…"}.items() for sign in signs}

# Invisible, and no part of a letter: soft hyphen, joiners, marks of direction, byte order mark.
_INVISIBLE = "\u00ad\u034f\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff"
_VARIATION = "\u180b-\u180d\ufe00-\ufe0f\U000e0100-\U000e01ef"  # invisible too, but a part of the sign before
_TOKENS = re.compile(
    r"(?P<plain>[!-%'-_a-~]+)"
    rf"|(?P<blank>\s+)|(?P<invisible>[{_INVISIBLE}])|(?P<variation>[{_VARIATION}])"
    # tweets come escaped twice ("&amp;amp;"), set apart by a tokenizer ("& amp ;") and without the semicolon
    r"|&(?:(?:amp;)*| )(?P<escape>#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|amp|lt|gt|quot|apos|nbsp) ?;"
    r"|&(?P<legacy>amp|lt|gt|quot)\b"
    r"|&(?P<named>[A-Za-z][A-Za-z0-9]{1,31};)"
    r"|(?P<other>.)",
    re.DOTALL,
)
_IS_INVISIBLE, _IS_VARIATION = (re.compile(f"[{signs}]").match for signs in (_INVISIBLE, _VARIATION))
_PLAIN = {chr(code) for code in range(128)} - {"`"}
_ZERO_WIDTH_SPACE, _JOINER = "\u200b", "\u200d"
_SKIN_TONES = "\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff"


class NormalizedText:
    """A normalized text with the offsets of its characters in the original.

    Args:
        original: The text as the user wrote it.

    Attributes:
        text: The normalized text.
        starts, ends: Of each of its characters, the offsets in the original of the unit (a letter with its marks, an
            escape, a run of blanks) that it opens, or closes; None inside of a unit.
        breaks: Indices of the characters that a zero-width space separates from the one before.
    """

    def __init__(self, original: str):
        self.original = original
        self.text = ""
        self.starts: list[int | None] = []
        self.ends: list[int | None] = []
        self.breaks: set[int] = set()
        units = _Units(original)
        normalized = [unit if unit in _PLAIN else _normalize_unit(unit) for unit in units.texts]
        for index, (text, start, end) in enumerate(zip(normalized, units.starts, units.ends, strict=True)):
            if index in units.breaks:
                self.breaks.add(len(self.starts))
            inside = [None] * (len(text) - 1)
            self.starts += [start, *inside]
            self.ends += [*inside, end]
        self.text = "".join(normalized)

    def find(self, normalized: str) -> Iterator[Span]:
        """Finds every [start, end) of `normalized` in the normalized text, of whole units; they may overlap."""
        start = self.text.find(normalized) if normalized else -1
        while start >= 0:
            end = start + len(normalized)
            if self.starts[start] is not None and self.ends[end - 1] is not None:
                yield start, end
            start = self.text.find(normalized, start + 1)

    def find_around(self, name: str) -> Iterator[Span]:
        """Finds [start, end) in the normalized text of the units around each occurrence of `name` in the original."""
        opening = {index: start for index, start in enumerate(self.starts) if start is not None}
        closing = {index: end for index, end in enumerate(self.ends) if end is not None}
        opening_indices, starts = list(opening), list(opening.values())
        closing_indices, ends = list(closing), list(closing.values())
        index = self.original.find(name)
        while index >= 0:
            first, last = bisect_right(ends, index), bisect_left(starts, index + len(name)) - 1
            if first <= last:  # not of invisible signs alone
                yield opening_indices[first], closing_indices[last] + 1
            index = self.original.find(name, index + 1)

    def span(self, start: int, end: int) -> Span:
        """Converts [start, end) characters of the normalized text to those of the original, of whole units."""
        while (first := self.starts[start]) is None:
            start -= 1
        while (last := self.ends[end - 1]) is None:
            end += 1
        return first, last


def normalize(text: str) -> str:
    """Normalizes a text, without blanks at its ends."""
    return NormalizedText(text).text.strip()


class _Units:
    """Units of a text, decoded but not yet normalized: lists of their texts, starts and ends.

    Units that a zero-width space separates from the one before are in `breaks`.
    """

    def __init__(self, original: str):
        self.texts: list[str] = []
        self.starts: list[int] = []
        self.ends: list[int] = []
        self.breaks: set[int] = set()
        self._joined = self._separated = False
        for token in _TOKENS.finditer(original):
            start, end = token.span()
            if token.lastgroup == "plain" or (token["named"] and token["named"] not in html5):
                self._open(token[0][0], start, start + 1)
                self.texts += token[0][1:]
                self.starts += range(start + 1, end)
                self.ends += range(start + 2, end + 1)
            else:
                self._add(_decode(token), start, end)

    def _add(self, decoded: str, start: int, end: int) -> None:
        for number, char in enumerate(decoded):
            # an escape that stands for two letters is one unit
            if number or (self._continues(char) and not _IS_INVISIBLE(char)):
                self._extend("" if _IS_VARIATION(char) else " " if char.isspace() else char, end)
            elif _IS_INVISIBLE(char):
                self._joined, self._separated = char == _JOINER, self._separated or char == _ZERO_WIDTH_SPACE
            elif not _IS_VARIATION(char):
                self._open(" " if char.isspace() else char, start, end)

    def _open(self, char: str, start: int, end: int) -> None:
        if self._separated:
            self.breaks.add(len(self.texts))
        self.texts.append(char)
        self.starts.append(start)
        self.ends.append(end)
        self._joined = self._separated = False

    def _extend(self, char: str, end: int) -> None:
        if self.texts[-1] != " ":
            self.texts[-1] += char
        self.ends[-1] = end
        self._joined = False

    def _continues(self, char: str) -> bool:
        """Returns whether a character continues the last unit: a blank, a mark, part of a syllable, flag or emoji."""
        last = self.texts[-1] if self.texts else ""
        if not last or last == " " or char.isspace():
            return last == " " and char.isspace()
        if char.isascii():
            return False
        if unicodedata.category(char)[0] == "M" or _IS_VARIATION(char) or char in _SKIN_TONES:
            return True
        if self._joined and unicodedata.category(char) == "So" and not last.isalnum():
            return True
        if "\u1160" <= char <= "\u11ff":  # vowels and final consonants of Hangul, decomposed
            return "\u1100" <= last[-1] <= "\u11ff" or "\uac00" <= last[-1] <= "\ud7a3"
        return _is_flag_letter(char) and len(last) == 1 and _is_flag_letter(last)


def _decode(token: re.Match) -> str:
    """Decodes a token of the text, such as an HTML escape."""
    if token.lastgroup == "blank":
        return " "
    if token["escape"] or token["legacy"]:
        return unescape(f"&{token['escape'] or token['legacy']};")
    return html5[token["named"]] if token["named"] else token[0]


def _is_flag_letter(char: str) -> bool:
    return "\U0001f1e6" <= char <= "\U0001f1ff"


@lru_cache(maxsize=8192)
def _normalize_unit(unit: str) -> str:
    """Composes a unit, its quotes and dashes straight; a letter or digit of another width or style becomes plain.

    Signs such as ™ stay themselves: they are not letters of the word before them.
    """
    unit = unit.translate(_SIGNS)
    styled = unit[0].isalpha() or unit[0].isdecimal() or "\uff01" <= unit[0] <= "\uffee"
    return unicodedata.normalize("NFKC" if styled else "NFC", unit).translate(_SIGNS)


__all__ = ["NormalizedText", "Span", "normalize"]
