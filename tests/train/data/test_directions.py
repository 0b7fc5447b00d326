"""Which way round pairs stand."""

import pytest
from mnre_fixture import write_mnre

from train.data.directions import add_undirected, both_ways, count_by_order
from vmhan.data.mnre import load_mnre
from vmhan.data.schema import SYMMETRIC


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


def test_pairs_are_counted_by_their_order(rows):
    counts = count_by_order(rows)
    related = sum(relation != rows.features["relation"].str2int("None") for relation in rows["relation"])
    assert counts["head_first"]["related"] + counts["tail_first"]["related"] == related
    turned = both_ways(rows).select(range(len(rows), 2 * len(rows)))
    symmetric = rows.filter(lambda row: rows.features["relation"].int2str(row["relation"]) in SYMMETRIC)
    assert count_by_order(turned)["tail_first"]["related"] == count_by_order(symmetric)["head_first"]["related"] > 0
    assert sum(sum(count.values()) for count in counts.values()) == len(rows)
