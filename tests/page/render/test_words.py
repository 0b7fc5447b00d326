"""Words of a sentence as buttons."""

import pytest

from page.entity_spans import EntitySelection, select_found, suggest_entities, toggle_word
from page.render.words import count_pairs, words_html


def test_words_on_show_are_buttons_and_entities_are_framed():
    shown = words_html(suggest_entities("Ada  met\nBob!"), 100)
    assert shown.count("<button") == 4 and shown.count('aria-pressed="true"') == 2
    assert shown.count('class="entity"') == 2


def test_found_entities_have_their_kind_as_a_label_and_their_score_on_hover():
    entities = select_found("Ada met Bob", [(0, 3, "person", 0.914), (8, 11, None, 0.5)])
    shown = words_html(entities, 100)
    assert shown.count('class="kind"') == 1 and '<small class="kind">person</small>' in shown
    assert 'title="Found as person, 91.4%"' in shown and 'title="Found, 50.0%"' in shown
    dropped = words_html(toggle_word(entities, 0), 100)
    assert "person" not in dropped and 'title="Found, 50.0%"' in dropped


def test_kind_is_text_and_nothing_else():
    shown = words_html(select_found("Ada", [(0, 3, '"><script>', 0.5)]), 100)
    assert "<script" not in shown and 'title=""' not in shown


def test_what_a_visitor_wrote_is_text_and_nothing_else():
    shown = words_html(suggest_entities('<script>alert("1")</script>'), 100)
    assert "<script" not in shown and "&lt;" in shown


def test_without_a_sentence_there_is_nothing_to_click():
    shown = words_html(EntitySelection(), 100)
    assert "<h4>Entities</h4>" in shown and "appear here" in shown


def test_ten_thousand_words_are_not_shown_but_counted():
    shown = words_html(EntitySelection("word " * 10_000), 1000)
    assert "50,000 characters" in shown and "<button" not in shown


@pytest.mark.parametrize(
    ("entities", "text"),
    [(1, "click the words of at least two"), (2, "2 entities, so 1 pair. "), (4, "4 entities, so 6 pairs. ")],
)
def test_label_says_what_there_is_or_what_to_do(entities, text):
    assert text in count_pairs(entities)
