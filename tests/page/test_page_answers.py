"""What the page shows of an answer, and what can be taken home of it."""

import csv
import json
import re
from html import escape
from itertools import combinations
from xml.etree import ElementTree

import pytest
from PIL import Image

from page.examples.canvas import SIZE
from page.examples.catalog import EXAMPLES, example_picture, marked_objects
from page.extractor import Extractor
from page.feedback import COLUMNS, FeedbackFile
from page.labels import relation_label, sort_pairs, summary, uncertainty
from page.layout import build_page
from page.render.answer import answer_html
from page.render.details import attention_told, how_sure, moved_html, pair_html, variance_told
from page.render.downloads import answer_json, figure_svg
from page.render.gaussians import gaussians_svg
from page.render.image_svg import boxed_nodes, data_address, picture_svg
from page.render.pair_table import pairs_html
from page.render.relation_graph import graph_svg

SVG = "{http://www.w3.org/2000/svg}"
HYPERGRAPH = {
    "nodes": [
        {"name": "Ada", "kind": "head", "variance": 0.5, "initial_variance": 1.0},
        {"name": "Bob", "kind": "tail", "variance": 0.25, "initial_variance": 1.0},
        {"name": "image", "kind": "image", "variance": 0.5, "initial_variance": 1.0},
    ],
    "hyperedges": [{"type": "global", "members": [0, 1, 2], "attention": [0.5, 0.3, 0.2]}],
}


def make_pair(**changes) -> dict:
    """A pair as the pipeline returns it."""
    pair = {
        "head": {"text": "Ada", "start": 0, "end": 3},
        "tail": {"text": "Bob", "start": 8, "end": 11},
        "relation": "/per/per/peer",
        "score": 0.75,
        "scores": {"/per/per/peer": 0.75, "None": 0.25},
        "entropy": 0.56,
        "variance": 0.8,
        "objects": [],
        "hypergraph": HYPERGRAPH,
    }
    return {**pair, **changes}


def nodes(**shares) -> list[dict]:
    """Visual nodes with these shares of the attention; all but "crowd" and "image" have a box."""
    boxes = {"image": [0.0, 0.0, 80.0, 60.0], "crowd": None}
    return [
        {"label": label, "score": 1.0, "box": boxes.get(label, [5.0, 5.0, 40.0, 30.0]), "attention": share}
        for label, share in shares.items()
    ]


def make_answer(*pairs: dict, **changes) -> dict:
    answer = {"pairs": list(pairs), "objects": [], "description": None, "picture": None, "source": "", "text": "Ada"}
    return {**answer, **changes}


def parse(svg: str) -> ElementTree.Element:
    """An SVG, which must be well formed."""
    return ElementTree.fromstring(svg)


@pytest.fixture(scope="module")
def picture() -> dict:
    return {"address": data_address(Image.new("RGB", (80, 60), "red")), "size": (80, 60)}


# Words and the table


def test_relations_read_as_words():
    assert relation_label("/per/org/member_of") == "member of"
    assert relation_label("None") == "no relation"
    assert relation_label("/loc/loc/contain") == "contains"


def test_pairs_without_relation_come_last():
    pairs = [make_pair(relation="None", score=0.9), make_pair(score=0.3), make_pair(score=0.6)]
    assert [pair["score"] for pair in sort_pairs(pairs)] == [0.6, 0.3, 0.9]


def test_summary_counts_relations_and_kinds():
    pairs = [make_pair(), make_pair(relation="/per/org/member_of"), make_pair(relation="None")]
    assert summary(pairs) == "2 relations of 2 kinds in 3 pairs"
    assert summary(pairs[2:]) == "No relation in 1 pair"


def test_uncertainty_is_a_share_of_the_largest_entropy():
    assert uncertainty(make_pair(entropy=0.6931, scores={"a": 0.5, "b": 0.5})) == pytest.approx(1, abs=1e-3)


def test_table_tells_which_pair_is_shown_and_which_compared():
    shown = pairs_html([make_pair(), make_pair(), make_pair(relation="None")], 0, 2)
    assert shown.count('class="chosen"') == 1 and 'class="quiet other"' in shown
    assert shown.count("data-compare=") == 2, "the shown pair is not compared with itself"


# Markup


