"""Two pairs side by side."""

import re

from answers import make_answer, make_nodes, make_pair

from page.render.comparison import compare_pairs
from page.render.environment import render


def comparison_html(first: dict, second: dict) -> str:
    pairs = [make_pair(objects=make_nodes(**shares)) for shares in (first, second)]
    return render("comparison.html", comparison=compare_pairs(make_answer(*pairs), 0, 1))


def test_comparison_tells_how_far_attention_moves():
    shown = comparison_html({"ball": 0.7, "crowd": 0.3}, {"ball": 0.4, "crowd": 0.6})
    assert "<b>-30.0</b>" in shown and "<b>+30.0</b>" in shown


def test_comparison_puts_shares_on_a_line_from_nothing_to_all():
    shown = comparison_html({"ball": 0.26, "crowd": 0.74}, {"ball": 0.27, "crowd": 0.73})
    dots = [float(left) for left in re.findall(r'"end [ab]" style="left: ([\d.]+)%"', shown)]
    rails = [tuple(map(float, rail)) for rail in re.findall(r"left: ([\d.]+)%; width: ([\d.]+)%", shown)]
    assert dots == [74, 73, 26, 27] and rails == [(73, 1), (26, 1)]
    assert "<span>0%</span><span>100%</span>" in shown


def test_a_node_of_one_pair_alone_has_no_attention_in_the_other():
    (moves,) = [compare_pairs(make_answer(make_pair(), make_pair(objects=make_nodes(ball=1.0))), 0, 1).moves]
    assert [(move.name, move.first, move.second) for move in moves] == [("ball", 0.0, 1.0)]


def test_pairs_without_visual_nodes_have_nothing_to_compare():
    shown = comparison_html({}, {})
    assert "<table" not in shown and "by the sentence alone" in shown
