"""The words of a sentence and the entities picked among them.

Entities are ranges of words here, for words are what is clicked; the model gets them as ranges of characters.
"""

import re
from difflib import SequenceMatcher
from typing import NamedTuple

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
# Capitalised because a sentence starts with them, not because they are names.
_OPENERS = set(
    """a an the this that these those i i'm my me you your he his she her it its we our us they their who what when
    where why how which and or but so if as at by for from in into of on to up with after before about over under is
    are was were be been do does did has have had can could will would may must not no yes just now then there here
    today tonight tomorrow yesterday thanks rt via""".split()  # noqa: SIM905 - words read better than a list of them
)

_ACRONYMS = {"US", "WHO"}  # names, where "Us" and "Who" are none


class EntitySelection(NamedTuple):
    """What is picked in a sentence: ranges of words, and whether a visitor had a hand in them."""

    sentence: str = ""
    ranges: tuple[tuple[int, int], ...] = ()
    by_hand: bool = False


def split_words(sentence: str) -> list[tuple[int, int]]:
    """Character ranges of the words and punctuation marks of a sentence."""
    return [match.span() for match in _WORDS.finditer(sentence)]


def word_texts(sentence: str) -> list[str]:
    """The words and punctuation marks of a sentence."""
    return [sentence[start:end] for start, end in split_words(sentence)]


def suggest_entities(sentence: str) -> EntitySelection:
    """Runs of capitalised words, @mentions and #hashtags: a start for the visitor, with no model behind it.

    Example:
        >>> suggest_entities("The Bank of America in New York thanks @cher").ranges
        ((1, 4), (5, 7), (8, 9))
    """
    words = word_texts(sentence)
    ranges, start = [], None
    for place, word in enumerate([*words, ""]):
        if start is not None and not _continues_name(words, place):
            ranges.append((start, place))
            start = None
        if word[:1] in ("@", "#") and len(word) > 1:
            ranges.append((place, place + 1))
        elif start is None and _is_name(word):
            start = place
    return EntitySelection(sentence, tuple(sorted(ranges)))


def _is_name(word: str) -> bool:
    return word in _ACRONYMS or (word[:1].isupper() and word.lower() not in _OPENERS)


def _continues_name(words: list[str], place: int) -> bool:
    inside = place + 1 < len(words) and words[place] in _NAME_LINKS
    return place < len(words) and (_is_name(words[place]) or (inside and _is_name(words[place + 1])))


def click_word(entities: EntitySelection, word: int, join: bool = True) -> EntitySelection:
    """What a click makes of the entities: a picked word is dropped, another is picked and may join its neighbours."""
    if not 0 <= word < len(split_words(entities.sentence)):  # deleted meanwhile
        return entities
    apart = [part for part in entities.ranges if word < part[0] or part[1] <= word]
    holding = [part for part in entities.ranges if part not in apart]
    if holding:
        (first, end) = holding[0]
        changed = [part for part in ((first, word), (word + 1, end)) if part[0] < part[1]]
    else:
        joined = [part for part in apart if join and (part[1] == word or part[0] == word + 1)]
        apart = [part for part in apart if part not in joined]
        changed = [(min([word, *(first for first, _ in joined)]), max([word + 1, *(end for _, end in joined)]))]
    return EntitySelection(entities.sentence, tuple(sorted(apart + changed)), by_hand=True)


def carry_ranges(entities: EntitySelection, sentence: str) -> tuple[tuple[int, int], ...]:
    """Where the picked ranges stand in `sentence`, those whose words an edit has left together."""
    blocks = SequenceMatcher(None, word_texts(entities.sentence), word_texts(sentence), autojunk=False)
    return tuple(
        (first - old + new, end - old + new)
        for old, new, size in blocks.get_matching_blocks()
        for first, end in entities.ranges
        if old <= first and end <= old + size
    )


def character_spans(entities: EntitySelection) -> list[tuple[int, int]]:
    """The entities as the pipeline takes them: end-exclusive character ranges."""
    words = split_words(entities.sentence)
    return [(words[first][0], words[end - 1][1]) for first, end in entities.ranges]


def entities_at(sentence: str, spans: list[tuple[int, int]]) -> EntitySelection:
    """The words that character ranges touch; a range that shares a word with an earlier one is left out."""
    ranges, taken = [], set()
    for start, end in spans:
        touched = {n for n, (first, last) in enumerate(split_words(sentence)) if first < end and start < last}
        if touched and not touched & taken:
            ranges.append((min(touched), max(touched) + 1))
            taken |= touched
    return EntitySelection(sentence, tuple(sorted(ranges)))