def test_nothing_a_visitor_wrote_becomes_markup(picture):
    evil = "<script>alert(1)</script>"
    hostile = {"text": evil, "start": 0, "end": 25}
    graph = {**HYPERGRAPH, "nodes": [{**node, "name": evil} for node in HYPERGRAPH["nodes"]]}
    seen = [{"label": f"<b>{evil}</b>", "score": 1.0, "box": [1.0, 1.0, 9.0, 9.0], "attention": 1.0}]
    pair = make_pair(head=hostile, tail={**hostile, "start": 30, "end": 55}, objects=seen, hypergraph=graph)
    answer = make_answer(pair, pair, objects=seen, picture=picture, text=evil, description=evil)
    shown = answer_html(answer, 0, 1) + figure_svg(answer, 0)
    assert "<script" not in shown and "<b>&" not in shown and "&lt;script&gt;" in shown
    parse(figure_svg(answer, 0))


# Graph, picture, curves


def graph_lines(svg: str) -> list[ElementTree.Element]:
    return [item for item in parse(svg).iter(f"{SVG}g") if "link" in item.get("class", "")]


def test_warnings_of_an_answer_stand_above_its_table_as_text():
    said = ["The text is in <b>another</b> script.", "Scores mean little here."]
    shown = answer_html(make_answer(make_pair(), warnings=said), 0)
    box = re.search(r'<div class="warnings" role="status">(.*?)</div>', shown)
    assert re.findall(r"<p dir=\"auto\">(.*?)</p>", box[1]) == [escape(sentence) for sentence in said]
    assert shown.index("blockquote") < box.start() < shown.index("<table")
    for without in ({}, {"warnings": []}):
        assert "warnings" not in answer_html(make_answer(make_pair(), **without), 0)


def test_every_pair_is_a_line_that_keys_and_readers_reach():
    lines = graph_lines(graph_svg([make_pair(), make_pair(relation="None")], 0))
    assert all(line.get("tabindex") == "0" and line.get("role") == "button" for line in lines)
    assert {line.get("aria-label") for line in lines} == {"Ada, peer, Bob: 75%", "Ada, no relation, Bob: 75%"}


@pytest.mark.parametrize("count", range(2, 13))
@pytest.mark.parametrize("name", ["Ada", "An entity with a long name"])
def test_entities_of_a_graph_do_not_lie_on_each_other(count, name):
    ends = [{"text": name, "start": 30 * number, "end": 30 * number + len(name)} for number in range(count)]
    pairs = [make_pair(head=head, tail=tail) for head, tail in combinations(ends, 2)]
    frames = [item.find(f"{SVG}rect") for item in parse(graph_svg(pairs, 0)).iter(f"{SVG}g")
              if item.get("class", "").startswith("entity")]  # fmt: skip
    x, y, width, height = ([float(frame.get(key)) for frame in frames] for key in ("x", "y", "width", "height"))
    assert len(frames) == count
    for a, b in combinations(range(count), 2):
        assert abs(x[a] - x[b]) >= min(width[a], width[b]) or abs(y[a] - y[b]) >= min(height[a], height[b])
    assert all(x[a] >= 0 and x[a] + width[a] <= 440 and y[a] >= 0 and y[a] + height[a] <= 300 for a in range(count))


def drawn_shares(picture, **shares) -> tuple[list[float], list[float]]:
    """Widths of the frames and light of the boxes of objects with these shares, from the least to the largest."""
    rectangles = list(
        parse(picture_svg(picture["address"], (80, 60), make_pair(objects=nodes(**shares)), [], "a")).iter(
            f"{SVG}rect"
        )
    )
    widths = [float(item.get("stroke-width")) for item in rectangles if item.get("stroke-width")]
    return widths, [float(item.get("fill-opacity")) for item in rectangles if item.get("fill-opacity")]


def test_objects_are_drawn_in_proportion_to_their_attention(picture):
    shares = {"dog": 0.1, "cat": 0.2, "ball": 0.6}
    for drawn in drawn_shares(picture, **shares, image=0.1):
        assert [size / drawn[0] for size in drawn] == pytest.approx([1, 2, 6], rel=0.02)


def test_equal_attention_looks_equal_and_a_small_difference_small(picture):
    for drawn in drawn_shares(picture, dog=0.263, cat=0.263, ball=0.263, image=0.211):
        assert len(set(drawn)) == 1
    for drawn in drawn_shares(picture, dog=0.24, ball=0.26):
        assert drawn[1] / drawn[0] == pytest.approx(26 / 24, rel=0.02)


