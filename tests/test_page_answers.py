"""What the page shows of an answer, and what can be taken home of it."""

import csv
import json
from itertools import combinations
from xml.etree import ElementTree

import pytest
from PIL import Image

from page.answer_html import answer_html
from page.brush import SIZE
from page.build import build_page
from page.details import how_sure, moved_html, pair_html
from page.downloads import answer_json, figure_svg
from page.examples import EXAMPLES, example_picture, marked_objects
from page.feedback import COLUMNS, FeedbackFile
from page.gaussians import gaussians_svg
from page.model import Extractor
from page.pair_table import pairs_html
from page.picture_svg import boxed_nodes, data_address, emphasis, picture_svg
from page.relation_graph import graph_svg
from page.wording import readable, sort_pairs, summary, uncertainty

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
    assert readable("/per/org/member_of") == "member of"
    assert readable("None") == "no relation"
    assert readable("/loc/loc/contain") == "contains"


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


def test_strong_objects_are_bold_and_weak_ones_faint(picture):
    pair = make_pair(objects=nodes(ball=0.5, dog=0.1, image=0.4))
    frames = [item for item in parse(picture_svg(picture["address"], (80, 60), pair, [], "a")).iter(f"{SVG}rect")
              if item.get("stroke-width")]  # fmt: skip
    widths = [float(frame.get("stroke-width")) for frame in frames]
    assert widths == sorted(widths) and widths[-1] > 2 * widths[0]


def test_names_and_weights_of_objects_are_to_be_read(picture):
    pair = make_pair(objects=nodes(ball=0.5, dog=0.1))
    svg = parse(picture_svg(picture["address"], (80, 60), pair, [], "a"))
    texts = list(svg.iter(f"{SVG}text"))
    assert {text.text for text in texts} == {"ball 50%", "dog 10%"}
    assert abs(float(texts[0].get("y")) - float(texts[1].get("y"))) > 15, "their boxes are the same"


def test_small_differences_are_not_blown_up():
    assert emphasis([0.26, 0.25]) == pytest.approx([1, 0.9])
    assert emphasis([0.7, 0.3]) == [1, 0]
    assert emphasis([]) == []


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


def test_entropy_comes_with_its_scale():
    assert "0.56 nats, 81% of the most (0.69)" in how_sure(make_pair())


def test_comparison_tells_how_far_attention_moves():
    first, second = make_pair(objects=nodes(ball=0.7, crowd=0.3)), make_pair(objects=nodes(ball=0.4, crowd=0.6))
    shown = moved_html(make_answer(first, second), 0, 1)
    assert "<b>-30.0</b>" in shown and "<b>+30.0</b>" in shown


# Downloads


def test_json_is_what_the_pipeline_answered(picture):
    answer = make_answer(make_pair(), picture=picture, text="Ada met Bob ☕", chosen=0, other=None)
    told = json.loads(answer_json(answer))
    assert told == {"text": "Ada met Bob ☕", "pairs": [make_pair()], "objects": [], "description": None}


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
    monkeypatch.setattr("page.examples.find_spec", lambda name: None)
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
