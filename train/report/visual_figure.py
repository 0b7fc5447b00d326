"""Draws what the image is worth: the paper's Figure 5."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from train.report.figure_style import COLORS, DPI, LEGEND_OF_GIVEN, MARKERS, draw_hollow_dot, hide_upper_spines
from train.report.group_labels import DIRECTION_GIVEN, clean_groups, full_label, label

_GAP = 0.6  # between families, in lines


def visual_figure(analysis: dict) -> Figure:
    """Draws one model with the image removed in steps, and below models trained with more and less of it."""
    steps, families = analysis["visual_steps"], _trained_by_visual_input(analysis)
    rows = len(steps), sum(map(len, families)) + max(len(families) - 1, 0) * _GAP
    figure = Figure(figsize=(9, 3 + 0.36 * sum(rows)), layout="constrained", dpi=DPI)
    number = 2 if families else 1
    panels = figure.subplots(number, 1, sharex=True, squeeze=False, height_ratios=rows[:number])
    upper, *lower = panels[:, 0]
    for height, step in enumerate(steps):
        _dot(upper, height, step["metrics"]["f1"], step["low"], step["high"], 0)
        draw_hollow_dot(upper, height, step)
    upper.set_yticks(range(len(steps)), [step["sees"] for step in steps])
    model = analysis["run"]["label"].splitlines()[0]
    upper.set_title(f"One model, its image taken away in steps: {model}", fontsize=10, loc="right")
    handles = [handle for axes in lower for handle in _families(axes, families)]
    handles += [LEGEND_OF_GIVEN] * (DIRECTION_GIVEN in analysis["run"])
    if handles:
        figure.legend(handles=handles, loc="outside lower center", ncols=2, frameon=False)
    for axes in panels[:, 0]:
        axes.margins(0.05, 0)
        top, bottom = axes.get_ylim()
        axes.set_ylim(bottom + 0.6, top - 0.9)
        axes.grid(axis="x", alpha=0.3)
    panels[-1, 0].set_xlabel(f"F1, percent, {analysis['split']} split; lines: 95 % intervals over sentences")
    return hide_upper_spines(figure)


def _families(axes: Axes, families: list[list[dict]]) -> list[Line2D]:
    """Draws the groups of one recipe below each other and in one color.

    Returns:
        The handles of the legend.
    """
    height, heights, handles = 0.0, [], []
    for number, groups in enumerate(families):
        style = {"color": COLORS[number % len(COLORS)], "marker": MARKERS[number % len(MARKERS)]}
        handles.append(Line2D([], [], **style, label=_family_name(groups[0], families)))
        for group in groups:
            part = group.get("all", {})
            _dot(axes, height, group["metrics"]["f1"], part.get("low"), part.get("high"), number)
            draw_hollow_dot(axes, height, group)
            heights.append(height)
            height += 1
        height += _GAP
    axes.set_yticks(heights, [group["sees"] for groups in families for group in groups])
    axes.set_title("Models trained with more and less of it", fontsize=10, loc="right")
    return handles


def _family_name(group: dict, families: list[list[dict]]) -> str:
    """Names a family: the label without the visual input; with the folder if there are several."""
    several = len({groups[0]["folder"] for groups in families}) > 1
    markers, structure, visual_input = group["variant"]
    rest = visual_input.removeprefix(group["sees"])
    return (full_label if several else label)({**group, "name": None, "variant": [markers, structure]}) + rest


def _dot(axes: Axes, height: float, f1: float, low: float | None, high: float | None, number: int) -> None:
    color, marker = COLORS[number % len(COLORS)], MARKERS[number % len(MARKERS)]
    if low is not None:
        axes.plot([100 * low, 100 * high], [height, height], color=color, linewidth=2, alpha=0.5)
    axes.plot(100 * f1, height, marker=marker, color=color, markersize=7)
    axes.annotate(f"{100 * f1:.1f}", (100 * f1, height), (0, 6), textcoords="offset points", ha="center", fontsize=8)


def _trained_by_visual_input(analysis: dict) -> list[list[dict]]:
    """Finds the families of trained groups that differ in their visual input alone."""
    families = {}
    for group in clean_groups(analysis):
        if group["trained"]:
            families.setdefault((group["folder"], group["recipe"]), []).append(group)
    several = [groups for groups in families.values() if len({group["sees"] for group in groups}) > 1]
    return [sorted(groups, key=lambda group: group["sees"]) for groups in several]