def test_the_same_attention_looks_the_same_beside_more_and_beside_less(picture):
    beside_more, beside_less = drawn_shares(picture, dog=0.3, ball=0.7), drawn_shares(picture, dog=0.3, ball=0.1)
    assert [drawn[0] for drawn in beside_more] == [drawn[-1] for drawn in beside_less]


def test_attention_on_the_whole_picture_lights_all_of_it(picture):
    def veil(**shares) -> float:
        svg = picture_svg(picture["address"], (80, 60), make_pair(objects=nodes(**shares)), [], "a")
        (darkness,) = [item.get("opacity") for item in parse(svg).iter(f"{SVG}rect") if item.get("mask")]
        return float(darkness)

    assert veil(image=0.75, ball=0.25) == pytest.approx(0.25 * veil(ball=1.0), abs=1e-3)


def test_a_node_with_next_to_no_attention_is_still_to_be_seen(picture):
    widths, _ = drawn_shares(picture, dog=0.001, ball=0.999)
    assert widths[0] >= 1


def test_lines_of_the_graph_are_as_wide_as_their_scores_are_high():
    lines = graph_lines(graph_svg([make_pair(score=0.2), make_pair(score=0.4), make_pair(score=0.8)], 0))
    widths = sorted(float(line.findall(f"{SVG}path")[1].get("stroke-width")) for line in lines)
    assert [width / widths[0] for width in widths] == pytest.approx([1, 2, 4], rel=0.02)


def test_names_and_weights_of_objects_are_to_be_read(picture):
    pair = make_pair(objects=nodes(ball=0.5, dog=0.1))
    svg = parse(picture_svg(picture["address"], (80, 60), pair, [], "a"))
    texts = list(svg.iter(f"{SVG}text"))
    assert {text.text for text in texts} == {"ball 50%", "dog 10%"}
    assert abs(float(texts[0].get("y")) - float(texts[1].get("y"))) > 15, "their boxes are the same"


def test_box_of_the_whole_picture_is_not_drawn():
    pair = make_pair(objects=nodes(image=0.6, ball=0.3, crowd=0.1))
    assert [node["label"] for node in boxed_nodes(pair)] == ["ball"]


def test_wider_curves_stand_for_more_variance():
    paths = [path.get("d") for path in parse(gaussians_svg(make_pair())).iter(f"{SVG}path")]
    tops = [min(float(point.split()[1]) for point in path[1:].split("L")) for path in paths[:4]]
    head, head_before, tail, _ = tops
    assert tail < head < head_before, "higher is narrower, and y grows downwards"


def test_a_model_without_variance_or_hypergraph_is_shown_all_the_same():
    pair = make_pair(variance=0.0)
    del pair["hypergraph"]
    shown = answer_html(make_answer(pair), 0)
    assert "keeps no variance" in shown and 'class="hypergraph"' not in shown


# Reasons


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"picture": True}, "without a description"),
        ({}, "No picture and no description"),
        ({"description": "Hm."}, "nothing in the description"),
    ],
)
def test_a_picture_without_a_say_is_explained(changes, told, picture):
    changes = {**changes, **({"picture": picture} if "picture" in changes else {})}
    assert told in pair_html(make_answer(make_pair(), **changes), 0)


def panel(shown: str, title: str) -> str:
    """The text of a panel of the page."""
    (content,) = re.findall(f"<section class='panel'><h4>{title}</h4>(.*?)</section>", shown, re.DOTALL)
    return re.sub("<[^>]*>", " ", content)


