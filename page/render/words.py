"""The words of a sentence as buttons: a click picks a word, another drops it."""

from dataclasses import dataclass

from page.entity_spans import EntitySelection, split_words
from page.render.colors import CATEGORIES
from page.render.environment import read_script, render

CLICK_WORDS = read_script("click_words")


@dataclass(frozen=True)
class Word:
    """A word, its index, and what follows it: a blank, or none but a place where the line may break."""

    index: int
    text: str
    is_last: bool
    has_blank: bool


@dataclass(frozen=True)
class WordGroup:
    """The words of an entity, or a word that belongs to none.

    Args:
        number, color: Those of the entity.
        kind: Its kind, if it is known.
        score: Confidence of the model or tagger that found it; None if a visitor picked it.
    """

    words: list[Word]
    number: int | None = None
    color: str | None = None
    kind: str | None = None
    score: float | None = None


@dataclass(frozen=True)
class WordsLayout:
    """The words of a sentence; none where it is too long to be read."""

    heading: str
    groups: list[WordGroup]
    length: int
    longest: int


def words_html(entities: EntitySelection, longest: int) -> str:
    """Renders every word as a button; those of one entity share a frame and a color.

    Args:
        entities: The sentence and the entities that are picked in it.
        longest: Characters from which on the words are not shown.
    """
    groups = _groups(entities) if len(entities.sentence) <= longest else []
    heading = count_pairs(len(entities.word_spans)) if entities.sentence.strip() else "Entities"
    layout = WordsLayout(heading, groups, len(entities.sentence), longest)
    return render("words.html", layout=layout)


def _groups(entities: EntitySelection) -> list[WordGroup]:
    words = _words(entities.sentence)
    starts = {first: (number, end) for number, (first, end) in enumerate(entities.word_spans)}
    groups, index = [], 0
    while index < len(words):
        number, end = starts.get(index, (None, index + 1))
        entity = {} if number is None else _entity(entities, number)
        groups.append(WordGroup(words[index:end], **entity))
        index = end
    return groups


def _entity(entities: EntitySelection, number: int) -> dict:
    """Collects what is shown of an entity beside its words, as arguments of `WordGroup`."""
    finding = entities.finding_at(entities.word_spans[number])
    known = {"kind": finding.kind, "score": finding.score} if finding else {}
    return {"number": number, "color": CATEGORIES[number % len(CATEGORIES)], **known}


def _words(sentence: str) -> list[Word]:
    spans = split_words(sentence)
    next_starts = [start for start, _ in spans[1:]]
    return [
        Word(
            index=index,
            text=sentence[start:end],
            is_last=index == len(next_starts),
            has_blank=index < len(next_starts) and end < next_starts[index],
        )
        for index, (start, end) in enumerate(spans)
    ]


def count_pairs(entities: int) -> str:
    """Says how many entities there are, or what to do."""
    pairs = entities * (entities - 1) // 2
    if pairs == 0:
        return "Entities: click the words of at least two"
    return f"{entities} entities, so {pairs} pair{'s' if pairs > 1 else ''}. Click words to change them."
