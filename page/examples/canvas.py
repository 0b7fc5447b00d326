"""What our drawings are made with. Sizes are shares of the picture."""

from functools import partial

from PIL import Image, ImageDraw

SIZE = (960, 640)
_FINER = 2  # drawn larger and made smaller, so that edges are smooth


def canvas(colour: str) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    """An empty picture and the pen for it."""
    picture = Image.new("RGB", (SIZE[0] * _FINER, SIZE[1] * _FINER), colour)
    return picture, ImageDraw.Draw(picture)


def finished(picture: Image.Image) -> Image.Image:
    """The picture in the size that is shown."""
    return picture.resize(SIZE, Image.Resampling.LANCZOS)


def points(*shares: float) -> list[tuple[float, float]]:
    """Corners of a polygon: x, y, x, y ..."""
    width, height = SIZE[0] * _FINER, SIZE[1] * _FINER
    return [(x * width, y * height) for x, y in zip(shares[::2], shares[1::2], strict=True)]


def _shape(kind: str, draw, *edges_and_colour) -> None:
    *edges, colour = edges_and_colour
    getattr(draw, kind)(points(*edges), fill=colour)


box = partial(_shape, "rectangle")
ellipse = partial(_shape, "ellipse")


def disc(draw, x: float, y: float, radius: float, colour: str) -> None:
    """A circle whose radius is a share of the width."""
    tall = radius * SIZE[0] / SIZE[1]
    ellipse(draw, x - radius, y - tall, x + radius, y + tall, colour)


def line(draw, x0: float, y0: float, x1: float, y1: float, colour: str, width: float) -> None:
    """A line whose width is a share of the picture's."""
    draw.line(points(x0, y0, x1, y1), fill=colour, width=round(width * SIZE[0] * _FINER))


def person(draw, x: float, y: float, skin: str, hair: str, top: str) -> None:
    """Head and shoulders; `y` is the middle of the head."""
    disc(draw, x, y - 0.012, 0.045, hair)
    disc(draw, x, y + 0.005, 0.037, skin)
    ellipse(draw, x - 0.045, y + 0.07, x + 0.045, y + 0.2, top)
