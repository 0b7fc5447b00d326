"""Words of a sentence and the entities selected among them.

The page selects entities by words, which are clicked: word spans. The pipeline takes character spans. Both are
(start, end), end-exclusive.
"""

import re
from collections.abc import Iterable
from difflib import SequenceMatcher
from typing import NamedTuple

Span = tuple[int, int]

# Accents and vowel signs, which belong to the letter before them: combining, Hebrew, Arabic, Indic, Thai.
_MARKS = "\u0300-\u036f\u0591-\u05c7\u064b-\u065f\u0670\u0900-\u0dff\u0e31-\u0e4e"
_LETTER = rf"[\w{_MARKS}]"
_WORDS = re.compile(
    r"https?://\S+"
    r"|['’]s\b"
    r"|[\u3040-\u30ff\u3400-\u9fff]"  # Chinese and Japanese have no blanks between words: each sign can be clicked
    rf"|[@#]?\w{_LETTER}*(?:[-.&'’](?!s\b)\w{_LETTER}*)*"
    r"|[\U0001f1e6-\U0001f1ff]{2}"  # a flag is two letters
    r"|[^\w\s](?:[\ufe0f\U0001f3fb-\U0001f3ff]|\u200d[^\w\s])*"  # other marks, and emoji that are made of several
)
_NAME_LINKS = {"of", "de", "da", "del", "di", "la", "van", "von", "al", "bin"}  # inside a name: "Bank of America"
# Capitalized because a sentence starts with them, not because they are names.
_OPENERS = set(
    """a an the this that these those i i'm my me you your he his she her it its we our us they their who what when
    where why how which and or but so if as at by for from in into of on to up with after before about over under is
    are was were be been do does did has have had can could will would may must not no yes just now then there here
    today tonight tomorrow yesterday thanks rt via""".split()  # noqa: SIM905 - words read better than a list of them
)

_ACRONYMS = {"US", "WHO"}  # names, where "Us" and "Who" are none


class Finding(NamedTuple):
    """An entity that the model or a tagger found.

    Args:
        word_span: Its words.
        kind: Such as "person", or None where it is not known.
        score: Confidence of whoever found it, 0 to 1.
        before, after: Signs at the start of its first word and at the end of its last one that are not part of it,
            such as the "#" of a hashtag.
    """

    word_span: Span
    kind: str | None
    score: float
    before: int = 0
    after: int = 0


class EntitySelection(NamedTuple):
    """Entities selected in a sentence.

    Args:
        sentence: The sentence.
        word_spans: Sorted spans of words, none of which overlap.
        by_hand: Whether a visitor changed them.
        findings: Entities that were found; a visitor may have dropped some.
    """

    sentence: str = ""
    word_spans: tuple[Span, ...] = ()
    by_hand: bool = False
    findings: tuple[Finding, ...] = ()

    def finding_at(self, word_span: Span) -> Finding | None:
        """Returns the finding of exactly these words."""
        return next((finding for finding in self.findings if finding.word_span == word_span), None)


def split_words(sentence: str) -> list[Span]:
    """Computes the character spans of the words and punctuation marks of a sentence."""
    return [match.span() for match in _WORDS.finditer(sentence)]


def word_texts(sentence: str) -> list[str]:
    """Lists the words and punctuation marks of a sentence."""
    return [sentence[start:end] for start, end in split_words(sentence)]


def suggest_entities(sentence: str) -> EntitySelection:
    """Selects runs of capitalized words, @mentions and #hashtags; no model is involved.

    Example:
        >>> suggest_entities("The Bank of America in New York thanks @cher").word_spans
        ((1, 4), (5, 7), (8, 9))
    """
    words = word_texts(sentence)
    spans, start = [], None
    for index, word in enumerate([*words, ""]):
        if start is not None and not _continues_name(words, index):
            spans.append((start, index))
            start = None
        if word[:1] in ("@", "#") and len(word) > 1:
            spans.append((index, index + 1))
        elif start is None and _is_name(word):
            start = index
    return EntitySelection(sentence, tuple(sorted(spans)))


