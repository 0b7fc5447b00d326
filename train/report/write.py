"""Tables of README and model card, made from the result files.

    python -m train.report            # prints the tables
    python -m train.report --write    # puts them between the `<!-- table: name -->` marks of README and model card

Runs that differ in nothing but the seed are one line: mean and standard deviation over the seeds.
"""

import argparse
import json
import re
from pathlib import Path

from train.data.overlap import table as overlap_table
from train.detector.card import targets_table
from train.report.ablation_tables import ablations_table
from train.report.analysis_tables import tables as analysis_tables
from train.report.legacy_tables import legacy_table
from vmhan.bundled_weights import BUNDLED_MODEL
from vmhan.evaluation.audit import table as audit_table
from vmhan.evaluation.result_file import read_results
from vmhan.evaluation.runs import read_runs
from vmhan.evaluation.tables import comparison_lines, markdown_table

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "assets" / "results"
DOCUMENTS = (ROOT / "README.md", BUNDLED_MODEL / "README.md")


def results_table(results: list[dict]) -> str:
    """A Markdown table, percent, a line for each variant and one for the majority label.

    The mode that users get comes first, in which the direction of pairs is unknown.
    """
    lines = comparison_lines(results)
    accuracy = f"{100 * majority_accuracy(results[0]):.1f}"
    majority = [accuracy if name == "test accuracy" else "0.0" for name in lines[0][4:]]
    return markdown_table([*lines, ["", "", "majority (None)", "", *majority]])


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
    """Every table by name: for each folder of results, speed, the detector, the audit on test, and the analyses."""
    audited, speed, detector = (RESULTS / name for name in ("audit-mnre.json", "benchmark-base.json", "detector.json"))
    overlap = RESULTS / "overlap-mnre.json"
    audit = json.loads(audited.read_text(encoding="utf-8")) if audited.exists() else None
    tables = {path.name: _folder_table(path, audit) for path in sorted(RESULTS.iterdir()) if any(path.glob("*.json"))}
    if speed.exists():
        tables["benchmark"] = benchmark_table(json.loads(speed.read_text(encoding="utf-8")))
    if detector.exists():
        tables["detector"] = targets_table(json.loads(detector.read_text(encoding="utf-8")))
    if overlap.exists():
        counted = json.loads(overlap.read_text(encoding="utf-8"))
        tables |= {"overlap-mnre": overlap_table(counted["overlaps"]), "overlap-words-mnre": counted["in_words"]}
    if audit:
        tables["audit-mnre"] = audit_table(audit["findings"]["test"])
    for path in sorted(RESULTS.glob("analysis-*.json")):
        of_analysis = analysis_tables(json.loads(path.read_text(encoding="utf-8")))
        tables |= {f"{kind}-{path.stem.removeprefix('analysis-')}": table for kind, table in of_analysis.items()}
    return tables


def _folder_table(folder: Path, audit: dict | None) -> str:
    """The table of a folder of results."""
    if folder.name == "mnre-ablations":
        return ablations_table(read_runs([folder], "test"))
    if folder.name == "mnre-legacy":
        return legacy_table(read_results(folder), audit)
    return results_table(read_results(folder))


def main() -> None:
    """Prints the tables, or writes them into the documents."""
    parser = argparse.ArgumentParser(prog="python -m train.report", description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="fill in README and model card")
    write = parser.parse_args().write
    tables = make_tables()
    if not write:
        print("\n\n".join(f"{name}\n\n{table}" for name, table in tables.items()))
        return
    for path in DOCUMENTS:
        path.write_text(fill(path.read_text(encoding="utf-8"), tables), encoding="utf-8")