def test_score_entropy_and_variance_each_stand_in_their_place(picture):
    """Numbers that all differ, so that one in another's place is seen."""
    head, tail, image = HYPERGRAPH["nodes"]
    named = [
        {**head, "variance": 2.12, "initial_variance": 3.13},
        {**tail, "variance": 1.74, "initial_variance": 4.15},
    ]
    graph = {**HYPERGRAPH, "nodes": [*named, image]}
    scores = {"/per/per/peer": 0.71, "None": 0.29}
    pair = make_pair(score=0.71, scores=scores, entropy=0.56, variance=1.93, hypergraph=graph)
    shown = pair_html(make_answer(pair), 0)
    assert re.findall(r"\d\.\d\d", variance_told(pair)) == ["1.93"]
    assert re.findall(r"\d\.\d\d", panel(shown, "Variance of its entities")) == [
        "2.12", "3.13", "1.74", "4.15", "2.12", "1.74", "1.93",
    ]  # fmt: skip
    assert re.findall(r"[\d.]+(?=%)|\d\.\d\d", panel(shown, "Scores of the relations")) == [
        "71.0", "29.0", "0.56", "81", "0.69",
    ]  # fmt: skip
    row = re.sub("<[^>]*>", " ", pairs_html([pair], 0).split("<tbody>")[1])
    assert re.findall(r"[\d.]+(?=%)", row) == ["71.0", "81"]
    (told,) = json.loads(answer_json(make_answer(pair)))["pairs"]
    assert (told["score"], told["entropy"], told["variance"]) == (0.71, 0.56, 1.93)
    figure = [text for item in parse(figure_svg(make_answer(pair), 0)).iter(f"{SVG}text") for text in item.itertext()]
    assert {"Ada σ² 2.12", "Bob σ² 1.74", "71.0%"} <= set(figure)


def test_variance_is_not_shown_as_certainty():
    shown = pair_html(make_answer(make_pair()), 0)
    told = panel(shown, "Variance of its entities")
    assert "has not been found to tell right answers from wrong ones" in told
    assert not re.search(r"certain|sure|doubt|wide", told)


def test_entropy_comes_with_its_scale():
    assert "0.56 nats, 81% of the most (0.69)" in how_sure(make_pair())


def test_comparison_tells_how_far_attention_moves():
    first, second = make_pair(objects=nodes(ball=0.7, crowd=0.3)), make_pair(objects=nodes(ball=0.4, crowd=0.6))
    shown = moved_html(make_answer(first, second), 0, 1)
    assert "<b>-30.0</b>" in shown and "<b>+30.0</b>" in shown


def test_comparison_puts_shares_on_a_line_from_nothing_to_all():
    first, second = make_pair(objects=nodes(ball=0.26, crowd=0.74)), make_pair(objects=nodes(ball=0.27, crowd=0.73))
    shown = moved_html(make_answer(first, second), 0, 1)
    places = [float(place) for place in re.findall(r"'end [ab]' style='left: ([\d.]+)%'", shown)]
    rails = [tuple(map(float, rail)) for rail in re.findall(r"left: ([\d.]+)%; width: ([\d.]+)%", shown)]
    assert places == [74, 73, 26, 27] and rails == [(73, 1), (26, 1)]
    assert "<span>0%</span><span>100%</span>" in shown


EVEN = "all but even: it says nothing about which of them mattered"


@pytest.mark.parametrize(
    ("shares", "told"),
    [
        ({"ball": 0.334, "dog": 0.333, "image": 0.333}, f"On these it is {EVEN}"),
        ({"ball": 0.263, "dog": 0.263, "cat": 0.263, "image": 0.211}, f"On the objects it is {EVEN}"),
        ({"image": 1.0}, "There is but one, so it has all"),
        ({"ball": 0.5, "dog": 0.2, "image": 0.3}, None),
        ({"ball": 0.7, "image": 0.3}, None),
    ],
)
def test_even_attention_is_said_to_say_nothing(shares, told):
    pair = make_pair(objects=nodes(**shares))
    shown = pair_html(make_answer(pair, objects=[]), 0)
    assert attention_told(pair) in shown and "looked" not in shown
    assert (told in shown) if told else ("even" not in shown and "but one" not in shown)
    assert (EVEN in moved_html(make_answer(pair, pair), 0, 1)) == (EVEN in shown)


def test_even_strokes_of_a_hypergraph_are_said_to_say_nothing():
    def shown(*shares: float) -> str:
        edges = [{**HYPERGRAPH["hyperedges"][0], "attention": list(shares)}]
        return pair_html(make_answer(make_pair(hypergraph={**HYPERGRAPH, "hyperedges": edges})), 0)

    assert "about which member mattered" in shown(0.33, 0.34, 0.33)
    assert "about which member mattered" not in shown(0.5, 0.3, 0.2)
    assert "hold nothing of their members" in shown(0, 0, 0)


def test_a_structure_that_gathers_nothing_in_hyperedges_has_no_drawing_of_any():
    pair = make_pair(hypergraph={**HYPERGRAPH, "hyperedges": []})
    shown = pair_html(make_answer(pair), 0)
    assert 'class="hypergraph"' not in shown and 'class="gaussians"' in shown


