"""The panels of a pair."""

import json
import re

from answers import HYPERGRAPH, SVG, make_answer, make_nodes, make_pair, parse

from page.render.details import LEGEND, pair_details
from page.render.downloads import answer_json
from page.render.environment import render
from page.render.figure import figure_svg
from page.render.pair_table import pair_table


def pair_html(answer: dict) -> str:
    return render("pair.html", pair=pair_details(answer, 0), legend=LEGEND)


def text_of(markup: str) -> str:
    return re.sub("<[^>]*>", " ", markup)


def panel(shown: str, title: str) -> str:
    """Returns the text of a panel of the page."""
    (content,) = re.findall(f'<section class="panel"><h4>{title}</h4>(.*?)</section>', shown, re.DOTALL)
    return text_of(content)


def test_score_entropy_and_variance_each_stand_in_their_place():
    """Numbers that all differ, so that one in another's place is seen."""
    head, tail, whole = HYPERGRAPH["nodes"]
    named = [
        {**head, "variance": 2.12, "initial_variance": 3.13},
        {**tail, "variance": 1.74, "initial_variance": 4.15},
    ]
    graph = {**HYPERGRAPH, "nodes": [*named, whole]}
    scores = {"/per/per/peer": 0.71, "None": 0.29}
    pair = make_pair(score=0.71, scores=scores, entropy=0.56, variance=1.93, hypergraph=graph)
    shown = pair_html(make_answer(pair))
    assert re.findall(r"\d\.\d\d", panel(shown, "Variance of its entities")) == [
        "2.12", "3.13", "1.74", "4.15", "2.12", "1.74", "1.93",
    ]  # fmt: skip
    assert re.findall(r"[\d.]+(?=%)|\d\.\d\d", panel(shown, "Scores of the relations")) == [
        "71.0", "29.0", "0.56", "81", "0.69",
    ]  # fmt: skip
    row = text_of(render("pair_table.html", table=pair_table([pair], 0)).split("<tbody>")[1])
    assert re.findall(r"[\d.]+(?=%)", row) == ["71.0", "81"]
    (kept,) = json.loads(answer_json(make_answer(pair)))["pairs"]
    assert (kept["score"], kept["entropy"], kept["variance"]) == (0.71, 0.56, 1.93)
    figure = [text for item in parse(figure_svg(make_answer(pair), 0)).iter(f"{SVG}text") for text in item.itertext()]
    assert {"Ada σ² 2.12", "Bob σ² 1.74", "71.0%"} <= set(figure)


def test_attention_of_every_visual_node_stands_beside_its_name():
    shown = pair_html(make_answer(make_pair(objects=make_nodes(ball=0.7, image=0.3)), source="Found by us."))
    attention = panel(shown, "Attention on the image")
    assert re.findall(r"[\d.]+(?=%)", attention) == ["70.0", "30.0"]
    assert "ball" in attention and "the whole image" in attention and "Found by us." in attention


def test_an_image_without_boxes_says_where_they_come_from(image):
    answer = make_answer(make_pair(objects=make_nodes(crowd=1.0)), image=image)
    assert "No object has a box in the image" in panel(pair_html(answer), "Attention on the image")


def test_a_structure_that_gathers_nothing_in_hyperedges_has_no_drawing_of_any():
    shown = pair_html(make_answer(make_pair(hypergraph={**HYPERGRAPH, "hyperedges": []})))
    assert 'class="hypergraph"' not in shown and 'class="gaussians"' in shown
