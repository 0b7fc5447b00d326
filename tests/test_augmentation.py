"""Reversed pairs."""

import pytest
from mnre_fixture import write_mnre

from train.augmentation import SYMMETRIC, add_undirected, both_ways
from train.data import load_mnre


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    return load_mnre(write_mnre(tmp_path_factory.mktemp("mnre"), sentences=8))["train"]


def test_each_pair_comes_the_other_way_round_too(rows):
    both = both_ways(rows)
    assert len(both) == 2 * len(rows) and both.features == rows.features
    given, swapped = both.select(range(len(rows))), both.select(range(len(rows), 2 * len(rows)))
    assert given["head_span"] == swapped["tail_span"] and given["tail_span"] == swapped["head_span"]
    assert list(given["relation"]) == list(rows["relation"])


def test_only_symmetric_relations_hold_both_ways(rows):
    names = rows.features["relation"].names
    both = both_ways(rows)
    pairs = zip(rows["relation"], both["relation"][len(rows) :], strict=True)
    seen = {(names[given], names[swapped]) for given, swapped in pairs}
    assert ("/per/per/couple", "/per/per/couple") in seen and ("/per/org/member_of", "None") in seen
    assert all(swapped == (given if given in SYMMETRIC else "None") for given, swapped in seen)


def test_pairs_without_direction_join_those_with_one(rows):
    mixed = add_undirected(rows)
    assert len(mixed) == 3 * len(rows)
    assert list(mixed["direction_given"]) == [True] * len(rows) + [False] * 2 * len(rows)
    assert list(mixed["relation"]) == [*rows["relation"], *both_ways(rows)["relation"]]
