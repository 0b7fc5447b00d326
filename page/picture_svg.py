"""The picture of a question with its objects lit by the attention of a pair."""

import base64
import io
from html import escape

from PIL import Image

from .colours import CATEGORIES
from .wording import WHOLE_PICTURE, short

_SIDE = 720  # pixels of the picture that is shown
_FULL_SPREAD = 0.1  # from this difference of shares on, the weakest object is as faint as can be
_FONT, _LETTER = 18, 9.8  # to be read on a phone; style.py makes it smaller elsewhere. Mean width of a letter
_PLATE = 28  # height


def data_address(picture: Image.Image) -> str:
    """The picture as a data address, small enough to travel with every answer."""
    small = picture.copy()
    small.thumbnail((_SIDE, _SIDE))
    file = io.BytesIO()
    small.save(file, "JPEG", quality=82)
    return f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode()}"


def emphasis(shares: list[float]) -> list[float]:
    """How strongly each share is drawn, 0 to 1: the largest fully, the others by how far they are below it."""
    if not shares:
        return []
    spread = max(max(shares) - min(shares), _FULL_SPREAD)
    return [1 - (max(shares) - share) / spread for share in shares]


def colour_of(label: str, objects: list[dict]) -> str:
    """The colour of an object, the same in every pair."""
    labels = [item["label"] for item in objects]
    return CATEGORIES[labels.index(label) % len(CATEGORIES)] if label in labels else "#777777"


def boxed_nodes(pair: dict) -> list[dict]:
    """The nodes of a pair that have a place in the picture; the box of the whole picture would only veil it."""
    return [node for node in pair["objects"] if node["box"] and node["label"] != WHOLE_PICTURE]


def picture_svg(address: str, size: tuple[int, int], pair: dict, objects: list[dict], name: str) -> str:
    """The picture in the dark, lighter where the pair looks.

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
    weights = emphasis([node["attention"] for node in nodes])
    boxes = [[edge * scale for edge in node["box"]] for node in nodes]
    colours = [colour_of(node["label"], objects) for node in nodes]
    light = "".join(_rectangle(box, f'fill="black" fill-opacity="{0.25 + 0.75 * w:.2f}" rx="4"')
                    for box, w in zip(boxes, weights, strict=True))  # fmt: skip
    veil = (
        f'<mask id="light-{name}"><rect width="{width}" height="{height}" fill="white"/>{light}</mask>'
        f'<rect width="{width}" height="{height}" fill="#0b1020" opacity="0.55" mask="url(#light-{name})"/>'
    )
    frames = "".join(
        _rectangle(
            box,
            f'fill="none" stroke="{colour}" stroke-width="{1.5 + 4 * weight:.1f}" '
            f'stroke-opacity="{0.55 + 0.45 * weight:.2f}" rx="4"',
        )
        for box, colour, weight in zip(boxes, colours, weights, strict=True)
    )
    plates = _plates(nodes, boxes, colours, weights, (width, height))
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


def _plates(nodes, boxes, colours, weights, size: tuple[int, int]) -> str:
    """Names and weights; a plate that would lie on another moves down."""
    taken, plates = [], []
    for node, box, colour, weight in reversed(list(zip(nodes, boxes, colours, weights, strict=True))):
        text = f"{short(node['label'], 24)} {node['attention']:.0%}"
        wide = len(text) * _LETTER + 13
        x = max(0, min(box[0], size[0] - wide))
        y = min(max(box[1] - _PLATE / 2, 0), size[1] - _PLATE)
        while any(abs(y - other_y) <= _PLATE and x < other_x + other and other_x < x + wide
                  for other_x, other_y, other in taken) and y < size[1] - 2 * _PLATE:  # fmt: skip
            y += _PLATE + 1
        taken.append((x, y, wide))
        plates.append(
            f'<g class="plate" opacity="{0.75 + 0.25 * weight:.2f}">'
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{_PLATE}" rx="4" fill="#10131c"/>'
            f'<rect x="{x:.1f}" y="{y:.1f}" width="6" height="{_PLATE}" rx="2" fill="{colour}"/>'
            f'<text x="{x + 11:.1f}" y="{y + 20:.1f}" fill="white">{escape(text)}</text></g>'
        )
    return "".join(plates)
