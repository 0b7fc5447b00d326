"""What the numbers of a pair say."""

import re

import pytest
from answers import HYPERGRAPH, make_answer, make_nodes, make_pair

from page.render.comparison import compare_pairs
from page.render.explanations import attention_note, entropy_note, hyperedge_note, no_nodes_note, variance_note

EVEN = "nearly uniform: it says nothing about which of them mattered"


@pytest.mark.parametrize(
    ("changes", "note"),
    [
        ({"image": {"address": "x", "size": (1, 1)}}, "without a description"),
        ({}, "No image and no description"),
        ({"description": "Hm."}, "no object in the description"),
        ({"objects": make_nodes(ball=1.0), "description": "A ball."}, "passes nothing from the image"),
    ],
)
def test_an_image_without_a_say_is_explained(changes, note):
    assert note in no_nodes_note(make_answer(make_pair(), **changes))


@pytest.mark.parametrize(
    ("shares", "note"),
    [
        ({"ball": 0.334, "dog": 0.333, "image": 0.333}, f"On these it is {EVEN}"),
        ({"ball": 0.263, "dog": 0.263, "cat": 0.263, "image": 0.211}, f"On the objects it is {EVEN}"),
        ({"image": 1.0}, "There is but one, so it has all"),
        ({"ball": 0.5, "dog": 0.2, "image": 0.3}, None),
        ({"ball": 0.7, "image": 0.3}, None),
    ],
)
def test_even_attention_is_said_to_say_nothing(shares, note):
    pair = make_pair(objects=make_nodes(**shares))
    shown = attention_note(pair)
    assert "looked" not in shown
    assert (note in shown) if note else ("uniform" not in shown and "but one" not in shown)
    compared = compare_pairs(make_answer(pair, pair), 0, 1).note or ""
    assert (EVEN in compared) == (EVEN in shown)


def test_even_lines_of_a_hypergraph_are_said_to_say_nothing():
    def note(*shares: float) -> str:
        edges = [{**HYPERGRAPH["hyperedges"][0], "attention": list(shares)}]
        return hyperedge_note(make_pair(hypergraph={**HYPERGRAPH, "hyperedges": edges}))

    assert "about which node mattered" in note(0.33, 0.34, 0.33)
    assert "about which node mattered" not in note(0.5, 0.3, 0.2)
    assert "attend to none of their nodes" in note(0, 0, 0)


def test_entropy_comes_with_its_scale():
    assert "0.56 nats, 81% of the maximum (0.69)" in entropy_note(make_pair())


def test_variance_is_not_shown_as_certainty():
    note = variance_note(make_pair())
    assert "has not been found to tell right answers from wrong ones" in note
    assert not re.search(r"certain|sure|doubt|wide", note)
    assert "keeps no variance" in variance_note(make_pair(variance=0.0))
