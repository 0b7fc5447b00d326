"""The tables of `train.analysis`, Markdown, percent. They show runs of the protocol clean and no others."""

import itertools

import numpy as np

from train.ablation_tables import FULL, ROWS
from train.bootstrap import Difference, describe
from train.tables import markdown_table
from train.variants import CLEAN

MOST_CONFUSED = 10
MOST_OF_FOLDER = 2  # side by side, and as many of each other folder
#: Relations with fewer pairs are one line: the score of each hangs on one or two answers.
FEW = 10
#: Endings of folders whose runs have a table of their own, where each stands beside the run that it belongs to.
ABLATIONS = "ablations"
OWN_TABLES = (ABLATIONS, "legacy")


def has_own_table(folder: str) -> bool:
    """Whether the runs of a folder belong to another table than these."""
    return folder.endswith(tuple(f"-{ending}" for ending in OWN_TABLES))


def label(group: dict) -> str:
    """What tells the runs of a group apart from others of its folder, in words; for ablations, the paper's."""
    titles = {FULL: "VM-HAN (full)", **ROWS}
    if group["folder"].endswith(f"-{ABLATIONS}") and group.get("name") in titles:
        return titles[group["name"]]
    markers, structure, *rest = group["variant"]
    return ", ".join([f"markers {markers}", "no structure" if structure == "none" else structure, *rest])


def full_label(group: dict) -> str:
    """With the folder of the results: what was trained by another recipe is another model."""
    return f"{group['folder']}: {label(group)}"


def clean_groups(analysis: dict) -> list[dict]:
    """The groups whose inputs do not give the label away; no other may stand beside them."""
    return [group for group in analysis["groups"] if group["protocol"] == CLEAN]


def shown_groups(analysis: dict) -> list[dict]:
    """The trained groups with predictions that are best on validation, of each folder no more than a few.

    Folders with a table of their own are left out, unless there are no others.
    """
    known = [group for group in clean_groups(analysis) if group["trained"] and "slices" in group]
    shown = [group for group in known if not has_own_table(group["folder"])] or known
    ranks = [[of["folder"] for of in shown[:place]].count(group["folder"]) for place, group in enumerate(shown)]
    return [group for rank, group in zip(ranks, shown, strict=True) if rank < MOST_OF_FOLDER]


def groups_table(analysis: dict) -> str:
    """A line for each group: scores, whether "a relation or none?" is answered rightly, and calibration."""
    return _groups_table(clean_groups(analysis))


def calibration_table(analysis: dict) -> str:
    """The same of the shown groups alone."""
    return _groups_table(shown_groups(analysis))


def _groups_table(groups: list[dict]) -> str:
    head = ["results", "runs", "seeds", "F1", "macro F1", "accuracy", "none-or-not accuracy", "calibration error"]
    lines = [head, ["---"] * len(head)]
    for group in groups:
        scores = [percent(group["metrics"][name]) for name in ("f1", "macro_f1", "accuracy", "none_accuracy")]
        error = group.get("expected_calibration_error")
        lines.append([group["folder"], label(group), str(len(group["runs"])), *scores, percent(error)])
    return markdown_table(lines)


def slices_table(analysis: dict) -> str:
    """A line for each slice, and F1 with its interval of the shown groups."""
    groups = shown_groups(analysis)
    head = ["slice", "pairs", "related", *(f"F1 of {full_label(group)}" for group in groups)]
    lines = [head, ["---"] * len(head)]
    for family, parts in groups[0]["slices"].items():
        for name, part in parts.items():
            if part["related"]:
                scores = [_with_interval(group["slices"][family][name]) for group in groups]
                lines.append([f"{family}: {name}", str(part["rows"]), str(part["related"]), *scores])
    return markdown_table(lines)


def differences_table(analysis: dict) -> str:
    """Each group beside the best on validation of its folder."""
    head = ["results", "runs", "less the best on validation", "F1 difference", "95 % interval", "p"]
    lines = [head, ["---"] * len(head)]
    for compared in analysis["differences"]:
        best = label({"folder": compared["folder"], "variant": compared["best_on_validation"]})
        lines.append([compared["folder"], label(compared), best, *_difference(compared)])
    return markdown_table(lines)


