"""A pair as a file."""

import pytest
from answers import SVG, make_answer, make_nodes, make_pair, parse

from page.render.figure import figure_svg


def test_figure_is_one_file_that_holds_its_image(image):
    figure = parse(figure_svg(make_answer(make_pair(objects=make_nodes(ball=1.0)), image=image), 0))
    images = [item.get("href") for item in figure.iter(f"{SVG}image")]
    assert len(images) == 1 and images[0].startswith("data:image/jpeg")
    assert "hypergraph" in {item.get("class") for item in figure.iter(f"{SVG}svg")}


def test_parts_of_a_figure_do_not_lie_on_each_other(image):
    figure = parse(figure_svg(make_answer(make_pair(objects=make_nodes(ball=1.0)), image=image), 0))
    parts = [[float(part.get(key)) for key in ("x", "y", "height")] for part in figure.findall(f"{SVG}svg")]
    assert len(parts) == 4
    for x, y, height in parts:
        assert all(y + height < below for left, below, _ in parts if left == x and below > y)
        assert y + height <= float(figure.get("height"))


@pytest.mark.parametrize("text", ["word " * 190, "W" * 400, "東京" * 200])
def test_figure_breaks_a_long_sentence_into_lines(text):
    lines = list(parse(figure_svg(make_answer(make_pair(), text=text), 0)).iter(f"{SVG}tspan"))[1:]
    assert len(lines) > 3 and "".join(line.text for line in lines).replace(" ", "") == text.replace(" ", "")
    assert len({line.get("y") for line in lines}) == len(lines)


def test_figure_leaves_out_letters_that_xml_forbids():
    pair = make_pair(head={"text": "A\x08da", "start": 0, "end": 4})
    answer = make_answer(pair, text="A\x08da \x0b met \ud83d\ufffe Bob")
    assert "Ada" in parse(figure_svg(answer, 0)).find(f"{SVG}text/{SVG}tspan").text
