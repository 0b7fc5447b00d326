"""The figures of `train.report.analysis`, made from its result file alone.

Bars, filled dots and intervals are of pairs whose direction is unknown, as users ask; hollow marks are of pairs whose
direction is given.
"""

import hashlib
import json
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from train.report.analysis_tables import (
    ABLATIONS,
    CALIBRATED,
    DIRECTION_GIVEN,
    OTHER_WAY_ROUND,
    OWN_TABLES,
    by_mode,
    clean_groups,
    full_label,
    label,
    shown_groups,
)

#: Of Okabe and Ito, told apart by colour-blind readers, and in black and white by marker or hatch.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">")
HATCHES = ("", "//", "..", "\\\\", "xx", "--")
#: Kinds of answers in the reliability diagrams, and what they are called.
_ANSWERS = {"relations": "relations that are named", "all": "all answers"}
_DPI = 130
_GAP = 0.6  # between families, in lines
_HOLLOW = {"linestyle": "none", "markerfacecolor": "white", "markeredgecolor": "#333333", "zorder": 3}
_GIVEN = Line2D([], [], marker="o", markersize=5, **_HOLLOW, label="hollow: direction given")
_OF_TEACHERS = {"facecolor": "white", "edgecolor": COLOURS[0], "hatch": "////"}


def slices_figure(analysis: dict, families: list[str]) -> Figure:
    """F1 of each slice with its interval, a panel for each family, bars for the groups best on validation."""
    groups = shown_groups(analysis)
    figure = Figure(figsize=(1.5 + 4.6 * len(families), 4.8), layout="constrained", dpi=_DPI)
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
    handles += [_GIVEN] * any(DIRECTION_GIVEN in group for group in groups)
    figure.legend(handles=handles, loc="outside lower center", ncols=1 if len(families) == 1 else 2, frameon=False)
    return _finish(figure)


def _slice_bars(axes: Axes, of_modes: list[list[dict]], number: int, groups: int, name: str) -> None:
    """Bars of the main mode, and of the other, if there is one, hollow dots."""
    parts, *given = of_modes
    width = min(0.8 / groups, 0.3)
    places = np.arange(len(parts)) + (number - (groups - 1) / 2) * width
    f1, low, high = (100 * np.array([part[key] for part in parts]) for key in ("f1", "low", "high"))
    style = {"color": COLOURS[number], "hatch": HATCHES[number], "edgecolor": "white", "label": name}
    axes.bar(places, f1, width, yerr=[f1 - low, high - f1], ecolor="#333333", capsize=2, **style)
    for of_given in given:
        axes.plot(places, [100 * part["f1"] for part in of_given], marker="o", markersize=4, **_HOLLOW)


def visual_figure(analysis: dict) -> Figure:
    """Above: one model, the image taken away in steps. Below: models trained with more and less of it."""
    steps, families = analysis["visual_steps"], _trained_by_sight(analysis)
    rows = len(steps), sum(map(len, families)) + max(len(families) - 1, 0) * _GAP
    figure = Figure(figsize=(9, 3 + 0.36 * sum(rows)), layout="constrained", dpi=_DPI)
    number = 2 if families else 1
    panels = figure.subplots(number, 1, sharex=True, squeeze=False, height_ratios=rows[:number])
    upper, *lower = panels[:, 0]
    for place, step in enumerate(steps):
        _dot(upper, place, step["metrics"]["f1"], step["low"], step["high"], 0)
        _hollow_dot(upper, place, step)
    upper.set_yticks(range(len(steps)), [step["sees"] for step in steps])
    model = analysis["run"]["label"].splitlines()[0]
    upper.set_title(f"One model, its image taken away in steps: {model}", fontsize=10, loc="right")
    handles = [handle for axes in lower for handle in _families(axes, families)]
    handles += [_GIVEN] * (DIRECTION_GIVEN in analysis["run"])
    if handles:
        figure.legend(handles=handles, loc="outside lower center", ncols=2, frameon=False)
    for axes in panels[:, 0]:
        axes.margins(0.05, 0)
        top, bottom = axes.get_ylim()
        axes.set_ylim(bottom + 0.6, top - 0.9)
        axes.grid(axis="x", alpha=0.3)
    panels[-1, 0].set_xlabel(f"F1, percent, {analysis['split']} split; lines: 95 % intervals over sentences")
    return _finish(figure)


