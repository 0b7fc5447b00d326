"""The whole answer: graph, table, the reasons of the chosen pair, and downloads."""

from dataclasses import dataclass

from page.labels import summary
from page.render.comparison import Comparison, compare_pairs
from page.render.details import LEGEND, PairDetails, pair_details
from page.render.downloads import Download, answer_downloads
from page.render.environment import read_script, render
from page.render.pair_table import PairTable, pair_table
from page.render.relation_graph import GraphLayout, graph_layout

#: In place of an answer that is on its way.
WAITING = render("waiting.html")
CHOOSE_PAIR = read_script("choose_pair")


@dataclass(frozen=True)
class AnswerLayout:
    """Everything below the button.

    Args:
        details: The chosen pair, or it and the pair that it is compared with.
        comparison: None where no pair is compared.
    """

    summary: str
    sentence: str
    warnings: list[str]
    graph: GraphLayout
    table: PairTable
    details: list[PairDetails]
    comparison: Comparison | None
    downloads: list[Download]


def answer_html(answer: dict, chosen: int, other: int | None = None) -> str:
    """Renders everything below the button.

    Args:
        answer: As `pair_details` takes it, with the `"text"` that the answer is about.
        chosen: The pair that is shown.
        other: The pair that it is compared with.
    """
    return render("answer.html", answer=answer_layout(answer, chosen, other), legend=LEGEND)


def answer_layout(answer: dict, chosen: int, other: int | None = None) -> AnswerLayout:
    """Computes what `answer_html` renders."""
    pairs = answer["pairs"]
    shown = [(chosen, "")] if other is None else [(chosen, "A"), (other, "B")]
    return AnswerLayout(
        summary=summary(pairs),
        sentence=answer["text"],
        warnings=list(answer.get("warnings") or ()),
        graph=graph_layout(pairs, chosen, other),
        table=pair_table(pairs, chosen, other),
        details=[pair_details(answer, number, mark) for number, mark in shown],
        comparison=None if other is None else compare_pairs(answer, chosen, other),
        downloads=answer_downloads(answer, chosen),
    )
