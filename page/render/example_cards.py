"""The examples as cards. Each is a link to itself, so that it can be copied and sent."""

from dataclasses import dataclass

from page.examples.catalog import Example, card_image
from page.render.environment import read_script, render

CHOOSE_EXAMPLE = read_script("choose_example")


@dataclass(frozen=True)
class ExampleCard:
    """A card: the example's name in a link, its title, and its image or, without one, its sentence."""

    slug: str
    title: str
    image: str
    sentence: str


def cards_html(examples: tuple[Example, ...]) -> str:
    """Renders a row of cards with an image and a title."""
    cards = [ExampleCard(example.slug, example.title, card_image(example), example.sentence) for example in examples]
    return render("example_cards.html", cards=cards)
