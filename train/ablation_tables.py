"""Table 2 of the paper, measured here, beside what the paper reports: differences to the full model."""

import statistics

from train.bootstrap import f1_interval, paired_difference
from train.finished_runs import Run
from train.predictions import SplitPredictions
from train.published import ABLATIONS_MNRE, MAIN_MNRE
from train.tables import markdown_table, scores, settings_name, spread

FULL = "full"
#: The settings in train/configs/mnre/ablations, in the order of Table 2, by the paper's names.
ROWS = {
    "without_hypergraph": "w/o Multi-Modal Hypergraph",
    "without_variational": "w/o Variational Representation",
    "without_vhan": "w/o V-HAN",
    "without_kl": "w/o KL Loss",
    "without_text_phrases": "w/o Text LLM Enhancement",
    "without_visual_phrases": "w/o Visual LLM Enhancement",
    "without_global": "w/o Global Hypergraph",
    "without_intra_modal": "w/o Intra-modal Hypergraph",
    "without_inter_modal": "w/o Inter-modal Hypergraph",
    "with_hgnn": "repl. HGNN",
    "with_variational_gcn": "repl. Variational GCN",
    "with_gcn": "repl. GCN",
    "with_gat": "repl. GAT",
}
_NAMES = ("test F1", "95 % interval", "less the full model", "95 % interval", "in the paper", "as in the paper?")
_EMPTY = ""


def ablations_table(runs: list[Run]) -> str:
    """A line for each row of Table 2, in its order; what has not been run is empty.

    Intervals are of drawing the test sentences anew, for which predictions have to be at hand. `as in the paper?` says
    "yes" where our difference has the paper's sign and its interval leaves zero out, "opposite" where it does so with
    the other sign, and "not seen" where the interval holds zero.

    Raises:
        ValueError: A run is of no row of the table.
    """
    groups: dict[str, list[Run]] = {name: [] for name in (FULL, *ROWS)}
    for run in runs:
        name = settings_name(run.result)
        if name not in groups:
            raise ValueError(f"No row of Table 2 is called {name!r}; there are {', '.join(groups)}.")
        groups[name].append(run)
    published = {row.name: row.f1 for row in ABLATIONS_MNRE}
    paper_full, full = MAIN_MNRE[-1].f1, groups[FULL]
    head = ["variant", "seeds", *_NAMES]
    lines = [head, ["---"] * len(head)]
    lines.append(["VM-HAN (full)", *_measured(full), _EMPTY, _EMPTY, f"F1 {paper_full:.1f}", _EMPTY])
    for name, title in ROWS.items():
        lines.append([title, *_measured(groups[name]), *_compared(groups[name], full, published[title] - paper_full)])
    return markdown_table(lines)


def _measured(runs: list[Run]) -> list[str]:
    """Seeds, F1 and its interval."""
    if not runs:
        return ["0", _EMPTY, _EMPTY]
    interval = _EMPTY
    if _have_predictions(runs):
        interval = _span(*f1_interval(_of_test(runs), runs[0].predictions.none_id)[1:], sign="")
    return [str(len(runs)), spread(_f1(runs)), interval]


def _compared(runs: list[Run], full: list[Run], theirs: float) -> list[str]:
    """Our difference, its interval, the paper's, and whether they agree."""
    if not runs or not full:
        return [_EMPTY, _EMPTY, f"{theirs:+.1f}", _EMPTY]
    ours = statistics.mean(_f1(runs)) - statistics.mean(_f1(full))
    interval = agrees = _EMPTY
    if _have_predictions([*runs, *full]):
        _, low, high, _ = paired_difference(_of_test(runs), _of_test(full), full[0].predictions.none_id)
        interval = _span(low, high, sign="+")
        agrees = "not seen" if low <= 0 <= high else "yes" if (ours > 0) == (theirs > 0) else "opposite"
    return [f"{100 * ours:+.1f}", interval, f"{theirs:+.1f}", agrees]


def _f1(runs: list[Run]) -> list[float]:
    return scores([run.result for run in runs], "test", "f1")


def _have_predictions(runs: list[Run]) -> bool:
    return all(run.predictions for run in runs)


def _of_test(runs: list[Run]) -> list[SplitPredictions]:
    return [run.predictions.splits["test"] for run in runs]


def _span(*ends: float, sign: str) -> str:
    return " to ".join(f"{100 * end:{sign}.1f}" for end in ends)
