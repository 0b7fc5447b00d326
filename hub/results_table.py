"""What result files say, as Markdown. They are read as the JSON that training wrote; nothing is counted anew."""

import statistics
from collections import defaultdict

from .result_groups import differing, group_results, settings_name, settings_of

#: Of `metrics[split]`: the path to a number, and what stands over its column.
COLUMNS = {
    ("f1",): "F1",
    ("precision",): "precision",
    ("recall",): "recall",
    ("accuracy",): "accuracy",
    ("direction_unknown", "f1"): "F1, direction unknown",
}
SEES = {
    "described": "descriptions and object names",
    "composed": "object names and a sentence composed of them",
    "object_names": "object names",
    "text_only": "the sentence only",
    "pixels": "pixels",
}
PROTOCOLS = {
    "clean": "inputs are the sentence, the mention spans and what a function of the image gives",
    "legacy-crops": "inputs hold the crop lists that the field shares, which give the label away; only comparable "
    "with numbers made with the same crops",
    "leaking": "the audit finds that an input gives the label away, so that the numbers are too good; not comparable "
    "with clean ones",
}


def number(result: dict, split: str, path: tuple[str, ...]) -> float | None:
    """A number of a result, or None where it was not measured."""
    value = result["metrics"].get(split)
    for name in path:
        value = value.get(name) if value else None
    return value


def scores_table(result: dict) -> str:
    """One run: a line for each split, percent."""
    lines = [["split", "pairs", *COLUMNS.values()], ["---"] * (2 + len(COLUMNS))]
    for split, metrics in result["metrics"].items():
        lines.append([split, f"{metrics['rows']:,}", *(_spread([number(result, split, path)]) for path in COLUMNS)])
    return markdown(lines)


def relations_table(result: dict) -> str:
    """The relations of one run on test, the most frequent first; nothing where test was not read."""
    measured = result["metrics"].get("test", {}).get("per_relation", {})
    lines = [["relation", "test pairs", "precision", "recall", "F1"], ["---"] * 5]
    for name, of_relation in sorted(measured.items(), key=lambda item: -item[1]["support"]):
        parts = (of_relation[part] for part in ("precision", "recall", "f1"))
        lines.append([f"`{name}`", str(of_relation["support"]), *(_spread([part]) for part in parts)])
    return markdown(lines)


def comparison_table(results: list[dict]) -> str:
    """Several runs: those that differ in nothing but the seed are one line.

    Those best on validation come first, and last what is not of the protocol clean, which says so.
    """
    groups = group_results(results)
    described = _describe_apart(groups)
    head = ["markers", "structure", "sees", "seeds", "validation F1", *(f"test {name}" for name in COLUMNS.values())]
    rows = []
    for description, runs in zip(described, groups, strict=True):
        validation = [number(run, "validation", ("f1",)) for run in runs]
        cells = [*description, str(len(runs)), _spread(validation)]
        cells += [_spread([number(run, "test", path) for run in runs]) for path in COLUMNS]
        rows.append((runs[0]["protocol"] != "clean", -statistics.mean(score or 0.0 for score in validation), cells))
    return markdown([head, ["---"] * len(head), *(cells for *_, cells in sorted(rows))])


def _describe_apart(groups: list[list[dict]]) -> list[list[str]]:
    """A description of each group; those that would read the same also say what tells them apart.

    That is the name of the settings file, if `train.compare` ran them all; of those of one name, or without any, the
    settings that differ.
    """
    variants, alike = [settings_of(runs[0]) for runs in groups], defaultdict(list)
    for place, variant in enumerate(variants):
        alike[tuple(_describe(variant))].append(place)
    described = []
    for variant, runs in zip(variants, groups, strict=True):
        *known, sees = _describe(variant)
        twins = alike[*known, sees]
        names = [settings_name(groups[twin]) for twin in twins]
        if all(names) and len(set(names)) > 1:
            sees += f", {settings_name(runs).replace('_', ' ')}"
            twins = [twin for twin, name in zip(twins, names, strict=True) if name == settings_name(runs)]
        described.append([*known, ", ".join([sees, *differing(variant, [variants[twin] for twin in twins])])])
    return described


def _describe(variant: dict) -> list[str]:
    sees = SEES.get(variant["visual_setting"], variant["visual_setting"])
    if variant["boxes"]:
        sees += " and boxes"
    if variant["control"] != "none":
        sees += f" ({variant['control'].replace('_', ' ')})"
    if variant.get("checkpoint"):
        sees = f"finished model, then {sees}"
    if variant.get("teachers"):
        sees += f", taught by {len(variant['teachers'])} models"
    if variant["protocol"] != "clean":
        sees += f", protocol `{variant['protocol']}`"
    return [variant["entity_markers"], variant["structure_encoder"], sees]


def _spread(scores: list[float | None]) -> str:
    """Percent: the mean, and the standard deviation of several."""
    known = [100 * score for score in scores if score is not None]
    if not known:
        return ""
    mean = f"{statistics.mean(known):.1f}"
    return mean if len(known) == 1 else f"{mean} ± {statistics.stdev(known):.1f}"


def markdown(lines: list[list[str]]) -> str:
    """A Markdown table."""
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
