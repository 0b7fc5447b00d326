"""Tables of README and model card, made from the result files.

    python -m train.report            # prints the tables
    python -m train.report --write    # puts them between the `<!-- table: name -->` marks of README and model card

Runs that differ in nothing but the seed are one line: mean and standard deviation over the seeds.
"""

import argparse
import functools
import json
import re
import statistics
from collections import defaultdict
from pathlib import Path

from train.analysis_tables import tables as analysis_tables
from train.audit import table as audit_table

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "assets" / "results"
DOCUMENTS = (ROOT / "README.md", ROOT / "assets" / "vmhan-mini-mnre" / "README.md")
METRICS = ("f1", "precision", "recall", "accuracy")
SETTINGS = {"pixels": "pixels", "described": "descriptions", "object_names": "object names", "text_only": "text only"}


def read_results(folder: Path) -> list[dict]:
    """The result files of a folder, in the order of their names."""
    return [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))]


def variant(result: dict) -> tuple[str, str, str]:
    """What tells runs apart but the seed: entity markers, structure, and what of the image is seen."""
    model = result["config"]["model"]
    structure = {"vhan": "V-HAN", "none": "none"}[model["structure_encoder"]]
    seen = SETTINGS[result["visual_setting"]]
    if result["config"]["data"]["boxes"]:
        seen += " and boxes"
    if result["control"] == "shuffled_images":
        seen += " of other images"
    if result["config"]["training"].get("checkpoint"):
        seen = f"trained with descriptions, then {seen}"
    return model["entity_markers"], structure, seen


def group_by_variant(results: list[dict]) -> dict[tuple[str, str, str], list[dict]]:
    """Results of each variant, those best on validation first."""
    groups = defaultdict(list)
    for result in results:
        groups[variant(result)].append(result)
    return dict(sorted(groups.items(), key=lambda group: -statistics.mean(_scores(group[1], "validation", "f1"))))


def results_table(results: list[dict]) -> str:
    """A Markdown table, percent, a line for each variant and one for the majority label."""
    names = ["entity markers", "structure", "sees", "seeds", "validation F1"]
    head = [*names, *(f"test {name}" for name in METRICS), "test f1, direction unknown"]
    lines = [head, ["---"] * len(head)]
    for of_variant, runs in group_by_variant(results).items():
        shown = [("validation", "f1"), *(("test", name) for name in METRICS), ("test", "direction_unknown", "f1")]
        lines.append([*of_variant, str(len(runs)), *(_spread(_scores(runs, *path)) for path in shown)])
    majority = f"{100 * majority_accuracy(results[0]):.1f}"
    lines.append(["", "", "majority (None)", "", *["0.0"] * 4, majority, "0.0"])
    return markdown_table(lines)


def benchmark_table(result: dict) -> str:
    """What was to be reached, as a Markdown table: measured median and target."""
    lines = [["measured", "value", "target"], ["---"] * 3]
    lines += [[row["what"], f"{row['value']:.3g}", row["to_be"]] for row in result["targets"]]
    return markdown_table(lines)


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
    """Every table by name: one for each folder of results, speed, the audit on test, and the analyses."""
    folders = [path for path in sorted(RESULTS.iterdir()) if any(path.glob("*.json"))]
    tables = {folder.name: results_table(read_results(folder)) for folder in folders}
    speed = RESULTS / "benchmark-base.json"
    if speed.exists():
        tables["benchmark"] = benchmark_table(json.loads(speed.read_text(encoding="utf-8")))
    audited = RESULTS / "audit-mnre.json"
    if audited.exists():
        tables["audit-mnre"] = audit_table(json.loads(audited.read_text(encoding="utf-8"))["findings"]["test"])
    for path in sorted(RESULTS.glob("analysis-*.json")):
        of_analysis = analysis_tables(json.loads(path.read_text(encoding="utf-8")))
        tables |= {f"{kind}-{path.stem.removeprefix('analysis-')}": table for kind, table in of_analysis.items()}
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


def markdown_table(lines: list[list[str]]) -> str:
    """Lines of cells, the second of dashes, as a Markdown table."""
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _scores(runs: list[dict], split: str, *path: str) -> list[float]:
    """Of each run the number at `path` in the metrics of a split."""
    return [functools.reduce(lambda metrics, name: metrics[name], path, run["metrics"][split]) for run in runs]


def _spread(scores: list[float]) -> str:
    mean = f"{100 * statistics.mean(scores):.1f}"
    return mean if len(scores) == 1 else f"{mean} ± {100 * statistics.stdev(scores):.1f}"


if __name__ == "__main__":
    main()
