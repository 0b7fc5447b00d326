"""The curves of the two entities."""

from answers import SVG, make_pair, parse

from page.render.environment import render
from page.render.gaussians import curves_layout


def test_wider_curves_stand_for_more_variance():
    svg = parse(render("gaussians.svg", drawing=curves_layout(make_pair())))
    paths = [path.get("d") for path in svg.iter(f"{SVG}path")]
    tops = [min(float(point.split()[1]) for point in path[1:].split("L")) for path in paths[:4]]
    head, head_before, tail, _ = tops
    assert tail < head < head_before, "higher is narrower, and y grows downwards"


def test_there_are_no_curves_without_variance():
    pair = make_pair()
    del pair["hypergraph"]
    assert curves_layout(pair) is None