def _families(axes: Axes, families: list[list[dict]]) -> list[Line2D]:
    """Groups of one recipe beneath each other and in one colour; returns what the legend shows."""
    place, places, handles = 0.0, [], []
    for number, groups in enumerate(families):
        style = {"color": COLOURS[number % len(COLOURS)], "marker": MARKERS[number % len(MARKERS)]}
        handles.append(Line2D([], [], **style, label=_family_name(groups[0], families)))
        for group in groups:
            part = group.get("all", {})
            _dot(axes, place, group["metrics"]["f1"], part.get("low"), part.get("high"), number)
            _hollow_dot(axes, place, group)
            places.append(place)
            place += 1
        place += _GAP
    axes.set_yticks(places, [group["sees"] for groups in families for group in groups])
    axes.set_title("Models trained with more and less of it", fontsize=10, loc="right")
    return handles


def _family_name(group: dict, families: list[list[dict]]) -> str:
    """The label but for what is seen; with the folder where there are several."""
    several = len({groups[0]["folder"] for groups in families}) > 1
    markers, structure, seen = group["variant"]
    apart = seen.removeprefix(group["sees"])
    return (full_label if several else label)({**group, "name": None, "variant": [markers, structure]}) + apart


def _dot(axes: Axes, place: float, f1: float, low: float | None, high: float | None, number: int) -> None:
    colour, marker = COLOURS[number % len(COLOURS)], MARKERS[number % len(MARKERS)]
    if low is not None:
        axes.plot([100 * low, 100 * high], [place, place], color=colour, linewidth=2, alpha=0.5)
    axes.plot(100 * f1, place, marker=marker, color=colour, markersize=7)
    axes.annotate(f"{100 * f1:.1f}", (100 * f1, place), (0, 6), textcoords="offset points", ha="center", fontsize=8)


def _hollow_dot(axes: Axes, place: float, analysed: dict) -> None:
    """F1 with the direction given, if there is such a mode."""
    if given := analysed.get(DIRECTION_GIVEN):
        f1 = 100 * given["metrics"]["f1"]
        axes.plot(f1, place, marker="o", markersize=5, **_HOLLOW)
        _beside(axes, f1, place, f"{f1:.1f}")


def _trained_by_sight(analysis: dict) -> list[list[dict]]:
    """Trained groups that differ in nothing but what they see of the image; where all see the same, none."""
    alike = {}
    for group in clean_groups(analysis):
        if group["trained"]:
            alike.setdefault((group["folder"], group["recipe"]), []).append(group)
    seen_apart = [groups for groups in alike.values() if len({group["sees"] for group in groups}) > 1]
    return [sorted(groups, key=lambda group: group["sees"]) for groups in seen_apart]


def efficiency_figure(analysis: dict) -> Figure:
    """F1, training time and parameters of each trained group: a line for each, those of one folder together.

    Points of F1 against time or parameters would lie on one another: many models have as many parameters.
    """
    folders = {}
    for group in _timed_groups(analysis):
        folders.setdefault(group["folder"], []).append(group)
    lines = [line for folder, groups in folders.items() for line in (folder, *groups)]
    figure = Figure(figsize=(12, 2.2 + 0.26 * len(lines)), layout="constrained", dpi=_DPI)
    panels = figure.subplots(1, 3, sharey=True, width_ratios=(5, 4, 3))
    for place, group in enumerate(lines):
        if not isinstance(group, str):
            _score_and_cost(panels, place, group)
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
    handles = [_GIVEN] * any(DIRECTION_GIVEN in group for group in shown)
    if any(group["teachers"] for group in shown):
        handles += [Patch(color=COLOURS[0], label="time of its own"), Patch(**_OF_TEACHERS, label="its teachers'")]
    if handles:
        figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), frameon=False)
    return _finish(figure)


