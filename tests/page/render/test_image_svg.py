"""The image with the attention on each of its objects."""

from xml.etree import ElementTree

import pytest
from answers import SVG, make_nodes, make_pair, parse

from page.render.environment import render
from page.render.image_svg import boxed_nodes, image_layout


def image_svg(image: dict, /, **shares) -> ElementTree.Element:
    layout = image_layout(image, make_pair(objects=make_nodes(**shares)), [], "a")
    return parse(render("image.svg", drawing=layout))


def drawn_shares(image: dict, /, **shares) -> tuple[list[float], list[float]]:
    """Returns the widths of frames and the light of boxes of objects with these shares, from the least on."""
    rectangles = list(image_svg(image, **shares).iter(f"{SVG}rect"))
    widths = [float(item.get("stroke-width")) for item in rectangles if item.get("stroke-width")]
    return widths, [float(item.get("fill-opacity")) for item in rectangles if item.get("fill-opacity")]


def test_objects_are_drawn_in_proportion_to_their_attention(image):
    for drawn in drawn_shares(image, dog=0.1, cat=0.2, ball=0.6, image=0.1):
        assert [size / drawn[0] for size in drawn] == pytest.approx([1, 2, 6], rel=0.02)


def test_equal_attention_looks_equal_and_a_small_difference_small(image):
    for drawn in drawn_shares(image, dog=0.263, cat=0.263, ball=0.263, image=0.211):
        assert len(set(drawn)) == 1
    for drawn in drawn_shares(image, dog=0.24, ball=0.26):
        assert drawn[1] / drawn[0] == pytest.approx(26 / 24, rel=0.02)


def test_the_same_attention_looks_the_same_beside_more_and_beside_less(image):
    beside_more, beside_less = drawn_shares(image, dog=0.3, ball=0.7), drawn_shares(image, dog=0.3, ball=0.1)
    assert [drawn[0] for drawn in beside_more] == [drawn[-1] for drawn in beside_less]


def test_attention_on_the_whole_image_lights_all_of_it(image):
    def veil(**shares) -> float:
        (darkness,) = [
            item.get("opacity") for item in image_svg(image, **shares).iter(f"{SVG}rect") if item.get("mask")
        ]
        return float(darkness)

    assert veil(image=0.75, ball=0.25) == pytest.approx(0.25 * veil(ball=1.0), abs=1e-3)


def test_a_node_with_next_to_no_attention_is_still_to_be_seen(image):
    widths, _ = drawn_shares(image, dog=0.001, ball=0.999)
    assert widths[0] >= 1


def test_names_and_weights_of_objects_are_to_be_read(image):
    texts = list(image_svg(image, ball=0.5, dog=0.1).iter(f"{SVG}text"))
    assert {text.text for text in texts} == {"ball 50%", "dog 10%"}
    assert abs(float(texts[0].get("y")) - float(texts[1].get("y"))) > 15, "their boxes are the same"


def test_box_of_the_whole_image_is_not_drawn():
    pair = make_pair(objects=make_nodes(image=0.6, ball=0.3, crowd=0.1))
    assert [node["label"] for node in boxed_nodes(pair)] == ["ball"]
