"""Scores of found mentions."""

import pytest

from vmhan.evaluation.mention_scores import (
    MentionScores,
    character_mentions,
    mention_recall,
    score_mentions,
    scores_by_kind,
)
from vmhan.mention_finder import FoundMention

TEXTS = ["Ada Lovelace met Bob in #Rome", "hi"]
GOLD = [[(0, 12, "person"), (17, 20, "person"), (24, 29, "place")], []]


def found(*mentions):
    return [FoundMention(*mention, 0.9) for mention in mentions]


FOUND = [found((0, 3, "person"), (17, 20, "place"), (25, 29, "place")), found((0, 2, "person"))]


def test_typed_scores_ask_for_span_and_kind():
    scores = score_mentions(TEXTS, FOUND, GOLD)
    assert scores == MentionScores(right=1, found=4, gold=3)
    assert (scores.precision, scores.recall, scores.f1) == pytest.approx((1 / 4, 1 / 3, 2 / 7))


def test_untyped_scores_ask_for_the_span():
    scores = score_mentions(TEXTS, FOUND, GOLD, typed=False)
    assert scores == MentionScores(right=2, found=4, gold=3)
    assert mention_recall(TEXTS, FOUND, GOLD) == pytest.approx(2 / 3)


def test_scores_of_each_kind():
    scores = scores_by_kind(TEXTS, FOUND, GOLD, ["person", "place", "other"])
    assert scores["person"] == MentionScores(0, 2, 2)
    assert scores["place"] == MentionScores(1, 2, 1)
    assert scores["other"] == MentionScores(0, 0, 0)


def test_kinds_that_a_corpus_does_not_annotate_do_not_count():
    extra = [[*FOUND[0], *found((13, 16, "other"))], FOUND[1]]
    assert score_mentions(TEXTS, extra, GOLD).found == 5
    assert score_mentions(TEXTS, extra, GOLD, kinds=["person", "place", "organization"]).found == 4


def test_gold_of_unknown_kind_counts_only_untyped():
    gold = [[(0, 3, None)], []]
    assert score_mentions(TEXTS, FOUND, gold).gold == 0
    assert score_mentions(TEXTS, FOUND, gold, typed=False).right == 1


def test_signs_before_a_name_count_for_neither_side():
    text = "@ada # Rome"
    scores = score_mentions(
        [text], [found((1, 4, "person"), (5, 11, "place"))], [[(0, 4, "person"), (7, 11, "place")]]
    )
    assert scores.right == scores.found == scores.gold == 2


def test_a_mention_counts_once():
    assert score_mentions(["Ada"], [found((0, 3, "person"), (0, 3, "person"))], [[(0, 3, "person")]]).precision == 1.0


def test_nothing_found_and_nothing_there_is_zero():
    scores = score_mentions(["hi"], [[]], [[]])
    assert (scores.precision, scores.recall, scores.f1) == (0.0, 0.0, 0.0)


def test_words_become_characters():
    words = ["Ada", "Lovelace", "met", "Bob"]
    mentions = character_mentions(words, [(0, 2, "person"), (3, 4, None)])
    assert mentions == [(0, 12, "person"), (17, 20, None)]
    assert [" ".join(words)[start:end] for start, end, _ in mentions] == ["Ada Lovelace", "Bob"]


def test_each_text_needs_its_lists():
    with pytest.raises(ValueError, match="2 texts, 1 found and 2 gold lists"):
        score_mentions(TEXTS, FOUND[:1], GOLD)
