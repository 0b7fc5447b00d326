"""Draws F1, training time and parameters of each trained group: the paper's Figure 6."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch

from train.report.figure_style import COLORS, DPI, LEGEND_OF_GIVEN, draw_hollow_dot, hide_upper_spines, write_beside
from train.report.group_labels import ABLATIONS, DIRECTION_GIVEN, OWN_TABLES, clean_groups, label

_TEACHERS_STYLE = {"facecolor": "white", "edgecolor": COLORS[0], "hatch": "////"}


def efficiency_figure(analysis: dict) -> Figure:
    """Draws a line for each trained group, those of one folder together.

    Points of F1 against time or parameters would cover each other: many models have the same number of parameters.
    """
    folders = {}
    for group in timed_groups(analysis):
        folders.setdefault(group["folder"], []).append(group)
    lines = [line for folder, groups in folders.items() for line in (folder, *groups)]
    figure = Figure(figsize=(12, 2.2 + 0.26 * len(lines)), layout="constrained", dpi=DPI)
    panels = figure.subplots(1, 3, sharey=True, width_ratios=(5, 4, 3))
    for height, group in enumerate(lines):
        if not isinstance(group, str):
            _score_and_cost(panels, height, group)
    titles = f"F1, percent, {analysis['split']} split\n(lines: 95 % intervals)", "training time, minutes\n(wall clock)"
    for axes, title in zip(panels, (*titles, "parameters, millions"), strict=True):
        axes.set_xlabel(title)
        axes.grid(axis="x", alpha=0.3)
        axes.tick_params(axis="y", length=0)
    panels[0].margins(x=0.15)
    panels[1].margins(x=0.15)
    panels[2].margins(x=0.3)
    panels[0].set_yticks(range(len(lines)), [line if isinstance(line, str) else label(line) for line in lines])
    panels[0].set_ylim(len(lines) - 0.4, -0.6)
    for text, line in zip(panels[0].get_yticklabels(), lines, strict=True):
        text.set(fontsize=9, fontweight="bold" if isinstance(line, str) else "normal")
    shown = [group for group in lines if not isinstance(group, str)]
    handles = [LEGEND_OF_GIVEN] * any(DIRECTION_GIVEN in group for group in shown)
    if any(group["teachers"] for group in shown):
        handles += [Patch(color=COLORS[0], label="time of its own"), Patch(**_TEACHERS_STYLE, label="its teachers'")]
    if handles:
        figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), frameon=False)
    return hide_upper_spines(figure)


def timed_groups(analysis: dict) -> list[dict]:
    """Returns the trained groups, ablations included, but no others of folders with a table of their own."""
    others = tuple(f"-{ending}" for ending in OWN_TABLES if ending != ABLATIONS)
    timed = [group for group in clean_groups(analysis) if group["wall_time_seconds"]]
    return [group for group in timed if not group["folder"].endswith(others)] or timed


def _score_and_cost(panels: list[Axes], height: int, group: dict) -> None:
    f1 = group["metrics"]["f1"]
    low, high = (group.get("all", {}).get(end, f1) for end in ("low", "high"))
    score, time, parameters = panels
    score.plot([100 * low, 100 * high], [height, height], color=COLORS[0], linewidth=2, alpha=0.4)
    score.plot(100 * f1, height, "o", color=COLORS[0], markersize=6)
    draw_hollow_dot(score, height, group)
    write_beside(score, 100 * low, height, f"{100 * f1:.1f}", left=True)
    own, taught = group["wall_time_seconds"] / 60, (group["teachers_wall_time_seconds"] or 0) / 60
    time.barh(height, own, 0.6, color=COLORS[0])
    if taught:
        time.barh(height, taught, 0.6, left=own, **_TEACHERS_STYLE)
    unknown = " without its teachers" if group["teachers"] and not taught else ""
    write_beside(time, own + taught, height, f"{own + taught:.0f}{unknown}")
    parameters.plot(group["parameters"] / 1e6, height, "s", color=COLORS[0], markersize=6)
    write_beside(parameters, group["parameters"] / 1e6, height, f"{group['parameters'] / 1e6:.2f}")
