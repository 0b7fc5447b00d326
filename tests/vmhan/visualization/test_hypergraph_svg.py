"""The hypergraph of a pair as a drawing."""

from xml.etree import ElementTree

import pytest

from vmhan.visualization.hypergraph_drawing import GraphNode, Hyperedge
from vmhan.visualization.hypergraph_layout import COLORS, nearly_even
from vmhan.visualization.hypergraph_svg import hypergraph_svg

SVG = "{http://www.w3.org/2000/svg}"
NODES = [GraphNode("Ada", "head"), GraphNode("Bob", "tail"), GraphNode("image", "image"), GraphNode("dog", "object")]
EDGES = [Hyperedge("textual", {0: 0.75, 1: 0.25}), Hyperedge("head_visual", {0: 0.5, 2: 0.1, 3: 0.4})]


def parts(svg: str, kind: str) -> list[ElementTree.Element]:
    """Elements of a class."""
    return [item for item in ElementTree.fromstring(svg).iter() if kind in item.get("class", "").split()]


def strokes(svg: str) -> dict[tuple[str, str], ElementTree.Element]:
    """The stroke from each hyperedge to each member."""
    return {tuple(item.get("class").split()[1:]): item for item in parts(svg, "part") if item.tag == f"{SVG}path"}


def test_every_member_has_a_stroke_in_the_color_of_its_hyperedge():
    drawn = strokes(hypergraph_svg(NODES, EDGES))
    assert set(drawn) == {("e0", "n0"), ("e0", "n1"), ("e1", "n0"), ("e1", "n2"), ("e1", "n3")}
    assert drawn["e0", "n1"].get("stroke") == COLORS["intra_modal"]
    assert drawn["e1", "n3"].get("stroke") == COLORS["inter_modal"]


def test_strokes_are_as_wide_as_attention_is_large():
    drawn = strokes(hypergraph_svg(NODES, EDGES))
    widths = [float(drawn[stroke].get("stroke-width")) for stroke in (("e1", "n2"), ("e1", "n3"), ("e1", "n0"))]
    assert [width / widths[0] for width in widths] == pytest.approx([1, 4, 5], rel=0.02)
    assert len({stroke.get("stroke-opacity") for stroke in drawn.values()}) == 1, "or it would count twice"


def test_a_stroke_without_attention_can_still_be_pointed_at():
    drawn = strokes(hypergraph_svg(NODES, [Hyperedge("textual", {0: 1.0, 1: 0.0})]))
    assert float(drawn["e0", "n1"].get("stroke-width")) > 0


def test_title_names_the_strongest_member_unless_all_are_about_as_strong():
    edges = [Hyperedge("textual", {0: 0.75, 1: 0.25}), Hyperedge("visual", {2: 0.501, 3: 0.499})]
    (title,) = ElementTree.fromstring(hypergraph_svg(NODES, edges)).findall(f"{SVG}title")
    assert title.text.endswith("within the text: Ada, within the image: none, nearly uniform")


@pytest.mark.parametrize(
    ("shares", "even"),
    [([0.259, 0.25, 0.241], True), ([0.27, 0.24], False), ([1.0], False), ([], False), ([0.0, 0.0], True)],
)
def test_shares_within_a_point_of_their_mean_are_nearly_even(shares, even):
    assert nearly_even(shares) == even


def test_only_members_of_a_hyperedge_carry_its_class():
    svg = hypergraph_svg(NODES, EDGES)
    held = {tuple(name for name in node.get("class").split() if name[0] == "e") for node in parts(svg, "node")}
    assert held == {("e0", "e1"), ("e0",), ("e1",)}
    assert all(part.get("tabindex") == "0" for part in (*parts(svg, "node"), *parts(svg, "edge")))


def test_nodes_do_not_lie_on_each_other():
    svg = hypergraph_svg(NODES, EDGES)
    assert len({node.find(f"{SVG}path").get("transform") for node in parts(svg, "node")}) == len(NODES)


def test_every_kind_of_node_has_its_shape():
    kinds = ("head", "tail", "text_phrase", "image", "object", "visual_phrase")
    svg = hypergraph_svg([GraphNode(kind, kind) for kind in kinds], [])
    head, tail, text, image, thing, seen = (node.find(f"{SVG}path").get("d") for node in parts(svg, "node"))
    assert head == tail and text == seen and len({head, text, image, thing}) == 4


def test_what_a_visitor_wrote_is_text_and_nothing_else():
    evil = [GraphNode('<script>alert("x")</script>', "head"), GraphNode("&amp;'\"", "tail")]
    svg = hypergraph_svg(evil, [Hyperedge("textual", {0: 0.5, 1: 0.5})])
    assert "<script" not in svg
    names = [node.find(f"{SVG}title").text for node in parts(svg, "node")]
    assert names == ['<script>alert("x")</script> (head)', "&amp;'\" (tail)"]


def test_a_long_name_is_cut_and_told_in_full_on_pointing():
    long = "a very long name of a very long thing"
    (node,) = parts(hypergraph_svg([GraphNode(long, "object")], []), "node")
    assert node.find(f"{SVG}text").text.endswith("…") and long in node.find(f"{SVG}title").text


def test_a_pair_without_an_image_and_an_empty_hyperedge_are_drawn():
    svg = hypergraph_svg(NODES[:2], [Hyperedge("global", {0: 0.5, 1: 0.5}), Hyperedge("visual", {})])
    assert len(parts(svg, "edge")) == 2


@pytest.mark.parametrize("edge", [Hyperedge("visual", {7: 1.0}), Hyperedge("everything", {0: 1.0})])
def test_a_hyperedge_of_no_nodes_or_kind_is_refused(edge):
    with pytest.raises(ValueError, match="no hyperedge of 4 nodes"):
        hypergraph_svg(NODES, [edge])
