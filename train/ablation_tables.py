"""Table 2 of the paper, measured here, beside what the paper reports: differences to the full model."""

import statistics

from train.intervals import difference_interval, f1_interval
from train.published import ABLATIONS_MNRE, MAIN_MNRE
from train.tables import markdown_table, runs_by_settings, scores, spread

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


def ablations_table(results: list[dict]) -> str:
    """A line for each row of Table 2, in its order; what has not been run is empty.

    `as in the paper?` says "yes" where our difference has the paper's sign and its interval leaves zero out,
    "opposite" where it does so with the other sign, and "not seen" where the interval holds zero.

    Raises:
        ValueError: A result is of no row of the table.
    """
    groups = runs_by_settings(results)
    unknown = sorted(groups.keys() - {FULL, *ROWS})
    if unknown:
        raise ValueError(f"No row of Table 2 is called {unknown[0]!r}; there are {', '.join([FULL, *ROWS])}.")
    published = {row.name: row.f1 for row in ABLATIONS_MNRE}
    paper_full = MAIN_MNRE[-1].f1
    full = groups.get(FULL, [])
    head = ["variant", "seeds", *_NAMES]
    lines = [head, ["---"] * len(head)]
    lines.append(["VM-HAN (full)", *_measured(full), _EMPTY, _EMPTY, f"F1 {paper_full:.1f}", _EMPTY])
    for name, title in ROWS.items():
        theirs = published[title] - paper_full
        runs = groups.get(name, [])
        lines.append([title, *_measured(runs), *_differences(runs, full, theirs)])
    return markdown_table(lines)


def _measured(runs: list[dict]) -> list[str]:
    """Seeds, F1 and its interval."""
    if not runs:
        return ["0", _EMPTY, _EMPTY]
    return [str(len(runs)), spread(scores(runs, "test", "f1")), _span(f1_interval(_of_test(runs)), sign="")]


def _differences(runs: list[dict], full: list[dict], theirs: float) -> list[str]:
    """Our difference, its interval, the paper's, and whether they agree."""
    if not runs or not full:
        return [_EMPTY, _EMPTY, f"{theirs:+.1f}", _EMPTY]
    ours = statistics.mean(scores(runs, "test", "f1")) - statistics.mean(scores(full, "test", "f1"))
    low, high = difference_interval(_of_test(runs), _of_test(full))
    agrees = "not seen" if low <= 0 <= high else "yes" if (ours > 0) == (theirs > 0) else "opposite"
    return [f"{100 * ours:+.1f}", _span((low, high), sign="+"), f"{theirs:+.1f}", agrees]


def _of_test(runs: list[dict]) -> list[dict]:
    return [run["metrics"]["test"] for run in runs]


def _span(ends: tuple[float, float], sign: str) -> str:
    return " to ".join(f"{100 * end:{sign}.1f}" for end in ends)
