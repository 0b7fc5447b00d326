"""The figures of `train.analysis`, made from its result file alone."""

import hashlib
import json
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from train.analysis_tables import full_label, label, shown_groups

#: Of Okabe and Ito, told apart by colour-blind readers, and in black and white by marker or hatch.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">")
HATCHES = ("", "//", "..", "\\\\", "xx", "--")
_DPI = 130


def slices_figure(analysis: dict, families: list[str]) -> Figure:
    """F1 of each slice with its interval, a panel for each family, bars for the groups best on validation."""
    groups = shown_groups(analysis)
    figure = Figure(figsize=(1.5 + 4.6 * len(families), 4.8), layout="constrained", dpi=_DPI)
    panels = figure.subplots(1, len(families), sharey=True, squeeze=False)[0]
    for axes, family in zip(panels, families, strict=True):
        parts = {name: part for name, part in groups[0]["slices"][family].items() if part["related"]}
        for number, group in enumerate(groups):
            _slice_bars(
                axes, [group["slices"][family][name] for name in parts], number, len(groups), full_label(group)
            )
        ticks = [f"{name}\n{part['rows']} pairs,\n{part['related']} related" for name, part in parts.items()]
        axes.set_xticks(range(len(parts)), ticks)
        axes.set_xlabel(family, fontsize=11)
    panels[0].set_ylabel(f"F1, percent, {analysis['split']} split")
    panels[0].set_ylim(0, 100)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=1 if len(families) == 1 else 2, frameon=False)
    return _finish(figure)


def _slice_bars(axes: Axes, parts: list[dict], number: int, groups: int, name: str) -> None:
    width = min(0.8 / groups, 0.3)
    places = np.arange(len(parts)) + (number - (groups - 1) / 2) * width
    f1, low, high = (100 * np.array([part[key] for part in parts]) for key in ("f1", "low", "high"))
    style = {"color": COLOURS[number], "hatch": HATCHES[number], "edgecolor": "white", "label": name}
    axes.bar(places, f1, width, yerr=[f1 - low, high - f1], ecolor="#333333", capsize=2, **style)


def visual_figure(analysis: dict) -> Figure:
    """Left: one model, the image taken away in steps. Right: models trained with and without it."""
    steps, trained = analysis["visual_steps"], _trained_by_sight(analysis)
    names = [label(group) for pair in trained for group in pair]
    figure = Figure(figsize=(13, 1.8 + 0.5 * max(len(steps), len(names))), layout="constrained", dpi=_DPI)
    left, right = figure.subplots(1, 2, sharex=True)
    for place, step in enumerate(steps):
        _dot(left, place, step["metrics"]["f1"], step["low"], step["high"], 0)
    left.set_yticks(range(len(steps)), [step["sees"] for step in steps])
    left.set_title("One model, its image taken away in steps", fontsize=11)
    colours = [number for number, pair in enumerate(trained) for _ in pair]
    for place, group in enumerate(group for pair in trained for group in pair):
        part = group.get("all", {})
        _dot(right, place, group["metrics"]["f1"], part.get("low"), part.get("high"), colours[place])
    right.set_yticks(range(len(names)), names)
    right.set_title("Trained with more and less of it", fontsize=11)
    for axes in (left, right):
        axes.margins(0.1, 0.15)
        axes.invert_yaxis()
        axes.grid(axis="x", alpha=0.3)
    figure.supxlabel(
        f"F1, percent, {analysis['split']} split; lines: 95 % intervals, where predictions are at hand", fontsize=10
    )
    return _finish(figure)


def _dot(axes: Axes, place: float, f1: float, low: float | None, high: float | None, number: int) -> None:
    colour, marker = COLOURS[number % len(COLOURS)], MARKERS[number % len(MARKERS)]
    if low is not None:
        axes.plot([100 * low, 100 * high], [place, place], color=colour, linewidth=2, alpha=0.5)
    axes.plot(100 * f1, place, marker=marker, color=colour, markersize=8)
    axes.annotate(f"{100 * f1:.1f}", (100 * f1, place), (0, 7), textcoords="offset points", ha="center", fontsize=9)


def _trained_by_sight(analysis: dict) -> list[list[dict]]:
    """Trained groups that differ only in what they see of the image."""
    alike = {}
    for group in analysis["groups"]:
        if group["trained"]:
            alike.setdefault((group["folder"], *group["variant"][:-1]), []).append(group)
    return [sorted(groups, key=label) for groups in alike.values() if len(groups) > 1]


