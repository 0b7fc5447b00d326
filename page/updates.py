"""Named tuples of what events take and return, and the rendering of what they show.

The handlers fill them with values, the layout with the components of the same names, so that none reaches the wrong
component.
"""

from typing import Any, NamedTuple

from PIL import Image

from page.entity_spans import EntitySelection
from page.render.answer import WAITING, answer_html
from page.render.words import words_html
from vmhan.request_limits import DEFAULT_LIMITS


class RequestForm(NamedTuple):
    """What a visitor has filled in when a request is sent; `example` is the slug of the example, if it is one."""

    sentence: str
    entities: EntitySelection
    image: Image.Image | None
    description: str
    detector: str
    annotation_style: str | None
    example: str | None
    filled_description: str = ""


class EntityUpdate(NamedTuple):
    """Other entities and their words on show; the answer to the old ones goes."""

    entities: EntitySelection
    words: str
    answer: Any = None
    answer_html: str = ""


class ExampleUpdate(NamedTuple):
    """A form that an example fills in."""

    sentence: str
    image: str | None
    description: str
    filled_description: str
    example: str
    entities: EntitySelection
    words: str
    answer: Any = None
    answer_html: str = WAITING


class ImageUpdate(NamedTuple):
    """Another image: the description that was filled in for the old one goes, as do the example and the answer."""

    description: Any
    filled_description: str = ""
    example: str | None = None
    answer: Any = None
    answer_html: str = ""


class DescriptionUpdate(NamedTuple):
    """A description that the page fills in."""

    description: Any
    filled_description: Any


class AnswerUpdate(NamedTuple):
    """The answer on show; its dict also holds the pairs that are `"chosen"` and, for comparison, `"other"`."""

    answer: dict | None
    answer_html: str


class RelationsUpdate(NamedTuple):
    """A new answer, and the description that was composed for it."""

    answer: dict
    answer_html: str
    description: Any
    filled_description: Any


def show_entities(entities: EntitySelection) -> EntityUpdate:
    """Renders the words of a sentence with its entities."""
    return EntityUpdate(entities, words_html(entities, DEFAULT_LIMITS.max_text_length))


def show_answer(answer: dict, chosen: int = 0, other: int | None = None) -> AnswerUpdate:
    """Renders an answer with the chosen pair, and the other one that it is compared with."""
    return AnswerUpdate({**answer, "chosen": chosen, "other": other}, answer_html(answer, chosen, other))