def _timed_groups(analysis: dict) -> list[dict]:
    """Trained groups; those of the ablations too, but no others that have a table of their own."""
    others = tuple(f"-{ending}" for ending in OWN_TABLES if ending != ABLATIONS)
    timed = [group for group in clean_groups(analysis) if group["wall_time_seconds"]]
    return [group for group in timed if not group["folder"].endswith(others)] or timed


def _score_and_cost(panels: list[Axes], place: int, group: dict) -> None:
    f1 = group["metrics"]["f1"]
    low, high = (group.get("all", {}).get(end, f1) for end in ("low", "high"))
    score, time, parameters = panels
    score.plot([100 * low, 100 * high], [place, place], color=COLOURS[0], linewidth=2, alpha=0.4)
    score.plot(100 * f1, place, "o", color=COLOURS[0], markersize=6)
    _hollow_dot(score, place, group)
    _beside(score, 100 * low, place, f"{100 * f1:.1f}", left=True)
    own, taught = group["wall_time_seconds"] / 60, (group["teachers_wall_time_seconds"] or 0) / 60
    time.barh(place, own, 0.6, color=COLOURS[0])
    if taught:
        time.barh(place, taught, 0.6, left=own, **_OF_TEACHERS)
    unknown = " without its teachers" if group["teachers"] and not taught else ""
    _beside(time, own + taught, place, f"{own + taught:.0f}{unknown}")
    parameters.plot(group["parameters"] / 1e6, place, "s", color=COLOURS[0], markersize=6)
    _beside(parameters, group["parameters"] / 1e6, place, f"{group['parameters'] / 1e6:.2f}")


def _beside(axes: Axes, x: float, place: float, text: str, left: bool = False) -> None:
    offset, side = ((-6, 0), "right") if left else ((6, 0), "left")
    axes.annotate(text, (x, place), offset, textcoords="offset points", va="center", ha=side, fontsize=8)


def reliability_figure(analysis: dict) -> Figure | None:
    """Accuracy over confidence in bins, and how many answers each holds: of the relations named, and of all answers.

    The main mode is on the left. What holds no answers, and a mode whose scores are not at hand, is left out; None if
    that is so of all.
    """
    known = [(direction, of["calibration"]) for direction, of in by_mode(analysis["run"]) if of["calibration"]]
    panels = [
        (direction, calibration, kind)
        for direction, calibration in known
        for kind in _ANSWERS
        if calibration["calibrated"][kind]["rows"]
    ]
    if not panels:
        return None
    figure = Figure(figsize=(1 + 3.4 * len(panels), 5.6), layout="constrained", dpi=_DPI)
    axes = figure.subplots(2, len(panels), sharex=True, sharey="row", squeeze=False, height_ratios=(3, 1))
    for (upper, lower), (direction, calibration, kind) in zip(axes.T, panels, strict=True):
        after, before = (calibration.get(when, {}).get(kind) for when in CALIBRATED)
        _reliability_bars(upper, lower, after, before)
        of_mode = f", direction {direction}" if direction else ""
        upper.set_title(f"{_ANSWERS[kind]}{of_mode}\n{_calibration_errors(after, before)}", fontsize=9)
        lower.set_xlabel("probability of the answer")
    axes[0, 0].set_ylabel("share of right answers")
    axes[0, 0].legend(frameon=False, loc="upper left", fontsize=8)
    axes[0, 0].set(xlim=(0, 1), ylim=(0, 1))
    axes[1, 0].set_ylabel("answers")
    figure.suptitle(f"{analysis['run']['label']}, {analysis['split']} split", fontsize=10)
    return _finish(figure)


