"""The examples as cards. Each is a link to itself, so that it can be copied and sent."""

from html import escape

from page.examples.catalog import Example, card_picture

#: A click fills the page without loading it anew; the address bar gets the link.
CHOOSE_EXAMPLE = """
element.addEventListener("click", event => {
    const card = event.target.closest("a[data-example]");
    if (!card || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const address = new URL(location);
    address.searchParams.set("example", card.dataset.example);
    history.replaceState(null, "", address);
    trigger("select", {example: card.dataset.example});
});
"""


def cards_html(examples: tuple[Example, ...]) -> str:
    """A row of cards with a picture and a title."""
    return f'<nav class="cards" aria-label="Examples">{"".join(map(_card, examples))}</nav>'


def _card(example: Example) -> str:
    picture = card_picture(example)
    shown = (
        f'<img src="{picture}" alt="" width="168" height="112">'
        if picture
        else f'<span class="quote" aria-hidden="true">“{escape(example.sentence)}”</span>'
    )
    return f'<a href="?example={example.slug}" data-example="{example.slug}">{shown}<b>{escape(example.title)}</b></a>'
