"""The words of a sentence on the page, and the entities picked among them."""

import pytest

from page.entity_spans import (
    EntitySelection,
    carry_entities,
    entity_character_spans,
    entity_inputs,
    select_found,
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


def find(sentence: str, *texts: str) -> EntitySelection:
    """A selection of found mentions."""
    starts = [sentence.index(text) for text in texts]
    return select_found(
        sentence, [(start, start + len(text), "person", 0.75) for start, text in zip(starts, texts, strict=True)]
    )


def test_found_spans_are_widened_to_words_and_do_not_share_any():
    found = [(2, 10, "person", 0.5), (9, 15, "person", 0.9), (20, 22, None, 0.5), (50, 60, None, 0.5)]
    entities = select_found(SENTENCE, found)
    assert picked(entities) == ["Zinedine Zidane", "Ada"] and not entities.by_hand
    assert entities.finding_at((0, 2)).kind == "person" and entities.finding_at((3, 4)).kind is None


def test_signs_around_a_found_mention_are_no_part_of_it():
    entities = find("#Paris and @ada met (Bob)'s #NewsOfRome", "Paris", "@ada", "Bob", "News")
    assert picked(entities) == ["Paris", "@ada", "Bob", "NewsOfRome"], "a part of a word stands for the whole"


def test_what_was_found_comes_with_kind_and_score_and_what_was_picked_without():
    entities = toggle_word(find("Ada met Bob", "Ada"), 2)
    assert entity_inputs(entities) == [{"start": 0, "end": 3, "kind": "person", "score": 0.75}, (8, 11)]
    assert entity_inputs(toggle_word(entities, 1)) == [(0, 11)], "other words are another entity"
    again = toggle_word(toggle_word(entities, 0), 0)
    assert entity_inputs(again) == entity_inputs(entities), "dropped and picked again it is what was found"


def test_kinds_survive_an_edit_elsewhere():
    entities = find("ada met #bob in Paris", "ada", "bob", "Paris")
    carried = carry_entities(entities, "yesterday ada met   #bob")
    assert picked(carried) == ["ada", "bob"]
    assert [finding.kind for finding in carried.findings] == ["person", "person"]
