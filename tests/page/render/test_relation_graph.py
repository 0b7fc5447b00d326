"""The graph of entities and relations."""

from itertools import combinations
from xml.etree import ElementTree

import pytest
from answers import SVG, make_pair, parse

from page.render.environment import render
from page.render.relation_graph import graph_layout


def graph_svg(*pairs: dict) -> ElementTree.Element:
    return parse(render("relation_graph.svg", drawing=graph_layout(list(pairs), 0)))


def graph_lines(*pairs: dict) -> list[ElementTree.Element]:
    return [item for item in graph_svg(*pairs).iter(f"{SVG}g") if "link" in item.get("class", "")]


def test_every_pair_is_a_line_that_keys_and_readers_reach():
    lines = graph_lines(make_pair(), make_pair(relation="None"))
    assert all(line.get("tabindex") == "0" and line.get("role") == "button" for line in lines)
    assert {line.get("aria-label") for line in lines} == {"Ada, peer, Bob: 75%", "Ada, no relation, Bob: 75%"}


@pytest.mark.parametrize("count", range(2, 13))
@pytest.mark.parametrize("name", ["Ada", "An entity with a long name"])
def test_entities_of_a_graph_do_not_lie_on_each_other(count, name):
    ends = [{"text": name, "start": 30 * number, "end": 30 * number + len(name)} for number in range(count)]
    pairs = [make_pair(head=head, tail=tail) for head, tail in combinations(ends, 2)]
    frames = [
        item.find(f"{SVG}rect")
        for item in graph_svg(*pairs).iter(f"{SVG}g")
        if item.get("class", "").startswith("entity")
    ]
    x, y, width, height = ([float(frame.get(key)) for frame in frames] for key in ("x", "y", "width", "height"))
    assert len(frames) == count
    for a, b in combinations(range(count), 2):
        assert abs(x[a] - x[b]) >= min(width[a], width[b]) or abs(y[a] - y[b]) >= min(height[a], height[b])
    assert all(x[a] >= 0 and x[a] + width[a] <= 440 and y[a] >= 0 and y[a] + height[a] <= 300 for a in range(count))


def test_lines_of_the_graph_are_as_wide_as_their_scores_are_high():
    lines = graph_lines(make_pair(score=0.2), make_pair(score=0.4), make_pair(score=0.8))
    widths = sorted(float(line.findall(f"{SVG}path")[1].get("stroke-width")) for line in lines)
    assert [width / widths[0] for width in widths] == pytest.approx([1, 2, 4], rel=0.02)


def test_a_tail_that_is_an_object_of_the_image_stands_after_the_mentions():
    tail = {"text": "ball", "start": None, "end": None, "object": 0, "box": [1.0, 1.0, 9.0, 9.0]}
    titles = [entity.title for entity in graph_layout([make_pair(tail=tail), make_pair()], 0).entities]
    assert titles == ["Ada", "Bob", "ball"]
