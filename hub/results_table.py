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
    "object_names": "object names",
    "text_only": "the sentence only",
    "pixels": "pixels",
}
PROTOCOLS = {
    "clean": "inputs are the sentence, the mention spans and what a function of the image gives",
    "legacy-crops": "inputs hold the crop lists that the field shares, which give the label away; only comparable "
    "with numbers made with the same crops",
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
        groups[_variant(result)].append(result)
    head = ["markers", "structure", "sees", "seeds", "validation F1", *(f"test {name}" for name in COLUMNS.values())]
    rows = []
    for runs in groups.values():
        validation = [number(run, "validation", ("f1",)) for run in runs]
        cells = [*_describe(runs[0]), str(len(runs)), _spread(validation)]
        cells += [_spread([number(run, "test", path) for run in runs]) for path in COLUMNS]
        rows.append((-statistics.mean(score or 0.0 for score in validation), cells))
    return markdown([head, ["---"] * len(head), *(cells for _, cells in sorted(rows))])


def _variant(result: dict) -> str:
    """What tells runs apart but the seed."""
    data = {name: result["config"]["data"].get(name) for name in ("boxes", "undirected_pairs", "limit")}
    training = result["config"]["training"]
    trained = bool(training.get("checkpoint")), len(training.get("teachers") or [])
    kinds = result["protocol"], result["visual_setting"], result["control"], trained
    return json.dumps([result["config"]["model"], data, kinds], sort_keys=True)


def _describe(result: dict) -> list[str]:
    model = result["config"]["model"]
    sees = SEES.get(result["visual_setting"], result["visual_setting"])
    if result["control"] != "none":
        sees += f" ({result['control'].replace('_', ' ')})"
    training = result["config"]["training"]
    if training.get("checkpoint"):
        sees = f"finished model, then {sees}"
    if training.get("teachers"):
        sees += f", taught by {len(training['teachers'])} models"
    return [model["entity_markers"], model["structure_encoder"], sees]


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
