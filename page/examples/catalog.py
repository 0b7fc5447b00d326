"""The examples on the page. Their images come with installed packages, or are drawn."""

import base64
import io
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from PIL import Image, ImageOps

from page.examples import drawings

_SHOWN_SIDE, _CARD = 960, (168, 112)


@dataclass(frozen=True)
class Example:
    """A sentence and its image.

    Args:
        slug: Its name in a link.
        title: Its name on its card.
        sentence: The names in it are suggested as entities.
        drawing: Draws its image, if it has one.
        description: What the image shows, in our words.
        marked: Labels of objects that we marked, and their boxes (left, top, right, bottom) as shares of the image.
        photo: A package and the path of a photograph in it, which is shown where it is installed.
    """

    slug: str
    title: str
    sentence: str
    drawing: Callable[[], Image.Image] | None = None
    description: str = ""
    marked: tuple[tuple[str, tuple[float, float, float, float]], ...] = ()
    photo: tuple[str, str] | None = None


EXAMPLES = (
    Example(
        "coaches",
        "Two coaches, three relations",
        "Zinedine Zidane and Carlo Ancelotti watch Real Madrid from the bench",
        drawings.coaches,
        "Two men in dark suits in front of a blurred crowd. One man shouts and points with his finger. "
        "The other man wears a badge around his neck.",
        (
            ("shouting man", (0.12, 0.27, 0.65, 1.0)),
            ("man in a suit", (0.58, 0.05, 0.9, 1.0)),
            ("pointing hand", (0.72, 0.55, 0.91, 0.71)),
        ),
        ("ultralytics", "assets/zidane.jpg"),
    ),
    Example(
        "games",
        "A tower and the Games",
        "Paris hosts the Olympic Games below the Eiffel Tower in France",
        drawings.tower,
        "A tall tower of iron glows at night behind the branches of a tree.",
        (("tower", (0.1, 0.1, 1.0, 1.0)), ("branches", (0.36, 0.0, 1.0, 0.47)), ("evening sky", (0.0, 0.0, 0.4, 0.6))),
        ("gradio", "media_assets/images/tower.jpg"),
    ),
    Example(
        "admiral",
        "An admiral",
        "Admiral Grace Hopper of the US Navy was born in New York",
        drawings.admiral,
        "A woman in a navy uniform with a hat in front of the American flag.",
        (
            ("woman in uniform", (0.02, 0.03, 1.0, 1.0)),
            ("navy hat", (0.3, 0.03, 0.73, 0.27)),
            ("american flag", (0.0, 0.0, 0.45, 0.75)),
        ),
        ("matplotlib", "mpl-data/sample_data/grace_hopper.jpg"),
    ),
    Example(
        "wedding",
        "A wedding (drawn)",
        "Prince Harry and Meghan Markle leave Windsor Castle in England",
        drawings.wedding,
        "A bride in a white dress and a man in a dark suit in front of a castle.",
        (
            ("bride", (0.32, 0.4, 0.52, 0.97)),
            ("man in a suit", (0.5, 0.4, 0.63, 0.96)),
            ("castle", (0.14, 0.07, 0.86, 0.73)),
        ),
    ),
    Example(
        "drummer",
        "A drummer (drawn)",
        "Ringo Starr of The Beatles grew up in Liverpool, England",
        drawings.drummer,
        "A man in a green shirt plays drums on a stage with red curtains.",
        (
            ("man", (0.36, 0.2, 0.64, 0.62)),
            ("drums", (0.21, 0.52, 0.79, 0.96)),
            ("stage", (0.0, 0.0, 1.0, 1.0)),
        ),
    ),
    Example(
        "game",
        "A game, no image",
        "LeBron James and Anthony Davis lead the Lakers past the Celtics in Boston",
    ),
)


def find_example(slug: str | None) -> Example | None:
    """Finds the example of this name."""
    return next((example for example in EXAMPLES if example.slug == slug), None)


def marked_objects(example: Example, size: tuple[int, int]) -> list[dict] | None:
    """Builds the marked objects as the pipeline takes them, or None if there are none.

    Args:
        example: The example.
        size: (width, height) of its image; the boxes are in its pixels.
    """
    width, height = size
    return [
        {"label": label, "box": [left * width, top * height, right * width, bottom * height]}
        for label, (left, top, right, bottom) in example.marked
    ] or None


@cache
def image_file(example: Example) -> str | None:
    """Saves the example's image as a file that the page may serve; returns its path."""
    image = example_image(example)
    if image is None:
        return None
    image.thumbnail((_SHOWN_SIDE, _SHOWN_SIDE))
    path = Path(tempfile.mkdtemp(prefix="vmhan-")) / f"{example.slug}.jpg"
    image.save(path, quality=90)
    return str(path)


@cache
def card_image(example: Example) -> str:
    """Encodes the small image of the example's card as a data address; empty without an image."""
    image = example_image(example)
    if image is None:
        return ""
    file = io.BytesIO()
    ImageOps.fit(image, (2 * _CARD[0], 2 * _CARD[1]), centering=(0.5, 0.25)).save(file, "JPEG", quality=72)
    return f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode()}"


def example_image(example: Example) -> Image.Image | None:
    """Opens the example's photograph, or draws its image."""
    photo = example.photo and _installed_file(*example.photo)
    if photo:
        return Image.open(photo).convert("RGB")
    return example.drawing() if example.drawing else None


def _installed_file(package: str, path: str) -> Path | None:
    """Finds a file of an installed package without importing the package, which may take seconds."""
    found = find_spec(package)
    folders = found.submodule_search_locations if found else []
    return next((file for folder in folders if (file := Path(folder) / path).is_file()), None)
