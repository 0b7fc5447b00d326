"""Scores on corpora that annotate but some of a model's labels."""

import numpy as np
import pytest

from vmhan.evaluation.mode_logits import ModeLogits
from vmhan.evaluation.partial_labels import partial_label_metrics

NAMES = ["None", "born_in", "works_for", "/per/per/peer"]
SYMMETRIC = [False, False, False, True]


def logits_of(answers) -> np.ndarray:
    return np.eye(len(NAMES))[answers] * 5


def metrics(answers, gold, annotated, turned=None):
    chosen = logits_of(answers)
    turned = np.zeros(len(gold), dtype=bool) if turned is None else np.array(turned)
    mask = np.tile(np.isin(NAMES, annotated), (len(gold), 1))
    return partial_label_metrics(ModeLogits(chosen, chosen, turned), gold, mask, NAMES, "None", SYMMETRIC)


def test_label_that_a_corpus_does_not_annotate_counts_as_no_relation():
    scores = metrics([1, 2, 1], [1, 0, 0], ["born_in"])
    assert scores["precision"] == pytest.approx(1 / 2) and scores["recall"] == 1


def test_such_a_label_misses_the_relation_that_the_corpus_has():
    scores = metrics([2, 1], [1, 1], ["born_in"])
    assert scores["precision"] == 1 and scores["recall"] == pytest.approx(1 / 2)


def test_each_pair_has_the_labels_of_its_corpus():
    answers, gold = logits_of([2, 2]), [0, 0]
    mask = np.array([[False, True, False, False], [False, False, True, False]])
    given = ModeLogits(answers, answers, np.zeros(2, dtype=bool))
    scores = partial_label_metrics(given, gold, mask, NAMES, "None", SYMMETRIC)
    assert scores["accuracy"] == pytest.approx(1 / 2)


def test_directed_relation_the_wrong_way_round_is_wrong_and_a_symmetric_one_is_not():
    scores = metrics([1, 3], [1, 3], NAMES, turned=[True, True])
    assert scores["f1"] == 1 and scores["direction_unknown"]["f1"] == pytest.approx(1 / 2)
