"""What result files say, as Markdown. They are read as the JSON that training wrote; nothing is counted anew."""

import json
import statistics
from collections import defaultdict

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
    """Several runs: those that differ in nothing but the seed are one line, those best on validation come first."""
    groups = defaultdict(list)
    for result in results:
        groups[json.dumps(_variant(result), sort_keys=True)].append(result)
    described = _describe_apart([_variant(runs[0]) for runs in groups.values()])
    head = ["markers", "structure", "sees", "seeds", "validation F1", *(f"test {name}" for name in COLUMNS.values())]
    rows = []
    for description, runs in zip(described, groups.values(), strict=True):
        validation = [number(run, "validation", ("f1",)) for run in runs]
        cells = [*description, str(len(runs)), _spread(validation)]
        cells += [_spread([number(run, "test", path) for run in runs]) for path in COLUMNS]
        rows.append((-statistics.mean(score or 0.0 for score in validation), cells))
    return markdown([head, ["---"] * len(head), *(cells for _, cells in sorted(rows))])


def _variant(result: dict) -> dict:
    """What tells runs apart but the seed."""
    data, training = result["config"]["data"], result["config"]["training"]
    return {
        **result["config"]["model"],
        **{name: result[name] for name in ("protocol", "visual_setting", "control")},
        **{name: data.get(name) or None for name in ("boxes", "undirected_pairs", "limit")},
        "finished": bool(training.get("checkpoint")),
        "teachers": len(training.get("teachers") or []),
    }


def _describe_apart(variants: list[dict]) -> list[list[str]]:
    """A description of each variant; those that would read the same name the settings in which they differ."""
    alike = defaultdict(list)
    for variant in variants:
        alike[tuple(_describe(variant))].append(variant)
    described = []
    for variant in variants:
        *known, sees = _describe(variant)
        twins = alike[*known, sees]
        differing = [name for name in variant if any(twin.get(name) != variant[name] for twin in twins)]
        described.append([*known, ", ".join([sees, *(f"{name} {variant[name]!r}" for name in differing)])])
    return described


def _describe(variant: dict) -> list[str]:
    sees = SEES.get(variant["visual_setting"], variant["visual_setting"])
    if variant["boxes"]:
        sees += " and boxes"
    if variant["control"] != "none":
        sees += f" ({variant['control'].replace('_', ' ')})"
    if variant["finished"]:
        sees = f"finished model, then {sees}"
    if variant["teachers"]:
        sees += f", taught by {variant['teachers']} models"
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
