"""The picture of a question with its objects lit by the attention of a pair."""

import base64
import io
from html import escape

from PIL import Image

from page.labels import WHOLE_PICTURE, short
from page.render.colors import CATEGORIES

_SIDE = 720  # pixels of the picture that is shown
_WIDEST, _THINNEST = 10.0, 1.0  # frame of a node that has all the attention, and the least that is drawn
_DARK = 0.6  # of the picture where there is no attention
_FONT, _LETTER = 18, 9.8  # to be read on a phone; style.py makes it smaller elsewhere. Mean width of a letter
_PLATE = 28  # height


def data_address(picture: Image.Image) -> str:
    """The picture as a data address, small enough to travel with every answer."""
    small = picture.copy()
    small.thumbnail((_SIDE, _SIDE))
    file = io.BytesIO()
    small.save(file, "JPEG", quality=82)
    return f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode()}"


def colour_of(label: str, objects: list[dict]) -> str:
    """The colour of an object, the same in every pair."""
    labels = [item["label"] for item in objects]
    return CATEGORIES[labels.index(label) % len(CATEGORIES)] if label in labels else "#777777"


def boxed_nodes(pair: dict) -> list[dict]:
    """The nodes of a pair that have a place in the picture; the box of the whole picture would only veil it."""
    return [node for node in pair["objects"] if node["box"] and node["label"] != WHOLE_PICTURE]


def picture_svg(address: str, size: tuple[int, int], pair: dict, objects: list[dict], name: str) -> str:
    """The picture in the dark, lighter where there is attention.

    Light and the width of a frame are in proportion to the share of attention, on a scale that is the same for all
    pictures: half the share is half of both, and equal shares look equal. What the whole picture got lights all of it.

    Args:
        address: The picture as a data address.
        size: (width, height) that the boxes are measured in.
        pair: As the pipeline returns it.
        objects: All objects of the answer.
        name: A word that no other picture on the page has.
    """
    scale = 480 / max(size)
    width, height = (round(edge * scale) for edge in size)
    nodes = sorted(boxed_nodes(pair), key=lambda node: node["attention"])  # the strongest lie on top
    boxes = [[edge * scale for edge in node["box"]] for node in nodes]
    colours = [colour_of(node["label"], objects) for node in nodes]
    light = "".join(
        _rectangle(box, f'fill="black" fill-opacity="{node["attention"]:.3f}" rx="4"')
        for box, node in zip(boxes, nodes, strict=True)
    )
    whole = sum(node["attention"] for node in pair["objects"] if node["label"] == WHOLE_PICTURE)
    dark = _DARK * (1 - whole)
    veil = (
        f'<mask id="light-{name}"><rect width="{width}" height="{height}" fill="white"/>{light}</mask>'
        f'<rect width="{width}" height="{height}" fill="#0b1020" opacity="{dark:.3f}" mask="url(#light-{name})"/>'
    )
    frames = "".join(
        _rectangle(
            box,
            f'fill="none" stroke="{colour}" stroke-width="{max(_THINNEST, _WIDEST * node["attention"]):.2f}" rx="4"',
        )
        for box, colour, node in zip(boxes, colours, nodes, strict=True)
    )
    plates = _plates(nodes, boxes, colours, (width, height))
    told = ", ".join(f"{node['label']} {node['attention']:.0%}" for node in reversed(nodes))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" class="picture" '
        f'font-family="sans-serif" font-size="{_FONT}" font-weight="600">'
        f"<title>The picture. {escape('Attention: ' + told if told else 'No object has a place in it.')}</title>"
        f'<image href="{address}" width="{width}" height="{height}"/>{veil if nodes else ""}{frames}{plates}</svg>'
    )


def _rectangle(box: list[float], rest: str) -> str:
    x0, y0, x1, y1 = box
    return f'<rect x="{x0:.1f}" y="{y0:.1f}" width="{x1 - x0:.1f}" height="{y1 - y0:.1f}" {rest}/>'


def _plates(nodes, boxes, colours, size: tuple[int, int]) -> str:
    """Names and weights; a plate that would lie on another moves down."""
    taken, plates = [], []
    for node, box, colour in reversed(list(zip(nodes, boxes, colours, strict=True))):
        text = f"{short(node['label'], 24)} {node['attention']:.0%}"
        wide = len(text) * _LETTER + 13
        x = max(0, min(box[0], size[0] - wide))
        y = min(max(box[1] - _PLATE / 2, 0), size[1] - _PLATE)
        while any(abs(y - other_y) <= _PLATE and x < other_x + other and other_x < x + wide
                  for other_x, other_y, other in taken) and y < size[1] - 2 * _PLATE:  # fmt: skip
            y += _PLATE + 1
        taken.append((x, y, wide))
        plates.append(
            f'<g class="plate">'
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{_PLATE}" rx="4" fill="#10131c"/>'
            f'<rect x="{x:.1f}" y="{y:.1f}" width="6" height="{_PLATE}" rx="2" fill="{colour}"/>'
            f'<text x="{x + 11:.1f}" y="{y + 20:.1f}" fill="white">{escape(text)}</text></g>'
        )
    return "".join(plates)
