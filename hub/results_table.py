"""What result files say, as Markdown. They are read as the JSON that training wrote; nothing is counted anew."""

import statistics
from collections import defaultdict

from .result_groups import differing, group_results, settings_name, settings_of

METRICS = {"f1": "F1", "precision": "precision", "recall": "recall", "accuracy": "accuracy"}
#: Where the scores lie of the mode that users get, in which the direction of pairs has to be found, and beside them in
#: `metrics[split]` those of the mode in which it is given. Where tails are objects there is no such mode.
UNKNOWN = "direction_unknown"
GIVEN_SUFFIX = ", direction given"
#: A score and whether it is of pairs with their direction given, with what stands over its column.
COLUMNS = {(metric, False): name for metric, name in METRICS.items()}
COLUMNS |= {(metric, True): f"{name}{GIVEN_SUFFIX}" for metric, name in METRICS.items()}
#: The columns of the comparison.
COMPARED = {("validation", "f1", False): "validation F1"}
COMPARED |= {("test", metric, False): f"test {name}" for metric, name in METRICS.items()}
COMPARED |= {(split, "f1", True): f"{split} F1{GIVEN_SUFFIX}" for split in ("validation", "test")}
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


def metrics_of(result: dict, split: str, given: bool = False) -> dict | None:
    """The scores of a split in one mode, or None where it was not measured."""
    metrics = result["metrics"].get(split, {})
    unknown = metrics.get(UNKNOWN)
    measured = (metrics if unknown else None) if given else unknown or metrics
    return measured or None


def number(result: dict, split: str, metric: str, given: bool = False) -> float | None:
    """A score of a result, or None where it was not measured."""
    return (metrics_of(result, split, given) or {}).get(metric)


def scores_table(result: dict) -> str:
    """One run: a line for each split, percent; the mode that users get first."""
    splits = result["metrics"]
    columns = {path: name for path, name in COLUMNS.items() if any(_known([result], split, *path) for split in splits)}
    lines = [["split", "pairs", *columns.values()], ["---"] * (2 + len(columns))]
    for split, metrics in splits.items():
        lines.append([split, f"{metrics['rows']:,}", *(_spread(_known([result], split, *path)) for path in columns)])
    return markdown(lines)


def relations_of(result: dict, split: str = "test") -> dict[str, dict]:
    """The scores of each relation in the mode that users get; old files have them with the direction given alone."""
    return next(iter(_relations_by_mode(result, split).values()), {})


def _relations_by_mode(result: dict, split: str) -> dict[str, dict]:
    """The scores of each relation, by what stands behind the names of their columns."""
    modes = {"": metrics_of(result, split), GIVEN_SUFFIX: metrics_of(result, split, given=True)}
    return {
        suffix: metrics["per_relation"] for suffix, metrics in modes.items() if metrics and "per_relation" in metrics
    }


def relations_table(result: dict) -> str:
    """The relations of one run on test, the most frequent first; nothing where test was not read."""
    modes, first = _relations_by_mode(result, "test"), relations_of(result)
    parts = [(suffix, part) for suffix in modes for part in ("precision", "recall", "f1")]
    head = ["relation", "test pairs", *(METRICS[part] + suffix for suffix, part in parts)]
    lines = [head, ["---"] * len(head)]
    for name in sorted(first, key=lambda name: -first[name]["support"]):
        measured = (_spread([modes[suffix][name][part]]) for suffix, part in parts)
        lines.append([f"`{name}`", str(first[name]["support"]), *measured])
    return markdown(lines)


def comparison_table(results: list[dict]) -> str:
    """Several runs: those that differ in nothing but the seed are one line.

    Those best on validation come first, in the mode that users get, and last what is not of the protocol clean, which
    says so.
    """
    groups = group_results(results)
    described = _describe_apart(groups)
    columns = {path: name for path, name in COMPARED.items() if _known(results, *path)}
    head = ["markers", "structure", "sees", "seeds", *columns.values()]
    rows = []
    for description, runs in zip(described, groups, strict=True):
        cells = [*description, str(len(runs)), *(_spread(_known(runs, *path)) for path in columns)]
        validation = _known(runs, "validation", "f1") or [0.0]
        rows.append((runs[0]["protocol"] != "clean", -statistics.mean(validation), cells))
    return markdown([head, ["---"] * len(head), *(cells for *_, cells in sorted(rows))])


def _known(runs: list[dict], split: str, metric: str, given: bool = False) -> list[float]:
    """A score of each run in which it was measured."""
    measured = (number(run, split, metric, given) for run in runs)
    return [score for score in measured if score is not None]


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


def _spread(scores: list[float]) -> str:
    """Percent: the mean, and the standard deviation of several; empty of none."""
    if not scores:
        return ""
    mean = f"{100 * statistics.mean(scores):.1f}"
    return mean if len(scores) == 1 else f"{mean} ± {100 * statistics.stdev(scores):.1f}"


def markdown(lines: list[list[str]]) -> str:
    """A Markdown table."""
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
