"""Shapes that the drawings consist of. Positions and sizes are shares of the image."""

from functools import partial

from PIL import Image, ImageDraw

SIZE = (960, 640)
_FINER = 2  # drawn larger and made smaller, so that edges are smooth


def canvas(color: str) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    """Creates an empty image, at `_FINER` times the size, and its pen."""
    image = Image.new("RGB", (SIZE[0] * _FINER, SIZE[1] * _FINER), color)
    return image, ImageDraw.Draw(image)


def finished(image: Image.Image) -> Image.Image:
    """Reduces a drawing to the size that is shown."""
    return image.resize(SIZE, Image.Resampling.LANCZOS)


def points(*shares: float) -> list[tuple[float, float]]:
    """Computes the corners of a polygon in pixels from shares: x, y, x, y ..."""
    width, height = SIZE[0] * _FINER, SIZE[1] * _FINER
    return [(x * width, y * height) for x, y in zip(shares[::2], shares[1::2], strict=True)]


def _shape(kind: str, draw, *edges_and_color) -> None:
    *edges, color = edges_and_color
    getattr(draw, kind)(points(*edges), fill=color)


box = partial(_shape, "rectangle")
ellipse = partial(_shape, "ellipse")


def disc(draw, x: float, y: float, radius: float, color: str) -> None:
    """Draws a circle whose radius is a share of the width."""
    tall = radius * SIZE[0] / SIZE[1]
    ellipse(draw, x - radius, y - tall, x + radius, y + tall, color)


def line(draw, x0: float, y0: float, x1: float, y1: float, color: str, width: float) -> None:
    """Draws a line whose width is a share of the image's."""
    draw.line(points(x0, y0, x1, y1), fill=color, width=round(width * SIZE[0] * _FINER))


def person(draw, x: float, y: float, skin: str, hair: str, top: str) -> None:
    """Draws head and shoulders; `y` is the middle of the head."""
    disc(draw, x, y - 0.012, 0.045, hair)
    disc(draw, x, y + 0.005, 0.037, skin)
    ellipse(draw, x - 0.045, y + 0.07, x + 0.045, y + 0.2, top)
