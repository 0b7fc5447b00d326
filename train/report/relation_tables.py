"""Builds the tables of single relations: their scores, and what they are confused with."""

import itertools

import numpy as np

from train.report.group_labels import DIRECTION_GIVEN, OTHER_WAY_ROUND, percent
from vmhan.evaluation.tables import GIVEN_SUFFIX, markdown_table

MOST_CONFUSED = 10
#: Relations with fewer pairs share one line: the score of each would rest on one or two answers.
FEW = 10


def analyzed_relations_table(analysis: dict) -> str:
    """Builds the table of the analyzed run's relations, the most frequent first, the rare ones summed up."""
    run = analysis["run"]
    relations, given = run["per_relation"], run.get(DIRECTION_GIVEN)
    head = ["relation", "pairs", "precision", "recall", "F1", "mostly mistaken for"]
    lines = [head + [f"F1{GIVEN_SUFFIX}"] * bool(given)]
    lines.append(["---"] * len(lines[0]))
    names, counts = _confusion(run)
    often = [name for name in relations if relations[name]["support"] >= FEW]
    for name in sorted(often, key=lambda name: -relations[name]["support"]):
        scores = [percent(relations[name][part]) for part in ("precision", "recall", "f1")]
        of_given = [percent(given["per_relation"][name]["f1"])] if given else []
        mistakes = _mistakes(names, counts, [name])
        lines.append([f"`{name}`", str(relations[name]["support"]), *scores, mistakes, *of_given])
    if rare := [name for name in relations if name not in often]:
        title = f"{len(rare)} others, each with fewer than {FEW} pairs"
        scores, support = _micro_scores(names, counts, rare), sum(relations[name]["support"] for name in rare)
        of_given = [percent(_micro_scores(*_confusion(given), rare)[-1])] if given else []
        lines.append([title, str(support), *map(percent, scores), _mistakes(names, counts, rare), *of_given])
    return markdown_table(lines)


def _confusion(run: dict) -> tuple[list[str], np.ndarray]:
    confusion = run["confusion"]
    return confusion["labels"], np.array(confusion["counts"])


def _micro_scores(names: list[str], counts: np.ndarray, some: list[str]) -> tuple[float, float, float]:
    """Computes micro precision, recall and F1 of some relations."""
    ids = [names.index(name) for name in some]
    hits, predicted, gold = counts[ids, ids].sum(), counts[:, ids].sum(), counts[ids].sum()
    return hits / max(predicted, 1), hits / max(gold, 1), 2 * hits / max(predicted + gold, 1)


def _mistakes(names: list[str], counts: np.ndarray, some: list[str], most: int = 2) -> str:
    ids = [names.index(name) for name in some]
    wrong = counts[ids].sum(axis=0)  # (labels,)
    wrong[ids] -= counts[ids, ids]
    most_frequent = np.argsort(-wrong, kind="stable")[:most]
    return ", ".join(f"{_quoted(names[label])} {wrong[label]}" for label in most_frequent if wrong[label])


def _quoted(name: str) -> str:
    return name if name == OTHER_WAY_ROUND else f"`{name}`"


def confusions_table(analysis: dict) -> str:
    """Builds the table of the most frequent mistakes of the analyzed run, in both modes."""
    run = analysis["run"]
    counts, of_given = _count_mistakes(run), _count_mistakes(run[DIRECTION_GIVEN]) if DIRECTION_GIVEN in run else None
    head = ["gold", "predicted", "pairs"] + [f"pairs{GIVEN_SUFFIX}"] * (of_given is not None)
    lines = [head, ["---"] * len(head)]
    for mistake in sorted(counts, key=lambda mistake: (counts[mistake], mistake), reverse=True)[:MOST_CONFUSED]:
        if counts[mistake]:
            of_mode = [] if of_given is None else [str(of_given.get(mistake, 0))]
            lines.append([*mistake, str(counts[mistake]), *of_mode])
    return markdown_table(lines)


def _count_mistakes(run: dict) -> dict[tuple[str, str], int]:
    """Counts pairs by gold label and another, predicted one."""
    names, counts = _confusion(run)
    return {(gold, guess): counts[i, j] for (i, gold), (j, guess) in itertools.permutations(enumerate(names), 2)}
