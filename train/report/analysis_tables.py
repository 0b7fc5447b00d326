"""The tables of `train.report.analysis`, Markdown, percent. They show runs of the protocol clean and no others.

Columns without further words are of pairs whose direction is unknown, as users ask.
"""

import itertools

import numpy as np

from train.report.ablation_tables import FULL, ROWS
from vmhan.evaluation.bootstrap import Difference, describe
from vmhan.evaluation.run_grouping import CLEAN
from vmhan.evaluation.tables import GIVEN_SUFFIX, markdown_table, measured_columns

#: What an analysis says once more of pairs whose direction is given lies under this name; of some data sets nothing.
DIRECTION_GIVEN = "direction_given"
#: With a model's temperatures and without them, which older files of predictions do not tell.
CALIBRATED = ("calibrated", "uncalibrated")
#: What stands for `WRONG_DIRECTION` among what a pair is mistaken for, also one without a relation.
OTHER_WAY_ROUND = "a relation the other way round"
MOST_CONFUSED = 10
MOST_OF_FOLDER = 2  # side by side, and as many of each other folder
#: Relations with fewer pairs are one line: the score of each hangs on one or two answers.
FEW = 10
#: Endings of folders whose runs have a table of their own, where each stands beside the run that it belongs to.
ABLATIONS = "ablations"
OWN_TABLES = (ABLATIONS, "legacy")
_DIFFERENCE = ("F1 difference", "95 % interval", "p")


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
    names = {"f1": "F1", "macro_f1": "macro F1", "accuracy": "accuracy", "none_accuracy": "none-or-not accuracy"}
    of_main = ["validation F1", *names.values(), "calibration error"]
    of_given = [f"{name}{GIVEN_SUFFIX}" for name in ("validation F1", "F1", "calibration error")]
    head = ["results", "runs", "seeds", *of_main, *of_given]
    lines = [head, ["---"] * len(head)]
    for group in groups:
        given, error = group.get(DIRECTION_GIVEN), _calibration_error(group)
        scores = [group["validation_f1"], *(group["metrics"][name] for name in names), error]
        scores += [given["validation_f1"], given["metrics"]["f1"], _calibration_error(given)] if given else [None] * 3
        lines.append([group["folder"], label(group), str(len(group["runs"])), *map(percent, scores)])
    return markdown_table(measured_columns(lines))


def _calibration_error(analysed: dict) -> float | None:
    """Over all answers, with the model's temperatures."""
    calibration = analysed.get("calibration")
    return calibration["calibrated"]["all"]["expected_error"] if calibration else None


def confidence_table(analysis: dict) -> str:
    """Of the shown groups, in each mode: how sure they are of the relations that they name, and how often rightly."""
    head = ["results", "runs", "direction", "relations named", "mean confidence", "right", "calibration error"]
    head += ["mean confidence, no temperatures", "calibration error, no temperatures"]
    lines = [head, ["---"] * len(head)]
    for group in shown_groups(analysis):
        for direction, analysed in by_mode(group):
            if calibration := analysed["calibration"]:
                after, before = (calibration.get(when, {}).get("relations", {}) for when in CALIBRATED)
                scores = [*(after[name] for name in ("confidence", "accuracy", "expected_error"))]
                scores += [before.get("confidence"), before.get("expected_error")]
                named = f"{after['rows']:.0f}"
                lines.append([group["folder"], label(group), direction, named, *map(percent, scores)])
    return markdown_table(lines)


def by_mode(analysed: dict) -> list[tuple[str, dict]]:
    """What is said of each mode, by its name; without one where there is only one."""
    if given := analysed.get(DIRECTION_GIVEN):
        return [("unknown", analysed), ("given", given)]
    return [("", analysed)]


def slices_table(analysis: dict) -> str:
    """A line for each slice, and F1 of the shown groups, with its interval in the main mode."""
    groups = shown_groups(analysis)
    both = [group for group in groups if DIRECTION_GIVEN in group]
    head = ["slice", "pairs", "related", *(f"F1 of {full_label(group)}" for group in groups)]
    head += [f"F1{GIVEN_SUFFIX}, of {full_label(group)}" for group in both]
    lines = [head, ["---"] * len(head)]
    for family, parts in groups[0]["slices"].items():
        for name, part in parts.items():
            if part["related"]:
                scores = [_with_interval(group["slices"][family][name]) for group in groups]
                scores += [percent(group[DIRECTION_GIVEN]["slices"][family][name]["f1"]) for group in both]
                lines.append([f"{family}: {name}", str(part["rows"]), str(part["related"]), *scores])
    return markdown_table(lines)


