"""Draws the figures of all result files.

python -m train.report.figures            # into assets/results/figures/
"""

import argparse
from pathlib import Path

from train.report.ablation_figures import save_ablations_figure
from train.report.analysis_figures import save_figures
from train.report.audit_figure import save_audit_figure
from train.report.group_labels import ABLATIONS
from vmhan.evaluation.runs import read_runs

RESULTS = Path(__file__).resolve().parents[2] / "assets" / "results"


def main() -> None:
    """Runs the command line."""
    parser = argparse.ArgumentParser(prog="python -m train.report.figures", description=__doc__.splitlines()[0])
    parser.add_argument("--results_dir", type=Path, default=RESULTS, help="folder of the result files")
    results = parser.parse_args().results_dir
    audit = results / "audit-mnre.json"
    if audit.exists():
        print(save_audit_figure(audit, results / "figures"))
    for folder in sorted(results.glob(f"*-{ABLATIONS}")):
        print(save_ablations_figure(read_runs([folder], "test"), results / "figures"))
    for path in sorted(results.glob("analysis-*.json")):
        print(*save_figures(path, results / "figures"), sep="\n")


if __name__ == "__main__":
    main()
