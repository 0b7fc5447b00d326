"""Writes the tables of README, documentation and model card, computed from the result files.

    python -m train.report            # prints the tables
    python -m train.report --write    # writes them between the `<!-- table: name -->` marks of the documents

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
from train.report.answer_tables import answers_table, plain_sentences_table, uncertainty_table
from train.report.group_labels import ABLATIONS
from train.report.legacy_tables import legacy_table
from train.report.model_tables import MODEL_FOLDERS, model_tables
from vmhan.bundled_weights import BUNDLED_MODEL
from vmhan.evaluation.audit import table as audit_table
from vmhan.evaluation.overlap import in_words
from vmhan.evaluation.result_file import read_results
from vmhan.evaluation.runs import read_runs
from vmhan.evaluation.tables import comparison_lines, markdown_table

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "assets" / "results"
#: The folder of the results of `train.plain_sentences`.
PLAIN_SENTENCES = "plain-sentences"
#: Whatever holds a table, the README first.
DOCUMENTS = (ROOT / "README.md", BUNDLED_MODEL / "README.md", *sorted((ROOT / "docs").rglob("*.md")))


def results_table(results: list[dict]) -> str:
    """Builds the Markdown table of runs, percent: a line for each variant and one for the majority label.

    Scores with the direction of pairs unknown come first.
    """
    lines = comparison_lines(results)
    accuracy = f"{100 * majority_accuracy(results[0]):.1f}"
    majority = [accuracy if name == "test accuracy" else "0.0" for name in lines[0][4:]]
    return markdown_table([*lines, ["", "", "majority (None)", "", *majority]])


def benchmark_table(result: dict) -> str:
    """Builds the Markdown table of the benchmark: measured median and target."""
    lines = [["measured", "value", "target"], ["---"] * 3]
    lines += [[row["what"], f"{row['value']:.3g}", row["to_be"]] for row in result["targets"]]
    return markdown_table(lines)


def majority_accuracy(result: dict) -> float:
    """Computes the share of test rows without a relation, the accuracy of the majority label."""
    test = result["metrics"]["test"]
    return 1 - sum(relation["support"] for relation in test["per_relation"].values()) / test["rows"]


def fill(text: str, tables: dict[str, str]) -> str:
    """Replaces the text between `<!-- table: name -->` and `<!-- end -->` by the tables.

    Args:
        text: A document.
        tables: Markdown by name.
    """
    for name, table in tables.items():
        mark = f"<!-- table: {name} -->"
        text = re.sub(
            f"{mark}.*?<!-- end -->", lambda _, new=f"{mark}\n\n{table}\n\n<!-- end -->": new, text, flags=re.S
        )
    return text


def build_tables() -> dict[str, str]:
    """Builds every table by name: each folder of results, benchmark, detector, overlap, audit on test, analyses."""
    audit = _read_result("audit-mnre.json")
    tables = {path.name: _folder_table(path, audit) for path in sorted(RESULTS.iterdir()) if any(path.glob("*.json"))}
    if benchmark := _read_result("benchmark-base.json"):
        tables["benchmark"] = benchmark_table(benchmark)
    if detector := _read_result("detector.json"):
        tables["detector"] = targets_table(detector)
    if overlap := _read_result("overlap-mnre.json"):
        counts = overlap["overlaps"]
        tables |= {"overlap-mnre": overlap_table(counts), "overlap-words-mnre": in_words(counts)}
    models = read_runs([RESULTS / folder for folder in MODEL_FOLDERS], "test")
    if any(run.predictions for run in models):
        tables |= model_tables(models, list(_read_folder(RESULTS / PLAIN_SENTENCES).values()))
    if audit:
        tables["audit-mnre"] = audit_table(audit["findings"]["test"])
    for path in sorted(RESULTS.glob("uncertainty-*.json")):
        measured = _read_result(path.name)
        tables |= {path.stem: uncertainty_table(measured), f"answers-{path.stem}": answers_table(measured)}
    for path in sorted(RESULTS.glob("analysis-*.json")):
        name = path.stem.removeprefix("analysis-")
        tables |= {f"{kind}-{name}": table for kind, table in analysis_tables(_read_result(path.name)).items()}
    return tables


def _read_folder(folder: Path) -> dict[str, dict]:
    """Reads the result files of a folder by their names."""
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))}


def _read_result(name: str) -> dict | None:
    path = RESULTS / name
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def _folder_table(folder: Path, audit: dict | None) -> str:
    """Builds the table of a folder of results."""
    if folder.name == PLAIN_SENTENCES:
        return plain_sentences_table(_read_folder(folder))
    if folder.name.endswith(f"-{ABLATIONS}"):
        return ablations_table(read_runs([folder], "test"))
    if folder.name == "mnre-legacy":
        return legacy_table(read_results(folder), audit)
    return results_table(read_results(folder))


def main() -> None:
    """Prints the tables, or writes them into the documents."""
    parser = argparse.ArgumentParser(prog="python -m train.report", description=__doc__.splitlines()[0])
    parser.add_argument("--write", action="store_true", help="fill the tables of README, documentation and model card")
    write = parser.parse_args().write
    tables = build_tables()
    if not write:
        print("\n\n".join(f"{name}\n\n{table}" for name, table in tables.items()))
        return
    for path in DOCUMENTS:
        path.write_text(fill(path.read_text(encoding="utf-8"), tables), encoding="utf-8")
