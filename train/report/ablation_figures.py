"""Draws Table 2: the difference that each component makes here, beside the paper's."""

import hashlib
from pathlib import Path

from matplotlib.figure import Figure

from train.report.ablation_tables import AblationRow, ablation_rows, ablations_table
from train.report.group_labels import ABLATIONS
from vmhan.evaluation.runs import Run

OURS, PAPER = "#0072B2", "#D55E00"  # of Okabe and Ito


def ablations_figure(rows: list[AblationRow]) -> Figure:
    """Draws the F1 difference of each row that has been run to the full model, ours with its interval."""
    measured = [row for row in rows if row.difference]
    figure = Figure(figsize=(9, 1.9 + 0.38 * len(measured)), layout="constrained", dpi=130)
    axes = figure.subplots()
    heights = range(len(measured))
    ours = [100 * row.difference.f1 for row in measured]
    low, high = ([100 * getattr(row.difference, end) for row in measured] for end in ("low", "high"))
    axes.hlines(heights, low, high, color=OURS, linewidth=2, alpha=0.5)
    axes.plot(ours, heights, "o", color=OURS, label="here, with its 95 % interval")
    axes.plot([row.published for row in measured], heights, "D", color=PAPER, fillstyle="none", label="in the paper")
    axes.axvline(0, color="black", linewidth=1, linestyle=":")
    axes.set_yticks(heights, [row.title for row in measured])
    axes.margins(y=0.4 / len(measured))
    axes.invert_yaxis()
    axes.set_xlabel("F1 difference to the full model, points, MNRE's test split, direction given as in print")
    axes.grid(axis="x", alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside lower center", ncols=2, frameon=False)
    return figure


def save_ablations_figure(runs: list[Run], folder: Path) -> Path:
    """Draws `ablations-mnre.png` of the folder `mnre-ablations`, which names the table of its runs and its checksum.

    Returns:
        The path.
    """
    _, rows = ablation_rows(runs)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{ABLATIONS}-{runs[0].folder.removesuffix(f'-{ABLATIONS}')}.png"
    ablations_figure(rows).savefig(path, metadata={"Source": source(runs)})
    return path


def source(runs: list[Run]) -> str:
    """Names the table that the figure of these runs shows, with its checksum."""
    return f"table {runs[0].folder} {hashlib.sha256(ablations_table(runs).encode()).hexdigest()}"
