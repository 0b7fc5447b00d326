"""Slices: sentences with one or several pairs, entities with one or several relation types."""

import numpy as np
from datasets import Dataset

from vmhan.evaluation.predictions import SplitPredictions
from vmhan.evaluation.slices import pairs_of_sentence, relation_types

WORDS = ["Ada", "Lovelace", "met", "Bob", "in", "Rome"]
ADA, BOB, ROME = [0, 2], [3, 4], [5, 6]


def rows_of(*rows) -> Dataset:
    columns = ("words", "head_span", "tail_span", "relation")
    return Dataset.from_list([dict(zip(columns, row, strict=True)) for row in rows])


def picked(family) -> dict[str, list[int]]:
    return {name: np.flatnonzero(mask).tolist() for name, mask in family.items()}


def test_pairs_are_counted_by_sentence():
    sentence = np.array([0, 1, 1, 2, 2, 2, 2, 3, 3, 3])
    nothing = np.zeros(10, dtype=int)
    split = SplitPredictions(nothing, sentence, nothing, nothing[:, None], nothing[:, None], nothing)
    assert picked(pairs_of_sentence(split)) == {"1": [0], "2 or 3": [1, 2, 7, 8, 9], "4 or more": [3, 4, 5, 6]}


def test_entity_counts_the_kinds_of_its_relations_and_not_none():
    among = rows_of((WORDS, ADA, BOB, 1), (WORDS, ADA, ROME, 2), (WORDS, BOB, ROME, 0), (WORDS, BOB, ROME, 0))
    rows = rows_of((WORDS, BOB, ROME, 0), (WORDS, ADA, BOB, 1), (["Zoe", "and", "Yan"], [0, 1], [2, 3], 1))
    assert picked(relation_types(rows, among, none_id=0)) == {"none": [2], "one": [0], "several": [1]}


def test_same_relation_again_is_still_one_type_and_letter_case_does_not_matter():
    among = rows_of((WORDS, ADA, BOB, 1), ([word.upper() for word in WORDS], ADA, BOB, 1))
    assert picked(relation_types(rows_of((WORDS, ADA, ROME, 0)), among, none_id=0))["one"] == [0]


def test_every_row_is_in_one_slice():
    random = np.random.default_rng(0)
    spans = [ADA, BOB, ROME]
    rows = rows_of(*((WORDS, *random.permutation(spans)[:2].tolist(), int(random.integers(3))) for _ in range(20)))
    assert np.array_equal(sum(mask.astype(int) for mask in relation_types(rows, rows, 0).values()), np.ones(20))
