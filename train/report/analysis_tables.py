"""Builds the tables of `train.report.analysis`: Markdown, percent, runs of the protocol clean alone.

Columns are of pairs whose direction is unknown unless they say otherwise.
"""

from train.report.group_labels import (
    CALIBRATED,
    DIRECTION_GIVEN,
    by_mode,
    clean_groups,
    full_label,
    label,
    percent,
    shown_groups,
)
from train.report.relation_tables import analyzed_relations_table, confusions_table
from vmhan.evaluation.bootstrap import Difference, describe
from vmhan.evaluation.tables import GIVEN_SUFFIX, markdown_table, measured_columns

_DIFFERENCE = ("F1 difference", "95 % interval", "p")
#: Rows of the README's table: visual input of the bundled model, by its name in the analysis.
_SUMMARY = {"descriptions": "sentence and description of the image", "text only": "sentence only"}


def groups_table(analysis: dict) -> str:
    """Builds a line for each group: scores, accuracy of none-or-not, and calibration."""
    return _groups_table(clean_groups(analysis))


def calibration_table(analysis: dict) -> str:
    """Builds the table of groups for the shown ones alone."""
    return _groups_table(shown_groups(analysis))


def _groups_table(groups: list[dict]) -> str:
    names = {"f1": "F1", "macro_f1": "macro F1", "accuracy": "accuracy", "none_accuracy": "none-or-not accuracy"}
    of_main = ["validation F1", *names.values(), "calibration error"]
    of_given = [f"{name}{GIVEN_SUFFIX}" for name in ("validation F1", "F1", "macro F1", "calibration error")]
    head = ["results", "runs", "seeds", *of_main, *of_given]
    lines = [head, ["---"] * len(head)]
    for group in groups:
        given, error = group.get(DIRECTION_GIVEN), _calibration_error(group)
        scores = [group["validation_f1"], *(group["metrics"][name] for name in names), error]
        scores += _given_scores(given) if given else [None] * 4
        lines.append([group["folder"], label(group), str(len(group["runs"])), *map(percent, scores)])
    return markdown_table(measured_columns(lines))


def _given_scores(given: dict) -> list[float | None]:
    return [
        given["validation_f1"],
        *(given["metrics"][name] for name in ("f1", "macro_f1")),
        _calibration_error(given),
    ]


def _calibration_error(analyzed: dict) -> float | None:
    """Returns the calibration error over all answers, with the model's temperatures."""
    calibration = analyzed.get("calibration")
    return calibration["calibrated"]["all"]["expected_error"] if calibration else None


def confidence_table(analysis: dict) -> str:
    """Builds the table of the shown groups' confidence in the relations that they predict, and its accuracy."""
    head = ["results", "runs", "direction", "relations named", "mean confidence", "right", "calibration error"]
    head += ["mean confidence, no temperatures", "calibration error, no temperatures"]
    lines = [head, ["---"] * len(head)]
    for group in shown_groups(analysis):
        for direction, analyzed in by_mode(group):
            if calibration := analyzed["calibration"]:
                after, before = (calibration.get(when, {}).get("relations", {}) for when in CALIBRATED)
                scores = [*(after[name] for name in ("confidence", "accuracy", "expected_error"))]
                scores += [before.get("confidence"), before.get("expected_error")]
                named = f"{after['rows']:.0f}"
                lines.append([group["folder"], label(group), direction, named, *map(percent, scores)])
    return markdown_table(lines)


def slices_table(analysis: dict) -> str:
    """Builds a line for each slice: F1 of the shown groups, with its interval in the main mode."""
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
    """Builds a line for each group: its difference to the best on validation of its folder."""
    head = ["results", "runs", "compared with the best on validation", *_DIFFERENCE]
    head += [f"{name}{GIVEN_SUFFIX}" for name in _DIFFERENCE]
    lines = [head, ["---"] * len(head)]
    for compared in analysis["differences"]:
        best = label({"folder": compared["folder"], "variant": compared["best_on_validation"]})
        differences = [*_difference(compared), *_difference(compared.get(DIRECTION_GIVEN))]
        lines.append([compared["folder"], label(compared), best, *differences])
    return markdown_table(measured_columns(lines))


def visual_steps_table(analysis: dict) -> str:
    """Builds a line for each visual input of the same weights, from more to less."""
    names = {"f1": "F1", "macro_f1": "macro F1", "precision": "precision", "recall": "recall", "accuracy": "accuracy"}
    head = ["input", "validation F1", *names.values(), *_DIFFERENCE]
    head += [f"{name}{GIVEN_SUFFIX}" for name in ("validation F1", "F1", "macro F1", *_DIFFERENCE)]
    lines = [head, ["---"] * len(head)]
    for step in analysis["visual_steps"]:
        given = step.get(DIRECTION_GIVEN)
        scores = [step["validation_f1"], *(step["metrics"][name] for name in names)]
        of_given = [None] * 3
        if given:
            of_given = [given["validation_f1"], *(given["metrics"][name] for name in ("f1", "macro_f1"))]
        cells = [*map(percent, scores), *_difference(step["difference"])]
        cells += [*map(percent, of_given), *_difference(given and given["difference"])]
        lines.append([step["sees"], *cells])
    return markdown_table(measured_columns(lines))


def summary_table(analysis: dict) -> str:
    """Builds the README's table: the analyzed run with the description of the image, and without, in each mode."""
    head = ["input"]
    for direction, _ in by_mode(analysis["run"]):
        of_mode = f", direction {direction}" if direction else ""
        head += [f"{analysis['split']} F1{of_mode} (95 % interval)", f"macro F1{of_mode}"]
    lines = [head, ["---"] * len(head)]
    for step in analysis["visual_steps"]:
        if title := _SUMMARY.get(step["sees"]):
            modes = [scored["metrics"] | scored for _, scored in by_mode(step)]
            lines.append([title, *(cell for of in modes for cell in (_with_interval(of), percent(of["macro_f1"])))])
    return markdown_table(lines)


def tables(analysis: dict) -> dict[str, str]:
    """Builds every table by name."""
    kinds = {"groups": groups_table, "calibration": calibration_table, "confidence": confidence_table}
    kinds |= {"slices": slices_table, "visual-steps": visual_steps_table, "differences": differences_table}
    kinds |= {"relations": analyzed_relations_table, "confusions": confusions_table, "summary": summary_table}
    return {name: kind(analysis) for name, kind in kinds.items()}


def print_tables(analysis: dict) -> None:
    """Prints every table."""
    run = analysis["run"]
    print(f"Run: {run['name']} ({run['label'].replace(chr(10), ', ')}), {analysis['split']} split.", end=" ")
    print(f"None-or-not accuracy {percent(run['metrics']['none_accuracy'])}.", end=" ")
    print("Direction unknown unless a column says otherwise." if DIRECTION_GIVEN in run else "")
    for name, table in tables(analysis).items():
        print(f"\n{name}\n\n{table}")
    for step in analysis["visual_steps"]:
        if step["difference"]:
            print(f"\n{step['sees']}: {describe(Difference(**step['difference']))}", end="")
    print()


def _with_interval(scores: dict) -> str:
    return f"{percent(scores['f1'])} ({percent(scores['low'])} to {percent(scores['high'])})"


def _difference(difference: dict | None) -> list[str]:
    if difference is None:
        return [""] * len(_DIFFERENCE)
    f1, low, high = (f"{100 * difference[part]:+.1f}" for part in ("f1", "low", "high"))
    return [f1, f"{low} to {high}", f"{difference['p']:.2f}"]
