"""The words of a sentence on the page, and the entities picked among them."""

import pytest
import torch
from tiny import tiny_text_config, tiny_tokenizer
from transformers import BertForTokenClassification

from page.entity_spans import EntitySelection, character_spans, click_word, entities_at, suggest_entities, word_texts
from page.examples.catalog import EXAMPLES
from page.extractor import Extractor
from page.handlers import Handlers
from page.render.words import count_pairs, words_html
from page.tagger import Tagger

SENTENCE = "Zinedine Zidane met Ada in New York"


def picked(entities: EntitySelection) -> list[str]:
    """The text of the entities."""
    return [entities.sentence[start:end] for start, end in character_spans(entities)]


def click_words(sentence: str, words: list[int], join: bool = True) -> list[str]:
    """What is picked after clicks on a sentence without entities."""
    entities = EntitySelection(sentence)
    for word in words:
        entities = click_word(entities, word, join)
    return picked(entities)


def edited(entities: EntitySelection, sentence: str) -> list[str]:
    """What is picked after the sentence became another."""
    return picked(Handlers(Extractor("unused")).edit_sentence(sentence, entities)[0])


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
    assert all(len(suggest_entities(example.sentence).ranges) >= 3 for example in EXAMPLES)


def test_words_side_by_side_become_one_entity():
    assert click_words(SENTENCE, [0, 3, 1]) == ["Zinedine Zidane", "Ada"]


def test_word_between_two_entities_joins_them():
    assert click_words(SENTENCE, [0, 2, 1]) == ["Zinedine Zidane met"]


def test_words_side_by_side_stay_apart_if_not_joined():
    assert click_words(SENTENCE, [0, 1], join=False) == ["Zinedine", "Zidane"]


def test_second_click_drops_a_word():
    assert click_words(SENTENCE, [3, 3]) == []
    assert click_words(SENTENCE, [0, 1, 2, 1]) == ["Zinedine", "met"]


@pytest.mark.parametrize("word", [-1, 4])
def test_click_past_the_sentence_changes_nothing(word):
    assert click_words("", [word]) == []


def test_picked_words_survive_an_edit_elsewhere():
    entities = click_word(click_word(EntitySelection("ada met bob in Paris"), 0), 2)
    assert edited(entities, "ada once met bob in Rome") == ["ada", "bob"]


def test_new_sentence_brings_suggestions():
    assert edited(click_word(EntitySelection("ada met bob"), 0), "Eve left Rome") == ["Eve", "Rome"]


def test_spans_are_widened_to_words_and_do_not_share_any():
    assert picked(entities_at(SENTENCE, [(2, 10), (9, 15), (20, 22), (50, 60)])) == ["Zinedine Zidane", "Ada"]


def test_words_on_show_are_buttons_and_entities_are_framed():
    shown = words_html(suggest_entities("Ada  met\nBob!"), 100)
    assert shown.count("<button") == 4 and shown.count('aria-pressed="true"') == 2
    assert shown.count('class="entity"') == 2


def test_what_a_visitor_wrote_is_text_and_nothing_else():
    shown = words_html(suggest_entities('<script>alert("1")</script>'), 100)
    assert "<script" not in shown and "&lt;" in shown


def test_ten_thousand_words_are_not_shown_but_counted():
    shown = words_html(EntitySelection("word " * 10_000), 1000)
    assert "50,000 characters" in shown and "<button" not in shown


@pytest.mark.parametrize(("entities", "told"), [(1, "at least two"), (2, "so 1 pair"), (4, "so 6 pairs")])
def test_label_says_what_is_picked_or_what_to_do(entities, told):
    assert count_pairs(entities).endswith(told)


@pytest.fixture
def tagger(tmp_path) -> str:
    """A random model that marks names; returns its folder."""
    config = tiny_text_config(id2label={0: "O", 1: "B-PER", 2: "I-PER"}, label2id={"O": 0, "B-PER": 1, "I-PER": 2})
    model = BertForTokenClassification(config)
    model.classifier.bias.data[:] = 0
    model.classifier.bias.data[1] = 9  # so that it marks every word
    model.save_pretrained(tmp_path)
    tiny_tokenizer().save_pretrained(tmp_path)
    return str(tmp_path)


def test_a_tagger_suggests_what_it_marks(tagger):
    assert "".join(picked(Tagger(tagger).suggest("ada met bob"))).replace(" ", "") == "adametbob"
    handlers = Handlers(Extractor("unused", tagger=tagger))
    assert handlers.suggest_entities("ada met bob").ranges, "there is no capital letter"


def test_a_tagger_that_cannot_be_had_leaves_capital_letters_and_is_not_tried_again(tmp_path, caplog):
    handlers = Handlers(Extractor("unused", tagger=str(tmp_path / "nowhere")))
    for _ in range(2):
        assert picked(handlers.suggest_entities("ada met Bob")) == ["Bob"]
    assert caplog.text.count("The tagger cannot be had now") == 1


def test_a_tagger_that_fails_leaves_capital_letters(tagger):
    handlers = Handlers(Extractor("unused", tagger=tagger))
    handlers.extractor.suggest_with().find.model.classifier.bias.data = torch.zeros(0)
    assert picked(handlers.suggest_entities("ada met Bob")) == ["Bob"]
