"""Examples that show different relations. Their pictures come with installed packages; if not, we draw them."""

import base64
import io
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from PIL import Image, ImageOps

from page.examples import fallbacks, scenes

_SHOWN_SIDE, _CARD = 960, (168, 112)


@dataclass(frozen=True)
class Example:
    """A sentence, and what is known of its picture.

    Args:
        slug: Its name in a link.
        title: Its name for people.
        sentence: Whose names are suggested as entities.
        drawing: Draws its picture, if it has one.
        description: What the picture shows, in our words.
        marked: Names of objects, and their boxes (left, top, right, bottom) as shares of the picture; marked by us.
        photo: A package and the path of a file in it that is shown in place of the drawing where it is installed.
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
        fallbacks.coaches,
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
        fallbacks.tower,
        "A tall tower of iron glows at night behind the branches of a tree.",
        (("tower", (0.1, 0.1, 1.0, 1.0)), ("branches", (0.36, 0.0, 1.0, 0.47)), ("evening sky", (0.0, 0.0, 0.4, 0.6))),
        ("gradio", "media_assets/images/tower.jpg"),
    ),
    Example(
        "admiral",
        "An admiral",
        "Admiral Grace Hopper of the US Navy was born in New York",
        fallbacks.admiral,
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
        scenes.wedding,
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
        scenes.drummer,
        "A man in a green shirt plays drums on a stage with red curtains.",
        (
            ("man", (0.36, 0.2, 0.64, 0.62)),
            ("drums", (0.21, 0.52, 0.79, 0.96)),
            ("stage", (0.0, 0.0, 1.0, 1.0)),
        ),
    ),
    Example(
        "game",
        "A game, no picture",
        "LeBron James and Anthony Davis lead the Lakers past the Celtics in Boston",
    ),
)


def find_example(slug: str | None) -> Example | None:
    """The example of this name."""
    return next((example for example in EXAMPLES if example.slug == slug), None)


def marked_objects(example: Example, size: tuple[int, int]) -> list[dict] | None:
    """The marked objects as the pipeline takes them, boxes in pixels of a picture of this size."""
    width, height = size
    return [
        {"label": label, "box": [left * width, top * height, right * width, bottom * height]}
        for label, (left, top, right, bottom) in example.marked
    ] or None


@cache
def picture_file(example: Example) -> str | None:
    """The example's picture as a file that the page may serve."""
    picture = example_picture(example)
    if picture is None:
        return None
    picture.thumbnail((_SHOWN_SIDE, _SHOWN_SIDE))
    path = Path(tempfile.mkdtemp(prefix="vmhan-")) / f"{example.slug}.jpg"
    picture.save(path, quality=90)
    return str(path)


@cache
def card_picture(example: Example) -> str:
    """A small picture for the example's card as a data address; without a picture, nothing."""
    picture = example_picture(example)
    if picture is None:
        return ""
    file = io.BytesIO()
    ImageOps.fit(picture, (2 * _CARD[0], 2 * _CARD[1]), centering=(0.5, 0.25)).save(file, "JPEG", quality=72)
    return f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode()}"


def example_picture(example: Example) -> Image.Image | None:
    """The example's picture, upright and in RGB."""
    photo = example.photo and _installed(*example.photo)
    if photo:
        return Image.open(photo).convert("RGB")
    return example.drawing() if example.drawing else None


def _installed(package: str, path: str) -> Path | None:
    """A file of an installed package; found without importing it, which may take seconds."""
    found = find_spec(package)
    folders = found.submodule_search_locations if found else []
    return next((file for folder in folders if (file := Path(folder) / path).is_file()), None)
