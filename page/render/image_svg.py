"""The image of a request with the attention of a pair on each of its objects."""

import base64
import io
from dataclasses import dataclass

from PIL import Image

from page.labels import WHOLE_IMAGE, short
from page.render.colors import object_color
from page.render.geometry import Box

_SIDE = 720  # pixels of the image that is shown
_WIDEST, _THINNEST = 10.0, 1.0  # frame of a node that has all the attention, and the least that is drawn
_DARK = 0.6  # of the image where there is no attention
_LETTER = 9.8  # mean width at the font size of image.svg, 18, to be read on a phone; screens.css scales it elsewhere
_PLATE_HEIGHT = 28


@dataclass(frozen=True)
class LitNode:
    """A visual node that has a box: its light and its frame."""

    box: Box
    color: str
    attention: float
    stroke_width: float


@dataclass(frozen=True)
class Plate:
    """The name and the attention of a visual node, on a plate of its own."""

    box: Box
    color: str
    text: str


@dataclass(frozen=True)
class ImageLayout:
    """The image, the darkness over it, and what stands on it.

    Args:
        address: The image as a data address.
        name: A word that no other image of the page has.
        darkness: Opacity of the veil where no node is.
    """

    width: int
    height: int
    address: str
    name: str
    title: str
    darkness: float
    nodes: list[LitNode]
    plates: list[Plate]


def data_address(image: Image.Image) -> str:
    """Encodes the image as a data address, small enough to travel with every answer."""
    small = image.copy()
    small.thumbnail((_SIDE, _SIDE))
    file = io.BytesIO()
    small.save(file, "JPEG", quality=82)
    return f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode()}"


def boxed_nodes(pair: dict) -> list[dict]:
    """Returns the visual nodes that have a box; that of the whole image would only veil it."""
    return [node for node in pair["objects"] if node["box"] and node["label"] != WHOLE_IMAGE]


def image_layout(image: dict, pair: dict, objects: list[dict], name: str) -> ImageLayout:
    """Computes the light on the image, and where frames and names stand.

    Light and the width of a frame are in proportion to the share of attention, on a scale that is the same for all
    images: half the share is half of both, and equal shares look equal. What the whole image got lights all of it.

    Args:
        image: `"address"`, a data address, and `"size"`, (width, height) that the boxes are measured in.
        pair: As the pipeline returns it.
        objects: All objects of the answer.
        name: A word that no other image of the page has.
    """
    scale = 480 / max(image["size"])
    width, height = (round(side * scale) for side in image["size"])
    nodes = sorted(boxed_nodes(pair), key=lambda node: node["attention"])  # the strongest lie on top
    lit = [_light_node(node, scale, object_color(node["label"], objects)) for node in nodes]
    of_image = sum(node["attention"] for node in pair["objects"] if node["label"] == WHOLE_IMAGE)
    shares = ", ".join(f"{node['label']} {node['attention']:.0%}" for node in reversed(nodes))
    texts = [f"{short(node['label'], 24)} {node['attention']:.0%}" for node in nodes]
    return ImageLayout(
        width=width,
        height=height,
        address=image["address"],
        name=name,
        title=f"The image. {f'Attention: {shares}' if shares else 'No object has a box in it.'}",
        darkness=_DARK * (1 - of_image),
        nodes=lit,
        plates=_place_plates(texts, lit, width, height),
    )


def _light_node(node: dict, scale: float, color: str) -> LitNode:
    return LitNode(
        box=Box(*(edge * scale for edge in node["box"])),
        color=color,
        attention=node["attention"],
        stroke_width=max(_THINNEST, _WIDEST * node["attention"]),
    )


def _place_plates(texts: list[str], nodes: list[LitNode], width: int, height: int) -> list[Plate]:
    """Places names and weights, those of the strongest first; a plate that would lie on another moves down."""
    plates = []
    for text, node in reversed(list(zip(texts, nodes, strict=True))):
        plate_width = len(text) * _LETTER + 13
        x = max(0, min(node.box.left, width - plate_width))
        y = min(max(node.box.top - _PLATE_HEIGHT / 2, 0), height - _PLATE_HEIGHT)
        while y < height - 2 * _PLATE_HEIGHT and any(_touches(x, y, plate_width, plate.box) for plate in plates):
            y += _PLATE_HEIGHT + 1
        plates.append(Plate(Box(x, y, x + plate_width, y + _PLATE_HEIGHT), node.color, text))
    return plates


def _touches(x: float, y: float, width: float, other: Box) -> bool:
    return abs(y - other.top) <= _PLATE_HEIGHT and x < other.right and other.left < x + width
