"""The words of a sentence as buttons: a click picks a word, another drops it."""

from html import escape

from page.entity_spans import EntitySelection, split_words
from page.render.colors import CATEGORIES

_HINT = '<p class="hint">The words of your sentence appear here. Click those of each person, place or thing.</p>'

#: A click or a key on a word; the second click of a double click is none.
CLICK_WORDS = """
let last = null;
element.addEventListener("click", event => {
    const word = event.target.closest("[data-word]");
    if (!word || event.detail > 1) return;
    last = word.dataset.word;
    trigger("select", {word: Number(last)});
});
watch("value", () => {
    const again = last !== null && element.querySelector(`[data-word="${last}"]`);
    if (again && !["INPUT", "TEXTAREA"].includes(document.activeElement?.tagName)) again.focus({preventScroll: true});
    last = null;
});
"""


def words_html(entities: EntitySelection, longest: int) -> str:
    """Every word is a button; those of one entity share a frame and a colour.

    Args:
        longest: Characters from which on the words are not shown.
    """
    return f"<h4>{count_pairs(len(entities.ranges))}</h4>{_words(entities, longest)}"


def _words(entities: EntitySelection, longest: int) -> str:
    sentence = entities.sentence
    if len(sentence) > longest:
        return f'<p class="hint">This sentence has {len(sentence):,} characters. Up to {longest:,} can be read.</p>'
    words = split_words(sentence)
    if not words:
        return _HINT
    starts = {first: (number, end) for number, (first, end) in enumerate(entities.ranges)}
    parts, place = [], 0
    while place < len(words):
        number, end = starts.get(place, (None, place + 1))
        parts.append(_entity(sentence, words, range(place, end), number))
        parts.append(_blank(sentence, words, end))
        place = end
    return f'<div class="words" dir="auto" role="group" aria-label="Words of the sentence">{"".join(parts)}</div>'


def _entity(sentence: str, words: list[tuple[int, int]], places: range, number: int | None) -> str:
    buttons = "".join(
        f'<button type="button" data-word="{place}" aria-pressed="{str(number is not None).lower()}">'
        f"{escape(sentence[slice(*words[place])])}</button>"
        + (_blank(sentence, words, place + 1) if place + 1 < places.stop else "")
        for place in places
    )
    if number is None:
        return buttons
    colour = CATEGORIES[number % len(CATEGORIES)]
    return (
        f'<span class="entity" style="--colour: {colour}">{buttons}<sup aria-hidden="true">{number + 1}</sup></span>'
    )


def _blank(sentence: str, words: list[tuple[int, int]], place: int) -> str:
    """What stands before a word, which is white space or nothing."""
    if place >= len(words):
        return ""
    return " " if words[place - 1][1] < words[place][0] else "<wbr>"


def count_pairs(entities: int) -> str:
    """What is picked, or what to do."""
    pairs = entities * (entities - 1) // 2
    if pairs == 0:
        return "EntitySelection: click the words of at least two"
    return f"EntitySelection: {entities} picked, so {pairs} pair{'s' if pairs > 1 else ''}"