def _is_name(word: str) -> bool:
    return word in _ACRONYMS or (word[:1].isupper() and word.lower() not in _OPENERS)


def _continues_name(words: list[str], index: int) -> bool:
    inside = index + 1 < len(words) and words[index] in _NAME_LINKS
    return index < len(words) and (_is_name(words[index]) or (inside and _is_name(words[index + 1])))


def toggle_word(entities: EntitySelection, word: int, join: bool = True) -> EntitySelection:
    """Removes a word from its entity, or selects it as an entity of its own.

    Args:
        entities: The selection.
        word: Index of the word.
        join: Whether a newly selected word joins the entities next to it.
    """
    if not 0 <= word < len(split_words(entities.sentence)):  # deleted meanwhile
        return entities
    holding = [span for span in entities.word_spans if span[0] <= word < span[1]]
    if holding:
        replaced, changed = holding, _without_word(holding[0], word)
    else:
        replaced = [span for span in entities.word_spans if join and word in (span[0] - 1, span[1])]
        starts, ends = zip((word, word + 1), *replaced, strict=True)
        changed = [(min(starts), max(ends))]
    others = [span for span in entities.word_spans if span not in replaced]
    return entities._replace(word_spans=tuple(sorted(others + changed)), by_hand=True)


def _without_word(span: Span, word: int) -> list[Span]:
    """Splits a span at one of its words, which is left out."""
    parts = (span[0], word), (word + 1, span[1])
    return [part for part in parts if part[0] < part[1]]


def carry_entities(entities: EntitySelection, sentence: str) -> EntitySelection:
    """Selects in an edited sentence the entities whose words the edit left together."""
    blocks = SequenceMatcher(None, word_texts(entities.sentence), word_texts(sentence), autojunk=False)
    carried = {
        (start, end): (start - old + new, end - old + new)
        for old, new, size in blocks.get_matching_blocks()
        for start, end in entities.word_spans
        if old <= start and end <= old + size
    }
    findings = [finding for finding in entities.findings if finding.word_span in carried]
    return EntitySelection(
        sentence,
        tuple(carried.values()),
        entities.by_hand,
        tuple(finding._replace(word_span=carried[finding.word_span]) for finding in findings),
    )


def entity_character_spans(entities: EntitySelection) -> list[Span]:
    """Computes the character spans of the entities; of one that was found as it was found."""
    words = split_words(entities.sentence)
    spans = []
    for start, end in entities.word_spans:
        finding = entities.finding_at((start, end))
        before, after = (finding.before, finding.after) if finding else (0, 0)
        spans.append((words[start][0] + before, words[end - 1][1] - after))
    return spans


def entity_inputs(entities: EntitySelection) -> list[Span | dict]:
    """Builds the entities as the pipeline takes them: character spans, and dicts of those that were found."""
    inputs = []
    for word_span, (start, end) in zip(entities.word_spans, entity_character_spans(entities), strict=True):
        finding = entities.finding_at(word_span)
        known = finding and {"start": start, "end": end, "kind": finding.kind, "score": finding.score}
        inputs.append(known or (start, end))
    return inputs


def select_found(sentence: str, found: Iterable[tuple[int, int, str | None, float]]) -> EntitySelection:
    """Selects the words that found mentions touch, whole but for signs around the mention.

    A mention that shares a word with an earlier one is left out.

    Args:
        sentence: The sentence.
        found: [start, end) characters, kind and score of each.
    """
    words, findings, taken = split_words(sentence), [], set()
    for start, end, kind, score in found:
        touched = {index for index, (first, last) in enumerate(words) if first < end and start < last}
        if touched and not touched & taken:
            first, last = min(touched), max(touched)
            before, after = sentence[words[first][0] : start], sentence[end : words[last][1]]
            findings.append(Finding((first, last + 1), kind, score, _count_signs(before), _count_signs(after)))
            taken |= touched
    findings = tuple(sorted(findings))
    return EntitySelection(sentence, tuple(finding.word_span for finding in findings), findings=findings)


def _count_signs(text: str) -> int:
    """Counts the characters of a text without letters and digits; 0 for one that has any."""
    return 0 if any(map(str.isalnum, text)) else len(text)
