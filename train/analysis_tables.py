"""The tables of `train.analysis`, Markdown, percent."""

import itertools

from train.bootstrap import Difference, describe
from train.tables import markdown_table

MOST_CONFUSED = 10
MOST_GROUPS = 6  # side by side


def label(group: dict) -> str:
    """What tells the runs of a group apart from others, in words."""
    markers, structure, *rest = group["variant"]
    words = [f"markers {markers}", "no structure" if structure == "none" else structure, *rest]
    protocol = group.get("protocol", "clean")
    return ", ".join(words) + ("" if protocol == "clean" else f" ({protocol})")


def groups_table(analysis: dict) -> str:
    """A line for each group: scores, whether "a relation or none?" is answered rightly, and calibration."""
    lines = [["results", "runs", "seeds", "F1", "macro F1", "accuracy", "none-or-not accuracy", "ECE"], ["---"] * 8]
    for group in analysis["groups"]:
        scores = [percent(group["metrics"][name]) for name in ("f1", "macro_f1", "accuracy", "none_accuracy")]
        error = group.get("expected_calibration_error")
        lines.append([group["folder"], label(group), str(len(group["runs"])), *scores, percent(error)])
    return markdown_table(lines)


def shown_groups(analysis: dict) -> list[dict]:
    """The trained groups with predictions that are best on validation, no more than can stand side by side."""
    return [group for group in analysis["groups"] if group["trained"] and "slices" in group][:MOST_GROUPS]


def full_label(group: dict) -> str:
    """With the folder of the results: what was trained by another recipe is another model."""
    return f"{group['folder']}: {label(group)}"


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
        best = label({"variant": compared["best_on_validation"]})
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
    """The relations of the run looked into, the most frequent first."""
    lines = [["relation", "pairs", "precision", "recall", "F1"], ["---"] * 5]
    relations = analysis["run"]["per_relation"].items()
    for name, scores in sorted(relations, key=lambda item: -item[1]["support"]):
        lines.append(
            [name, str(scores["support"]), *(percent(scores[part]) for part in ("precision", "recall", "f1"))]
        )
    return markdown_table(lines)


def confusions_table(analysis: dict) -> str:
    """The most frequent mistakes of the run looked into."""
    names, counts = (analysis["run"]["confusion"][key] for key in ("labels", "counts"))
    wrong = [(counts[i][j], gold, guess) for (i, gold), (j, guess) in itertools.permutations(enumerate(names), 2)]
    lines = [["gold", "predicted", "pairs"], ["---"] * 3]
    lines += [[gold, guess, str(count)] for count, gold, guess in sorted(wrong, reverse=True)[:MOST_CONFUSED] if count]
    return markdown_table(lines)


def tables(analysis: dict) -> dict[str, str]:
    """Every table by name."""
    kinds = {"groups": groups_table, "slices": slices_table, "visual-steps": visual_steps_table}
    kinds |= {"differences": differences_table, "relations": relations_table, "confusions": confusions_table}
    return {name: kind(analysis) for name, kind in kinds.items()}


def print_tables(analysis: dict) -> None:
    """Prints all of them."""
    run = analysis["run"]
    print(f"Looked into: {run['name']}, {analysis['split']} split.", end=" ")
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
