"""The words of a sentence on the page, and the entities picked among them."""

import pytest

from page.entity_spans import (
    EntitySelection,
    entity_character_spans,
    select_spans,
    suggest_entities,
    toggle_word,
    word_texts,
)
from page.examples.catalog import EXAMPLES

SENTENCE = "Zinedine Zidane met Ada in New York"


def picked(entities: EntitySelection) -> list[str]:
    """The text of the entities."""
    return [entities.sentence[start:end] for start, end in entity_character_spans(entities)]


def toggle_words(sentence: str, words: list[int], join: bool = True) -> list[str]:
    """What is picked after clicks on a sentence without entities."""
    entities = EntitySelection(sentence)
    for word in words:
        entities = toggle_word(entities, word, join)
    return picked(entities)


def test_words_and_marks_stand_apart():
    sentence = "Ada's friend @bob_1 visits St-Denis, #Paris2024!"
    assert word_texts(sentence) == ["Ada", "'s", "friend", "@bob_1", "visits", "St-Denis", ",", "#Paris2024", "!"]


@pytest.mark.parametrize(
    ("sentence", "words"),
    [
        ("👩‍🚀 flies 🇫🇷❤️👍🏽", ["👩‍🚀", "flies", "🇫🇷", "❤️", "👍🏽"]),
        ("שָׁלוֹם ירושלים", ["שָׁלוֹם", "ירושלים"]),
        ("مُحَمَّد في القاهرة", ["مُحَمَّد", "في", "القاهرة"]),
        ("हिन्दी दिल्ली", ["हिन्दी", "दिल्ली"]),
        ("東京 Ada", ["東", "京", "Ada"]),
    ],
)
def test_emoji_and_scripts_are_not_torn(sentence, words):
    assert word_texts(sentence) == words


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("Zinedine Zidane and Carlo Ancelotti watch", ["Zinedine Zidane", "Carlo Ancelotti"]),
        ("The Bank of America in New York", ["Bank of America", "New York"]),
        ("RT @NASA: We land in Madrid, Spain #Mars", ["@NASA", "Madrid", "Spain", "#Mars"]),
        ("Ada's Paris", ["Ada", "Paris"]),
        ("Us in the US Navy", ["US Navy"]),
        ("nothing of note # here", []),
        ("", []),
    ],
)
def test_suggestions_are_names_mentions_and_hashtags(sentence, expected):
    assert picked(suggest_entities(sentence)) == expected


def test_every_example_suggests_at_least_three_entities():
    assert all(len(suggest_entities(example.sentence).word_spans) >= 3 for example in EXAMPLES)


def test_words_side_by_side_become_one_entity():
    assert toggle_words(SENTENCE, [0, 3, 1]) == ["Zinedine Zidane", "Ada"]


def test_word_between_two_entities_joins_them():
    assert toggle_words(SENTENCE, [0, 2, 1]) == ["Zinedine Zidane met"]


def test_words_side_by_side_stay_apart_if_not_joined():
    assert toggle_words(SENTENCE, [0, 1], join=False) == ["Zinedine", "Zidane"]


def test_second_click_drops_a_word():
    assert toggle_words(SENTENCE, [3, 3]) == []
    assert toggle_words(SENTENCE, [0, 1, 2, 1]) == ["Zinedine", "met"]


@pytest.mark.parametrize("word", [-1, 4])
def test_click_past_the_sentence_changes_nothing(word):
    assert toggle_words("", [word]) == []


def test_spans_are_widened_to_words_and_do_not_share_any():
    assert picked(select_spans(SENTENCE, [(2, 10), (9, 15), (20, 22), (50, 60)])) == ["Zinedine Zidane", "Ada"]
