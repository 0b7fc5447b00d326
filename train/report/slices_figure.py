"""Draws F1 on parts of a split: the paper's Figures 3 and 4."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from train.report.figure_style import COLORS, DPI, HATCHES, HOLLOW, LEGEND_OF_GIVEN, hide_upper_spines
from train.report.group_labels import DIRECTION_GIVEN, by_mode, full_label, shown_groups


def slices_figure(analysis: dict, families: list[str]) -> Figure:
    """Draws F1 of each slice with its interval: a panel for each family, bars for the groups best on validation."""
    groups = shown_groups(analysis)
    figure = Figure(figsize=(1.5 + 4.6 * len(families), 4.8), layout="constrained", dpi=DPI)
    panels = figure.subplots(1, len(families), sharey=True, squeeze=False)[0]
    for axes, family in zip(panels, families, strict=True):
        parts = {name: part for name, part in groups[0]["slices"][family].items() if part["related"]}
        for number, group in enumerate(groups):
            of_modes = [[of["slices"][family][name] for name in parts] for _, of in by_mode(group)]
            _slice_bars(axes, of_modes, number, len(groups), full_label(group))
        ticks = [f"{name}\n{part['rows']} pairs,\n{part['related']} related" for name, part in parts.items()]
        axes.set_xticks(range(len(parts)), ticks)
        axes.set_xlabel(family, fontsize=11)
    panels[0].set_ylabel(f"F1, percent, {analysis['split']} split")
    panels[0].set_ylim(0, 100)
    handles, _ = panels[0].get_legend_handles_labels()
    handles += [LEGEND_OF_GIVEN] * any(DIRECTION_GIVEN in group for group in groups)
    figure.legend(handles=handles, loc="outside lower center", ncols=1 if len(families) == 1 else 2, frameon=False)
    return hide_upper_spines(figure)


def _slice_bars(axes: Axes, of_modes: list[list[dict]], number: int, groups: int, name: str) -> None:
    """Draws bars of the main mode and, if there is another, hollow dots of that."""
    parts, *given = of_modes
    width = min(0.8 / groups, 0.3)
    positions = np.arange(len(parts)) + (number - (groups - 1) / 2) * width
    f1, low, high = (100 * np.array([part[key] for part in parts]) for key in ("f1", "low", "high"))
    style = {"color": COLORS[number], "hatch": HATCHES[number], "edgecolor": "white", "label": name}
    axes.bar(positions, f1, width, yerr=[f1 - low, high - f1], ecolor="#333333", capsize=2, **style)
    for of_given in given:
        axes.plot(positions, [100 * part["f1"] for part in of_given], marker="o", markersize=4, **HOLLOW)
