"""Tables out of result files, in Markdown and percent.

A column of scores without further words is of the main mode, in which the direction of pairs is unknown; one of the
other mode says `, direction given`. Runs that differ in nothing but the seed are one line: mean and standard
deviation.
"""

import statistics
from collections.abc import Sequence
from typing import NamedTuple

from vmhan.evaluation.modes import GIVEN, MODES, UNKNOWN, UNKNOWN_SCORES, split_scores
from vmhan.evaluation.result_file import RelationScores, Result
from vmhan.evaluation.run_grouping import CLEAN, group_results, variants_apart

METRICS = {"f1": "F1", "macro_f1": "macro F1", "precision": "precision", "recall": "recall", "accuracy": "accuracy"}
#: Behind the names of columns of the mode in which the direction of pairs is given.
GIVEN_SUFFIX = ", direction given"


class Column(NamedTuple):
    """A score in one mode: a column of a table."""

    metric: str
    mode: str = UNKNOWN

    @property
    def title(self) -> str:
        """The head of the column."""
        return METRICS[self.metric] + (GIVEN_SUFFIX if self.mode == GIVEN else "")


#: The columns of one run.
COLUMNS = [Column(metric, mode) for mode in MODES for metric in METRICS]
#: The columns of a comparison of runs, each of a split.
COMPARED = [
    ("validation", Column("f1")),
    *(("test", Column(metric)) for metric in METRICS),
    *((split, Column("f1", GIVEN)) for split in ("validation", "test")),
    ("test", Column("macro_f1", GIVEN)),
]


def score(result: Result, split: str, metric: str, mode: str = UNKNOWN) -> float | None:
    """Reads a score of a split in a mode; None where it was not measured.

    Old files count a wrong direction as a relation in their macro F1 with the direction unknown, which is left out.
    """
    of_split = split_scores(result, split, mode)
    if of_split is None or (metric == "macro_f1" and _counts_wrong_direction(result, split, mode)):
        return None
    return of_split.get(metric)


def _counts_wrong_direction(result: Result, split: str, mode: str) -> bool:
    """Whether a file is as old as those that list no relations with the direction unknown."""
    unknown = result["metrics"].get(split, {}).get(UNKNOWN_SCORES)
    return mode == UNKNOWN and unknown is not None and "per_relation" not in unknown


def scores(results: Sequence[Result], split: str, metric: str, mode: str = UNKNOWN) -> list[float]:
    """Reads a score of a split in a mode of each result that has it."""
    measured = (score(result, split, metric, mode) for result in results)
    return [value for value in measured if value is not None]


def relation_scores(result: Result, split: str = "test") -> dict[str, RelationScores]:
    """Reads the scores of each relation in the main mode; old files have them with the direction given alone."""
    return next(iter(_relations_by_mode(result, split).values()), {})


def scores_table(result: Result) -> str:
    """Renders the scores of one run, a line for each split, the main mode first."""
    splits = result["metrics"]
    columns = [column for column in COLUMNS if any(scores([result], split, *column) for split in splits)]
    head = ["split", "pairs", *(column.title for column in columns)]
    lines = [
        [split, f"{metrics['rows']:,}", *(spread(scores([result], split, *column)) for column in columns)]
        for split, metrics in splits.items()
    ]
    return markdown_table([head, ["---"] * len(head), *lines])


def relations_table(result: Result) -> str:
    """Renders the scores of each relation of one run on test, the most frequent first."""
    by_mode, main = _relations_by_mode(result, "test"), relation_scores(result)
    columns = [Column(metric, mode) for mode in by_mode for metric in ("precision", "recall", "f1")]
    head = ["relation", "test pairs", *(column.title for column in columns)]
    lines = [
        [
            f"`{name}`",
            str(main[name]["support"]),
            *(spread([by_mode[column.mode][name][column.metric]]) for column in columns),
        ]
        for name in sorted(main, key=lambda name: -main[name]["support"])
    ]
    return markdown_table([head, ["---"] * len(head), *lines])


def comparison_table(results: Sequence[Result]) -> str:
    """Renders several runs, a line for each group; see `comparison_lines`."""
    return markdown_table(comparison_lines(results))


def comparison_lines(results: Sequence[Result]) -> list[list[str]]:
    """Builds the head and the lines of a table of groups of runs, those best on validation first.

    Groups that are not of the protocol clean come last. Columns without a score are left out.
    """
    columns = [(split, column) for split, column in COMPARED if scores(results, split, *column)]
    head = ["entity markers", "structure", "input", "seeds", *(f"{split} {column.title}" for split, column in columns)]
    groups = group_results(results)
    labeled = sorted(zip(variants_apart(groups), groups, strict=True), key=lambda group: _rank(group[1]))
    lines = [
        [*variant, str(len(group)), *(spread(scores(group, split, *column)) for split, column in columns)]
        for variant, group in labeled
    ]
    return [head, ["---"] * len(head), *lines]


def markdown_table(lines: Sequence[Sequence[str]]) -> str:
    """Renders lines of cells, the second of dashes, as a Markdown table."""
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def measured_columns(lines: list[list[str]]) -> list[list[str]]:
    """Drops the columns of pairs whose direction is given that hold nothing."""
    head, _, *rest = lines
    kept = [i for i, name in enumerate(head) if GIVEN_SUFFIX not in name or any(line[i] for line in rest)]
    return [[line[i] for i in kept] for line in lines]


def spread(values: Sequence[float]) -> str:
    """Renders the mean, and of several values the standard deviation, in percent; empty of none."""
    if not values:
        return ""
    mean = f"{100 * statistics.mean(values):.1f}"
    return mean if len(values) == 1 else f"{mean} ± {100 * statistics.stdev(values):.1f}"


def _relations_by_mode(result: Result, split: str) -> dict[str, dict[str, RelationScores]]:
    by_mode = {mode: split_scores(result, split, mode) for mode in MODES}
    return {mode: of["per_relation"] for mode, of in by_mode.items() if of and "per_relation" in of}


def _rank(group: Sequence[Result]) -> tuple[bool, float]:
    return group[0]["protocol"] != CLEAN, -statistics.mean(scores(group, "validation", "f1") or [0.0])
