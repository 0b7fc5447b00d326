"""Draws the confusion matrix of a run."""

import numpy as np
from matplotlib.figure import Figure

from train.report.figure_style import DPI
from train.report.group_labels import DIRECTION_GIVEN, OTHER_WAY_ROUND


def confusion_figure(analysis: dict) -> Figure:
    """Draws gold against predicted relations: counts as numbers, shares of the gold relation as shade."""
    confusion = analysis["run"]["confusion"]
    counts = np.array(confusion["counts"])
    used = np.flatnonzero(counts.sum(axis=0) + counts.sum(axis=1))
    used = used[np.argsort(-counts.sum(axis=1)[used], kind="stable")]
    gold = [index for index in used if confusion["labels"][index] != OTHER_WAY_ROUND]
    counts, names = counts[np.ix_(gold, used)], [confusion["labels"][i] for i in used]
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure = Figure(figsize=(3.5 + 0.45 * len(used), 3 + 0.4 * len(gold)), layout="constrained", dpi=DPI)
    axes = figure.subplots()
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for (row, column), count in np.ndenumerate(counts):
        if count:
            color = "white" if shares[row, column] > 0.5 else "black"
            axes.text(column, row, count, ha="center", va="center", fontsize=8, color=color)
    axes.set_xticks(range(len(names)), names, rotation=60, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(gold)), [confusion["labels"][index] for index in gold])
    direction = ", direction unknown" if DIRECTION_GIVEN in analysis["run"] else ""
    title = f"{analysis['run']['label']}, {analysis['split']} split{direction}"
    axes.set(xlabel="predicted", ylabel="gold", title=title)
    figure.colorbar(image, ax=axes, label="share of the gold relation's pairs", shrink=0.6)
    return figure