def visual_steps_table(analysis: dict) -> str:
    """The same weights with less and less of the image."""
    head = ["sees", "F1", "precision", "recall", "accuracy", "F1 difference", "95 % interval", "p"]
    lines = [head, ["---"] * len(head)]
    for step in analysis["visual_steps"]:
        scores = [percent(step["metrics"][name]) for name in ("f1", "precision", "recall", "accuracy")]
        lines.append([step["sees"], *scores, *(_difference(step["difference"]) if step["difference"] else [""] * 3)])
    return markdown_table(lines)


def relations_table(analysis: dict) -> str:
    """Relations of the run looked into and what they are mistaken for; the most frequent first, rare ones in sum."""
    lines = [["relation", "pairs", "precision", "recall", "F1", "mostly mistaken for"], ["---"] * 6]
    relations = analysis["run"]["per_relation"]
    names, counts = _confusion(analysis)
    often = [name for name in relations if relations[name]["support"] >= FEW]
    for name in sorted(often, key=lambda name: -relations[name]["support"]):
        scores = [percent(relations[name][part]) for part in ("precision", "recall", "f1")]
        lines.append([f"`{name}`", str(relations[name]["support"]), *scores, _mistakes(names, counts, [name])])
    if rare := [name for name in relations if name not in often]:
        title = f"{len(rare)} others, each with fewer than {FEW} pairs"
        scores, support = _together(names, counts, rare), sum(relations[name]["support"] for name in rare)
        lines.append([title, str(support), *map(percent, scores), _mistakes(names, counts, rare)])
    return markdown_table(lines)


def _confusion(analysis: dict) -> tuple[list[str], np.ndarray]:
    confusion = analysis["run"]["confusion"]
    return confusion["labels"], np.array(confusion["counts"])


def _together(names: list[str], counts: np.ndarray, some: list[str]) -> tuple[float, float, float]:
    """Micro precision, recall and F1 of some relations."""
    places = [names.index(name) for name in some]
    hits, predicted, gold = counts[places, places].sum(), counts[:, places].sum(), counts[places].sum()
    return hits / max(predicted, 1), hits / max(gold, 1), 2 * hits / max(predicted + gold, 1)


def _mistakes(names: list[str], counts: np.ndarray, some: list[str], most: int = 2) -> str:
    places = [names.index(name) for name in some]
    wrong = counts[places].sum(axis=0)
    wrong[places] -= counts[places, places]
    likeliest = np.argsort(-wrong, kind="stable")[:most]
    return ", ".join(f"`{names[place]}` {wrong[place]}" for place in likeliest if wrong[place])


def confusions_table(analysis: dict) -> str:
    """The most frequent mistakes of the run looked into."""
    names, counts = _confusion(analysis)
    wrong = [(counts[i, j], gold, guess) for (i, gold), (j, guess) in itertools.permutations(enumerate(names), 2)]
    lines = [["gold", "predicted", "pairs"], ["---"] * 3]
    lines += [[gold, guess, str(count)] for count, gold, guess in sorted(wrong, reverse=True)[:MOST_CONFUSED] if count]
    return markdown_table(lines)


def tables(analysis: dict) -> dict[str, str]:
    """Every table by name."""
    kinds = {"groups": groups_table, "calibration": calibration_table, "slices": slices_table}
    kinds |= {"visual-steps": visual_steps_table, "differences": differences_table}
    kinds |= {"relations": relations_table, "confusions": confusions_table}
    return {name: kind(analysis) for name, kind in kinds.items()}


def print_tables(analysis: dict) -> None:
    """Prints all of them."""
    run = analysis["run"]
    print(f"Looked into: {run['name']} ({run['label'].replace(chr(10), ', ')}), {analysis['split']} split.", end=" ")
    print(f"Expected calibration error {percent(run['calibration']['expected_error'])},", end=" ")
    print(f"none-or-not accuracy {percent(run['metrics']['none_accuracy'])}.")
    for name, table in tables(analysis).items():
        print(f"\n{name}\n\n{table}")
    for step in analysis["visual_steps"]:
        if step["difference"]:
            print(f"\n{step['sees']}: {describe(Difference(**step['difference']))}", end="")
    print()


def percent(value: float | None) -> str:
    """With one decimal place; empty if there is none."""
    return "" if value is None else f"{100 * value:.1f}"


def _with_interval(scores: dict) -> str:
    return f"{percent(scores['f1'])} ({percent(scores['low'])} to {percent(scores['high'])})"


def _difference(difference: dict) -> list[str]:
    f1, low, high = (f"{100 * difference[part]:+.1f}" for part in ("f1", "low", "high"))
    return [f1, f"{low} to {high}", f"{difference['p']:.2f}"]
