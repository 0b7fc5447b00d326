"""The whole answer: graph, table, downloads and the reasons of the chosen pair."""

from html import escape

from page.labels import summary
from page.render.details import details_html
from page.render.downloads import downloads_html
from page.render.pair_table import pairs_html
from page.render.relation_graph import graph_svg

#: In place of an answer that is on its way.
WAITING = '<p class="hint" role="status">Finding the relations of this example …</p>'
#: A click or a key on a pair shows it; on its "compare" button, beside the pair that is shown. The second click of a
#: double click is none, or it would take back what the first one did.
CHOOSE_PAIR = """
let last = null;
const act = event => {
    if (event.detail > 1) return;
    const compare = event.target.closest("[data-compare]");
    const pair = event.target.closest("[data-pair]");
    if (!compare && !pair) return;
    last = (event.target.closest("[data-key]") ?? pair.querySelector("[data-key]") ?? pair).dataset.key;
    if (compare) trigger("select", {pair: Number(compare.dataset.compare), compare: true});
    else trigger("select", {pair: Number(pair.dataset.pair), compare: false});
};
element.addEventListener("click", act);
element.addEventListener("keydown", event => {
    if (!["Enter", " "].includes(event.key) || !event.target.closest("g[data-pair]")) return;
    event.preventDefault();
    act(event);
});
watch("value", () => {
    const again = last !== null && element.querySelector(`[data-key="${last}"]`);
    if (again) again.focus({preventScroll: true});
    last = null;
});
"""


def answer_html(answer: dict, chosen: int, other: int | None = None) -> str:
    """Everything below the button.

    Args:
        answer: As `details_html` takes it, with the `"text"` that was asked about.
        chosen: The pair that is shown.
        other: The pair that it is compared with.
    """
    pairs = answer["pairs"]
    sentence = f'<blockquote dir="auto">{escape(answer["text"])}</blockquote>'
    return (
        f'<section class="answer" aria-label="Relations"><h2>{summary(pairs)}</h2>{sentence}{_warnings(answer)}'
        f'<div class="overview"><div class="wide">{graph_svg(pairs, chosen, other)}</div>'
        f"<div>{pairs_html(pairs, chosen, other)}<p>Choose a pair in the graph or the table to see why.</p></div>"
        f"</div>{details_html(answer, chosen, other)}{downloads_html(answer, chosen)}</section>"
    )


def _warnings(answer: dict) -> str:
    """What the pipeline says against its own answer, one sentence a line; empty where it says nothing."""
    sentences = "".join(f'<p dir="auto">{escape(sentence)}</p>' for sentence in answer.get("warnings") or ())
    return f'<div class="warnings" role="status">{sentences}</div>' if sentences else ""
