"""Builds Table 2 of the paper: differences to the full model, measured here and as the paper reports them.

Scores are with the direction of pairs given, as in print; the other mode has columns of its own.
"""

from dataclasses import dataclass

from vmhan.evaluation.bootstrap import Difference, f1_interval, paired_difference
from vmhan.evaluation.modes import GIVEN, UNKNOWN, rows_in
from vmhan.evaluation.paper_tables import ABLATIONS_MNRE, MAIN_MNRE
from vmhan.evaluation.predictions import SplitPredictions
from vmhan.evaluation.run_grouping import settings_name
from vmhan.evaluation.runs import Run
from vmhan.evaluation.tables import GIVEN_SUFFIX, markdown_table, scores, spread

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
#: Scores that are not compared with the paper: split and mode by the heading.
_FURTHER = {
    f"validation F1{GIVEN_SUFFIX}": ("validation", GIVEN),
    "validation F1": ("validation", UNKNOWN),
    "test F1": ("test", UNKNOWN),
}
_HEAD = (
    *("variant", "seeds", f"test F1{GIVEN_SUFFIX}", "95 % interval"),
    *("difference to the full model", "95 % interval", "in the paper", "the paper's difference"),
    *_FURTHER,
    *("difference, direction unknown", "95 % interval"),
)


@dataclass
class AblationRow:
    """A row of Table 2, measured.

    Args:
        title: Its name in the paper.
        runs: One for each seed; none where it has not been run.
        published: F1 in the paper less that of the full model there, percent.
        difference: Of F1 with the direction given to our full model; None where predictions are missing.
        unknown: The same with the direction unknown.
    """

    title: str
    runs: list[Run]
    published: float
    difference: Difference | None
    unknown: Difference | None = None

    @property
    def agreement(self) -> str:
        """Compares our interval with zero and with the paper's difference.

        "confirmed": it contains the paper's alone; "excluded": zero alone; "inconclusive": both. Otherwise there is
        a difference, but "smaller", "larger" or of the "opposite sign".
        """
        if self.difference is None:
            return ""
        ours, low, high, _ = self.difference
        theirs = self.published / 100
        if low <= 0 <= high:
            return "inconclusive" if low <= theirs <= high else "excluded"
        if low <= theirs <= high:
            return "confirmed"
        if (ours > 0) != (theirs > 0):
            return "opposite sign"
        return "smaller" if abs(ours) < abs(theirs) else "larger"


def ablation_rows(runs: list[Run]) -> tuple[list[Run], list[AblationRow]]:
    """Groups runs into those of the full model and the rows of Table 2, in its order.

    Raises:
        ValueError: A run is of no row, or is not `clean`.
    """
    groups: dict[str, list[Run]] = {name: [] for name in (FULL, *ROWS)}
    for run in runs:
        name = settings_name(run.result)
        if name not in groups:
            raise ValueError(f"No row of Table 2 is called {name!r}; there are {', '.join(groups)}.")
        if run.result["protocol"] != "clean":
            raise ValueError(f"{run.name} is of the protocol {run.result['protocol']!r}; Table 2 is of clean runs.")
        groups[name].append(run)
    full, paper_full = groups[FULL], MAIN_MNRE[-1].f1
    published = {row.name: row.f1 - paper_full for row in ABLATIONS_MNRE}
    return full, [
        AblationRow(
            title, groups[name], published[title], *(_difference(groups[name], full, m) for m in (GIVEN, UNKNOWN))
        )
        for name, title in ROWS.items()
    ]


def ablations_table(runs: list[Run]) -> str:
    """Builds the Markdown table, a line for each row of Table 2; rows that have not been run are empty.

    Intervals come from a bootstrap over test sentences and, where there are several, over seeds, and need predictions.
    The last three columns are with the direction unknown.

    Raises:
        ValueError: As `ablation_rows`.
    """
    full, rows = ablation_rows(runs)
    lines = [list(_HEAD), ["---"] * len(_HEAD)]
    lines.append(
        ["VM-HAN (full)", *_measured(full), "", "", f"F1 {MAIN_MNRE[-1].f1:.1f}", "", *_further(full), "", ""]
    )
    for row in rows:
        difference = f"{100 * (_mean_f1(row.runs) - _mean_f1(full)):+.1f}" if row.runs and full else ""
        interval = _span(*row.difference[1:3], sign="+") if row.difference else ""
        compared = [difference, interval, f"{row.published:+.1f}", row.agreement]
        lines.append([row.title, *_measured(row.runs), *compared, *_further(row.runs), *_cells(row.unknown)])
    return markdown_table(lines)


def _cells(difference: Difference | None) -> list[str]:
    """Formats a difference and its interval."""
    return [f"{100 * difference.f1:+.1f}", _span(*difference[1:3], sign="+")] if difference else ["", ""]


def _further(runs: list[Run]) -> list[str]:
    results = [run.result for run in runs]
    return [spread(scores(results, split, "f1", mode)) for split, mode in _FURTHER.values()]


def _measured(runs: list[Run]) -> list[str]:
    """Formats seeds, F1 and its interval."""
    if not runs:
        return ["0", "", ""]
    interval = ""
    if all(run.predictions for run in runs):
        none_id = runs[0].predictions.none_id
        interval = _span(*f1_interval(_test_rows(runs), none_id, draw_runs=True)[1:], sign="")
    return [str(len(runs)), spread(_f1(runs)), interval]


def _difference(runs: list[Run], full: list[Run], mode: str) -> Difference | None:
    if not runs or not full or not all(run.predictions for run in [*runs, *full]):
        return None
    rows, none_id = (_test_rows(some, mode) for some in (runs, full)), full[0].predictions.none_id
    return paired_difference(*rows, none_id, draw_runs=True)


def _f1(runs: list[Run]) -> list[float]:
    """Reads F1 with the direction given, as in print, or in the only mode."""
    results = [run.result for run in runs]
    return scores(results, "test", "f1", GIVEN) or scores(results, "test", "f1")


def _mean_f1(runs: list[Run]) -> float:
    return sum(_f1(runs)) / len(runs)


def _test_rows(runs: list[Run], mode: str = GIVEN) -> list[SplitPredictions]:
    return [rows_in(run.predictions.splits["test"], mode) for run in runs]


def _span(*ends: float, sign: str) -> str:
    return " to ".join(f"{100 * end:{sign}.1f}" for end in ends)
