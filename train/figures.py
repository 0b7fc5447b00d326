"""Figures, made from the result files.

python -m train.figures            # all that there are results for, into assets/results/figures/
"""

import argparse
import json
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from train.analysis_figures import save_figures

RESULTS = Path(__file__).resolve().parents[1] / "assets" / "results"
HONEST, LEAKING, TASK = "#0072B2", "#D55E00", "#999999"  # of Okabe and Ito


def audit_figure(audit: dict, split: str = "test") -> Figure:
    """What each input tells about the label: "a relation or none?" from its shape, and F1 of its words."""
    findings = audit["findings"][split][::-1]
    figure = Figure(figsize=(10, 0.5 * len(findings) + 1.6), layout="constrained", dpi=130)
    shape, words = figure.subplots(1, 2, sharey=True)
    majority = 100 * findings[0]["shape"]["none_or_not"]["majority"]
    _bars(shape, findings, [100 * finding["shape"]["none_or_not"]["accuracy"] for finding in findings])
    shape.axvline(majority, color="black", linewidth=1, linestyle=":")
    shape.text(majority + 1, -0.75, "majority", fontsize=9)
    shape.set_title("A relation or none? Accuracy from the mere size", fontsize=11)
    _bars(words, findings, [100 * (finding["words"] or {"f1": 0})["f1"] for finding in findings])
    words.set_title("Relation: F1 of a linear model on its words alone", fontsize=11)
    for axes in (shape, words):
        axes.set_xlim(0, 108)
        axes.set_ylim(-0.9, len(findings) - 0.5)
        axes.set_xlabel(f"percent, MNRE's {split} split")
        axes.spines[["top", "right"]].set_visible(False)
    kinds = {"belongs to the image: passes": HONEST, "belongs to the row: leaks": LEAKING, "given by the task": TASK}
    handles = [Patch(color=colour, label=kind) for kind, colour in kinds.items()]
    figure.legend(handles=handles, loc="outside lower center", ncols=3, frameon=False)
    return figure


def _bars(axes: Axes, findings: list[dict], values: list[float]) -> None:
    colours = [TASK if f["of_task"] else LEAKING if f["leaks"] else HONEST for f in findings]
    names = [finding["name"] for finding in findings]
    bars = axes.barh(range(len(names)), values, color=colours, tick_label=names, height=0.65)
    axes.bar_label(bars, [f"{value:.1f}" if value else "no words" for value in values], padding=3, fontsize=9)


def main() -> None:
    """Writes the figures."""
    parser = argparse.ArgumentParser(prog="python -m train.figures", description=__doc__.splitlines()[0])
    parser.add_argument("--results_dir", type=Path, default=RESULTS, help="folder of the result files")
    results = parser.parse_args().results_dir
    audit = results / "audit-mnre.json"
    if audit.exists():
        path = results / "figures" / "audit-mnre.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        audit_figure(json.loads(audit.read_text(encoding="utf-8"))).savefig(path)
        print(path)
    for path in sorted(results.glob("analysis-*.json")):
        print(*save_figures(path, results / "figures"), sep="\n")


if __name__ == "__main__":
    main()