def test_objects_that_pass_nothing_on_are_explained():
    answer = make_answer(make_pair(), objects=nodes(ball=1.0), description="A ball.")
    assert "passes nothing from the picture" in pair_html(answer, 0)


# Downloads


def test_json_is_what_the_pipeline_answered(picture):
    answer = make_answer(make_pair(), picture=picture, text="Ada met Bob ☕", chosen=0, other=None)
    told = json.loads(answer_json(answer))
    assert told == {"text": "Ada met Bob ☕", "pairs": [make_pair()], "objects": [], "description": None}
    for said in ([], ["The text is in another script."]):
        assert json.loads(answer_json({**answer, "warnings": said})) == {**told, "warnings": said}


def test_figure_is_one_file_that_holds_its_picture(picture):
    figure = parse(figure_svg(make_answer(make_pair(objects=nodes(ball=1.0)), picture=picture), 0))
    images = [image.get("href") for image in figure.iter(f"{SVG}image")]
    assert len(images) == 1 and images[0].startswith("data:image/jpeg")
    assert "hypergraph" in {item.get("class") for item in figure.iter(f"{SVG}svg")}


@pytest.mark.parametrize("text", ["word " * 190, "W" * 400, "東京" * 200])
def test_figure_breaks_a_long_sentence_into_lines(text):
    lines = list(parse(figure_svg(make_answer(make_pair(), text=text), 0)).iter(f"{SVG}tspan"))[1:]
    assert len(lines) > 3 and "".join(line.text for line in lines).replace(" ", "") == text.replace(" ", "")
    assert len({line.get("y") for line in lines}) == len(lines)


def test_figure_leaves_out_letters_that_xml_forbids():
    pair = make_pair(head={"text": "A\x08da", "start": 0, "end": 4})
    answer = make_answer(pair, text="A\x08da \x0b met \ud83d\ufffe Bob")
    assert "Ada" in parse(figure_svg(answer, 0)).find(f"{SVG}text/{SVG}tspan").text


# Examples


def test_there_are_six_examples_one_of_them_without_a_picture():
    assert len(EXAMPLES) == len({example.slug for example in EXAMPLES}) == 6
    assert sum(example.drawing is None for example in EXAMPLES) == 1


def test_marked_boxes_are_within_their_pictures():
    for example in EXAMPLES:
        picture = example_picture(example)
        if picture is not None:
            for item in marked_objects(example, picture.size):
                left, top, right, bottom = item["box"]
                assert 0 <= left < right <= picture.width and 0 <= top < bottom <= picture.height


def test_photographs_that_are_not_installed_are_drawn(monkeypatch):
    monkeypatch.setattr("page.examples.catalog.find_spec", lambda name: None)
    drawn = [example_picture(example) for example in EXAMPLES if example.photo]
    assert len(drawn) == 3 and all(picture.size == SIZE for picture in drawn)


# Feedback


def test_feedback_is_kept_as_rows(tmp_path):
    file = FeedbackFile(tmp_path / "new" / "feedback.csv")
    file.add("mini", 'Ada, "met" Bob', make_pair(), "right")
    file.add("mini", "=HYPERLINK(1)", make_pair(), "wrong", "/per/per/couple")
    rows = list(csv.DictReader((tmp_path / "new" / "feedback.csv").open(newline="", encoding="utf-8")))
    assert tuple(rows[0]) == COLUMNS
    assert rows[0]["text"] == 'Ada, "met" Bob' and rows[0]["verdict"] == "right" and rows[0]["corrected"] == ""
    assert rows[1]["text"] == "'=HYPERLINK(1)" and rows[1]["corrected"] == "/per/per/couple"


@pytest.mark.parametrize("switched_on", [True, False])
def test_verdicts_are_asked_for_only_where_feedback_is_switched_on(tmp_path, switched_on):
    page = build_page(Extractor("unused"), FeedbackFile(tmp_path / "a.csv") if switched_on else None)
    assert ("This pair is right" in str(page.config["components"])) == switched_on


def test_feedback_of_another_kind_is_refused(tmp_path):
    with pytest.raises(ValueError, match="'maybe'"):
        FeedbackFile(tmp_path / "a.csv").add("mini", "Ada", make_pair(), "maybe")