def _reliability_bars(upper: Axes, lower: Axes, after: dict, before: dict | None) -> None:
    """Bars with the model's temperatures; without them, where they change anything, hollow marks."""
    bins = [of_bin for of_bin in after["bins"] if of_bin["rows"]]
    middles, widths = [(of["low"] + of["high"]) / 2 for of in bins], [of["high"] - of["low"] for of in bins]
    accuracy, rows = ([of[name] for of in bins] for name in ("accuracy", "rows"))
    upper.bar(middles, accuracy, widths, color=COLOURS[0], edgecolor="white", label="accuracy")
    upper.plot([0, 1], [0, 1], color="black", linestyle=":", label="perfectly calibrated")
    style = {"linestyle": "none", "marker": "D", "color": COLOURS[3], "clip_on": False}
    upper.plot([of["confidence"] for of in bins], accuracy, **style, label="at the mean confidence")
    if before not in (None, after):
        bins = [of_bin for of_bin in before["bins"] if of_bin["rows"]]
        places = [of["confidence"] for of in bins], [of["accuracy"] for of in bins]
        upper.plot(*places, **style, fillstyle="none", label="the same without temperatures")
    lower.bar(middles, rows, widths, color="#999999", edgecolor="white")


def _calibration_errors(after: dict, before: dict | None) -> str:
    """The expected calibration error, and the mean confidence beside the accuracy."""
    known = f"error {100 * after['expected_error']:.1f} %"
    if before not in (None, after):
        known += f", without temperatures {100 * before['expected_error']:.1f} %"
    return f"{known}\nmean {100 * after['confidence']:.1f} %, right {100 * after['accuracy']:.1f} %"


def confusion_figure(analysis: dict) -> Figure:
    """Gold against predicted relation: counts written, shares of the gold relation as shade."""
    confusion = analysis["run"]["confusion"]
    counts = np.array(confusion["counts"])
    used = np.flatnonzero(counts.sum(axis=0) + counts.sum(axis=1))
    used = used[np.argsort(-counts.sum(axis=1)[used], kind="stable")]
    gold = [place for place in used if confusion["labels"][place] != OTHER_WAY_ROUND]
    counts, names = counts[np.ix_(gold, used)], [confusion["labels"][i] for i in used]
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure = Figure(figsize=(3.5 + 0.45 * len(used), 3 + 0.4 * len(gold)), layout="constrained", dpi=_DPI)
    axes = figure.subplots()
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for (row, column), count in np.ndenumerate(counts):
        if count:
            colour = "white" if shares[row, column] > 0.5 else "black"
            axes.text(column, row, count, ha="center", va="center", fontsize=8, color=colour)
    axes.set_xticks(range(len(names)), names, rotation=60, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(gold)), [confusion["labels"][place] for place in gold])
    direction = ", direction unknown" if DIRECTION_GIVEN in analysis["run"] else ""
    title = f"{analysis['run']['label']}, {analysis['split']} split{direction}"
    axes.set(xlabel="predicted", ylabel="gold", title=title)
    figure.colorbar(image, ax=axes, label="share of the gold relation's pairs", shrink=0.6)
    return figure


def figures(analysis: dict) -> dict[str, Figure]:
    """Every figure by name; one for which there is nothing to show is left out."""
    families = list(shown_groups(analysis)[0]["slices"])
    made = {"pairs": slices_figure(analysis, families[:1]), "visual": visual_figure(analysis)}
    if families[1:]:
        made["entities"] = slices_figure(analysis, families[1:])
    if _timed_groups(analysis):
        made["efficiency"] = efficiency_figure(analysis)
    if reliability := reliability_figure(analysis):
        made["reliability"] = reliability
    return made | {"confusion": confusion_figure(analysis)}


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