def differences_table(analysis: dict) -> str:
    """Each group beside the best on validation of its folder."""
    head = ["results", "runs", "less the best on validation", *_DIFFERENCE]
    head += [f"{name}{GIVEN_SUFFIX}" for name in _DIFFERENCE]
    lines = [head, ["---"] * len(head)]
    for compared in analysis["differences"]:
        best = label({"folder": compared["folder"], "variant": compared["best_on_validation"]})
        differences = [*_difference(compared), *_difference(compared.get(DIRECTION_GIVEN))]
        lines.append([compared["folder"], label(compared), best, *differences])
    return markdown_table(measured_columns(lines))


def visual_steps_table(analysis: dict) -> str:
    """The same weights with less and less of the image."""
    names = {"f1": "F1", "precision": "precision", "recall": "recall", "accuracy": "accuracy"}
    head = ["sees", "validation F1", *names.values(), *_DIFFERENCE]
    head += [f"{name}{GIVEN_SUFFIX}" for name in ("validation F1", "F1", *_DIFFERENCE)]
    lines = [head, ["---"] * len(head)]
    for step in analysis["visual_steps"]:
        given = step.get(DIRECTION_GIVEN)
        scores = [step["validation_f1"], *(step["metrics"][name] for name in names)]
        of_given = [given["validation_f1"], given["metrics"]["f1"]] if given else [None] * 2
        cells = [*map(percent, scores), *_difference(step["difference"])]
        cells += [*map(percent, of_given), *_difference(given and given["difference"])]
        lines.append([step["sees"], *cells])
    return markdown_table(measured_columns(lines))


def relations_table(analysis: dict) -> str:
    """Relations of the run looked into and what they are mistaken for; the most frequent first, rare ones in sum."""
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
        scores, support = _together(names, counts, rare), sum(relations[name]["support"] for name in rare)
        of_given = [percent(_together(*_confusion(given), rare)[-1])] if given else []
        lines.append([title, str(support), *map(percent, scores), _mistakes(names, counts, rare), *of_given])
    return markdown_table(lines)


def _confusion(run: dict) -> tuple[list[str], np.ndarray]:
    confusion = run["confusion"]
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
    return ", ".join(f"{_quoted(names[place])} {wrong[place]}" for place in likeliest if wrong[place])


def _quoted(name: str) -> str:
    return name if name == OTHER_WAY_ROUND else f"`{name}`"


def confusions_table(analysis: dict) -> str:
    """The most frequent mistakes of the run looked into, and how frequent each is with the direction given."""
    run = analysis["run"]
    counts, of_given = _mistaken(run), _mistaken(run[DIRECTION_GIVEN]) if DIRECTION_GIVEN in run else None
    head = ["gold", "predicted", "pairs"] + [f"pairs{GIVEN_SUFFIX}"] * (of_given is not None)
    lines = [head, ["---"] * len(head)]
    for mistake in sorted(counts, key=lambda mistake: (counts[mistake], mistake), reverse=True)[:MOST_CONFUSED]:
        if counts[mistake]:
            known = [] if of_given is None else [str(of_given.get(mistake, 0))]
            lines.append([*mistake, str(counts[mistake]), *known])
    return markdown_table(lines)


def _mistaken(run: dict) -> dict[tuple[str, str], int]:
    """Pairs by gold and another predicted label."""
    names, counts = _confusion(run)
    return {(gold, guess): counts[i, j] for (i, gold), (j, guess) in itertools.permutations(enumerate(names), 2)}


def tables(analysis: dict) -> dict[str, str]:
    """Every table by name."""
    kinds = {"groups": groups_table, "calibration": calibration_table, "confidence": confidence_table}
    kinds |= {"slices": slices_table, "visual-steps": visual_steps_table, "differences": differences_table}
    kinds |= {"relations": relations_table, "confusions": confusions_table}
    return {name: kind(analysis) for name, kind in kinds.items()}


def print_tables(analysis: dict) -> None:
    """Prints all of them."""
    run = analysis["run"]
    print(f"Looked into: {run['name']} ({run['label'].replace(chr(10), ', ')}), {analysis['split']} split.", end=" ")
    print(f"None-or-not accuracy {percent(run['metrics']['none_accuracy'])}.", end=" ")
    print("Columns without further words: direction unknown." if DIRECTION_GIVEN in run else "")
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


def _difference(difference: dict | None) -> list[str]:
    if difference is None:
        return [""] * len(_DIFFERENCE)
    f1, low, high = (f"{100 * difference[part]:+.1f}" for part in ("f1", "low", "high"))
    return [f1, f"{low} to {high}", f"{difference['p']:.2f}"]
