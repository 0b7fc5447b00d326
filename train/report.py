"""Tables of README and model card, made from the result files.

    python -m train.report            # prints the tables
    python -m train.report --write    # puts them between the `<!-- table: name -->` marks of README and model card

Runs that differ in nothing but the seed are one line: mean and standard deviation over the seeds.
"""

import argparse
import json
import re
import statistics
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "assets" / "results"
DOCUMENTS = (ROOT / "README.md", ROOT / "assets" / "vmhan-mini-mnre" / "README.md")
METRICS = ("f1", "precision", "recall", "accuracy")
SETTINGS = {"described": "descriptions", "object_names": "object names", "text_only": "text only"}


def read_results(folder: Path) -> list[dict]:
    """The result files of a folder, in the order of their names."""
    return [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))]


def variant(result: dict) -> tuple[str, str, str, str]:
    """What tells runs apart but the seed: entity markers, structure, order of the training pairs, visual setting."""
    model = result["config"]["model"]
    structure = {"vhan": "V-HAN", "none": "none"}[model["structure_encoder"]]
    seen = SETTINGS[result["visual_setting"]]
    if result["control"] == "shuffled_images":
        seen += " of other images"
    if result["config"]["training"].get("checkpoint"):
        seen = f"trained with descriptions, then {seen}"
    both = {"undirected_pairs", "reverse_pairs"}
    order = "both" if any(result["config"]["data"].get(name) for name in both) else "annotated"
    return model["entity_markers"], structure, order, seen


def group_by_variant(results: list[dict]) -> dict[tuple[str, str, str, str], list[dict]]:
    """Results of each variant, those best on validation first."""
    groups = defaultdict(list)
    for result in results:
        groups[variant(result)].append(result)
    return dict(sorted(groups.items(), key=lambda group: -_mean(group[1], "validation", "f1")))


def results_table(results: list[dict]) -> str:
    """A Markdown table, percent, a line for each variant and one for the majority label."""
    head = [
        "entity markers",
        "structure",
        "pair order",
        "sees",
        "seeds",
        "validation F1",
        *(f"test {name}" for name in METRICS),
    ]
    lines = [head, ["---"] * len(head)]
    for names, runs in group_by_variant(results).items():
        scores = [_spread(runs, "validation", "f1"), *(_spread(runs, "test", name) for name in METRICS)]
        lines.append([*names, str(len(runs)), *scores])
    lines.append(
        ["", "", "", "majority (None)", "", "0.0", "0.0", "0.0", "0.0", f"{100 * majority_accuracy(results[0]):.1f}"]
    )
    return _markdown(lines)


def benchmark_table(result: dict) -> str:
    """What was to be reached, as a Markdown table: measured median and target."""
    lines = [["measured", "value", "target"], ["---"] * 3]
    lines += [[row["what"], f"{row['value']:.3g}", row["to_be"]] for row in result["targets"]]
    return _markdown(lines)


def majority_accuracy(result: dict) -> float:
    """Share of the test rows without a relation."""
    test = result["metrics"]["test"]
    return 1 - sum(relation["support"] for relation in test["per_relation"].values()) / test["rows"]


def fill(text: str, tables: dict[str, str]) -> str:
    """`text` with what stands between `<!-- table: name -->` and `<!-- end -->` replaced by the tables."""
    for name, table in tables.items():
        mark = f"<!-- table: {name} -->"
        text = re.sub(
            f"{mark}.*?<!-- end -->", lambda _, new=f"{mark}\n\n{table}\n\n<!-- end -->": new, text, flags=re.S
        )
    return text


def make_tables() -> dict[str, str]:
    """Every table by name: one for each folder of results, and the speed."""
    folders = [path for path in sorted(RESULTS.iterdir()) if path.is_dir()]
    tables = {folder.name: results_table(read_results(folder)) for folder in folders}
    speed = RESULTS / "benchmark-base.json"
    if speed.exists():
        tables["benchmark"] = benchmark_table(json.loads(speed.read_text(encoding="utf-8")))
    return tables


def main() -> None:
    """Prints the tables, or writes them into the documents."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="fill in README and model card")
    tables = make_tables()
    if not parser.parse_args().write:
        print("\n\n".join(f"{name}\n\n{table}" for name, table in tables.items()))
        return
    for path in DOCUMENTS:
        path.write_text(fill(path.read_text(encoding="utf-8"), tables), encoding="utf-8")


def _markdown(lines: list[list[str]]) -> str:
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _mean(runs: list[dict], split: str, name: str) -> float:
    return statistics.mean(run["metrics"][split][name] for run in runs)


def _spread(runs: list[dict], split: str, name: str) -> str:
    mean = f"{100 * _mean(runs, split, name):.1f}"
    if len(runs) == 1:
        return mean
    return f"{mean} ± {100 * statistics.stdev(run['metrics'][split][name] for run in runs):.1f}"


if __name__ == "__main__":
    main()