def efficiency_figure(analysis: dict) -> Figure:
    """F1 against training time and parameters, a point for each group."""
    groups = [group for group in analysis["groups"] if group["wall_time_seconds"]]
    figure = Figure(figsize=(11, 4.2 + 0.22 * len(groups)), layout="constrained", dpi=_DPI)
    panels = figure.subplots(1, 2, sharey=True)
    for number, group in enumerate(groups):
        style = {
            "edgecolor": COLOURS[number % len(COLOURS)],
            "facecolor": COLOURS[number % len(COLOURS)],
            "marker": MARKERS[number % len(MARKERS)],
        }
        style |= {"facecolor": "none"} if number >= len(COLOURS) else {"alpha": 0.85}
        x = group["wall_time_seconds"] / 60, group["parameters"] / 1e6
        for axes, value in zip(panels, x, strict=True):
            axes.scatter(value, 100 * group["metrics"]["f1"], s=60, label=full_label(group), **style)
    panels[0].set_xlabel("training time, minutes on the run's own machine")
    panels[1].set_xlabel("parameters, millions")
    panels[0].set_ylabel(f"F1, percent, {analysis['split']} split")
    for axes in panels:
        axes.grid(alpha=0.3)
        axes.margins(0.1)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2, frameon=False, fontsize=9)
    return _finish(figure)


def reliability_figure(analysis: dict) -> Figure:
    """Accuracy over confidence in bins, and how many rows each holds."""
    calibration = analysis["run"]["calibration"]
    bins = [of_bin for of_bin in calibration["bins"] if of_bin["rows"]]
    figure = Figure(figsize=(5.6, 6.4), layout="constrained", dpi=_DPI)
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    middles, widths = (np.array([f(of) for of in bins]) for f in (lambda b: (b["low"] + b["high"]) / 2, _width))
    upper.bar(middles, [of["accuracy"] for of in bins], widths, color=COLOURS[0], edgecolor="white", label="accuracy")
    upper.plot([0, 1], [0, 1], color="black", linestyle=":", label="perfectly calibrated")
    confidence = [of["confidence"] for of in bins]
    upper.plot(
        confidence,
        [of["accuracy"] for of in bins],
        "D",
        color=COLOURS[3],
        label="at the mean confidence",
        clip_on=False,
    )
    upper.set_ylabel("share of right answers")
    upper.set_title(
        f"{analysis['run']['name']}\nexpected calibration error {100 * calibration['expected_error']:.1f} %"
    )
    upper.legend(frameon=False, loc="upper left")
    lower.bar(middles, [of["rows"] for of in bins], widths, color="#999999", edgecolor="white")
    lower.set_ylabel("pairs")
    lower.set_xlabel(f"probability of the predicted relation, {analysis['split']} split")
    upper.set(xlim=(0, 1), ylim=(0, 1))
    return _finish(figure)


def _width(of_bin: dict) -> float:
    return of_bin["high"] - of_bin["low"]


def confusion_figure(analysis: dict) -> Figure:
    """Gold against predicted relation: counts written, shares of the gold relation as shade."""
    confusion = analysis["run"]["confusion"]
    counts = np.array(confusion["counts"])
    used = np.flatnonzero(counts.sum(axis=0) + counts.sum(axis=1))
    used = used[np.argsort(-counts.sum(axis=1)[used], kind="stable")]
    counts, names = counts[np.ix_(used, used)], [confusion["labels"][i] for i in used]
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure = Figure(figsize=(3.5 + 0.45 * len(used), 3 + 0.4 * len(used)), layout="constrained", dpi=_DPI)
    axes = figure.subplots()
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for (row, column), count in np.ndenumerate(counts):
        if count:
            colour = "white" if shares[row, column] > 0.5 else "black"
            axes.text(column, row, count, ha="center", va="center", fontsize=8, color=colour)
    axes.set_xticks(range(len(names)), names, rotation=60, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(names)), names)
    axes.set(xlabel="predicted", ylabel="gold", title=f"{analysis['run']['name']}, {analysis['split']} split")
    figure.colorbar(image, ax=axes, label="share of the gold relation's pairs", shrink=0.6)
    return figure


def figures(analysis: dict) -> dict[str, Figure]:
    """Every figure by name; one for which there is nothing to show is left out."""
    families = list(shown_groups(analysis)[0]["slices"])
    made = {"pairs": slices_figure(analysis, families[:1]), "visual": visual_figure(analysis)}
    if families[1:]:
        made["entities"] = slices_figure(analysis, families[1:])
    if any(group["wall_time_seconds"] for group in analysis["groups"]):
        made["efficiency"] = efficiency_figure(analysis)
    return made | {"reliability": reliability_figure(analysis), "confusion": confusion_figure(analysis)}


def save_figures(path: Path, folder: Path) -> list[Path]:
    """Draws `analysis-<name>.json` as `<name>-<figure>.png`, which name the file they were made from and its checksum.

    Returns:
        The paths.
    """
    content = path.read_bytes()
    name, source = path.stem.removeprefix("analysis-"), f"{path.name} {hashlib.sha256(content).hexdigest()}"
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for kind, figure in figures(json.loads(content)).items():
        paths.append(folder / f"{name}-{kind}.png")
        figure.savefig(paths[-1], metadata={"Source": source})
    return paths


def _finish(figure: Figure) -> Figure:
    for axes in figure.axes:
        axes.spines[["top", "right"]].set_visible(False)
    return figure
