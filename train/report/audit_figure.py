"""Draws the figure of `train.audit` from its result file alone."""

import hashlib
import json
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from vmhan.evaluation.audit import belongs_to, outcome

HONEST, LEAKING, TASK, CHANCE = "#0072B2", "#D55E00", "#777777", "#BBBBBB"  # of Okabe and Ito, and grays
#: Marker of each answer, and its offset above the middle of the input's line.
ANSWERS = {"shape": ("o", 0.22), "value": ("s", 0.0), "words": ("D", -0.22)}
_LABELS = {"shape": "look-up of its shape", "value": "look-up of its value", "words": "linear model of its words"}


def audit_figure(audit: dict, split: str = "test") -> Figure:
    """Draws how much each input reveals about the label, with the thresholds of the audit.

    Left: "a relation or none?" from look-ups and words. Middle: the relation from look-ups. Right: its F1 from words.
    """
    findings, limits = audit["findings"][split][::-1], audit["thresholds"]
    figure = Figure(figsize=(13, 0.62 * len(findings) + 2.2), layout="constrained", dpi=130)
    panels = figure.subplots(1, 3, sharey=True, width_ratios=(4, 4, 3))
    for row, finding in enumerate(findings):
        _draw(panels, row, finding)
    for axes, label in zip(panels, ("none_or_not", "relation"), strict=False):
        majority = 100 * findings[0]["shape"][label]["majority"]
        _line(axes, majority, "majority ", ":", "right")
        _line(axes, majority + 100 * limits["least_gain"], " (b)", "--", "left")
    majority = 100 * findings[0]["shape"]["none_or_not"]["majority"]
    _line(panels[0], majority + 100 * limits["least_word_gain"], " (c)", "-.", "left")
    _line(panels[2], 100 * limits["most_word_f1"], " (c)", "-.", "left")
    _label(panels, findings, split)
    return figure


def _draw(panels: list[Axes], row: int, finding: dict) -> None:
    """Draws the line of one input in all three panels."""
    for axes, label in zip(panels, ("none_or_not", "relation"), strict=False):
        for question in ("shape", "value"):
            part = finding[question][label]
            height = row + ANSWERS[question][1]
            axes.plot([100 * x for x in part["permuted"]], [height] * 2, color=CHANCE, linewidth=5, zorder=1)
            _mark(axes, height, part["accuracy"], finding, question)
    if words := finding["words"]:
        for axes, metric in ((panels[0], "none_accuracy"), (panels[2], "f1")):
            _mark(axes, row + ANSWERS["words"][1], words[metric], finding, "words")


def _mark(axes: Axes, height: float, share: float, finding: dict, question: str) -> None:
    color = color_of(finding)
    axes.plot(100 * share, height, ANSWERS[question][0], color=color, markersize=6, label=finding["name"])
    axes.annotate(
        f"{100 * share:.1f}",
        (100 * share, height),
        (7, -3),
        textcoords="offset points",
        fontsize=8,
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.3},  # threshold lines run behind
    )


def color_of(finding: dict) -> str:
    """Returns the color of a finding's outcome."""
    return TASK if finding["of_task"] else LEAKING if finding["leaks"] else HONEST


def _line(axes: Axes, x: float, name: str, style: str, side: str) -> None:
    axes.axvline(x, color="black", linewidth=1, linestyle=style, zorder=0)
    axes.annotate(
        name,
        (x, 1),
        (0, -2),
        xycoords=("data", "axes fraction"),
        textcoords="offset points",
        ha=side,
        va="top",
        fontsize=9,
    )


def _label(panels: list[Axes], findings: list[dict], split: str) -> None:
    titles = (
        "(b), (c) a relation or none? Accuracy",
        "(b) which relation, or none? Accuracy",
        "(c) which relation? F1",
    )
    for axes, title in zip(panels, titles, strict=True):
        axes.set_title(title, fontsize=11)
        axes.set(ylim=(-0.6, len(findings) - 0.1), xlabel=f"percent, MNRE's {split} split")
        axes.set_xlim(0, 108) if axes is panels[-1] else axes.set_xlim(right=106)
        axes.spines[["top", "right"]].set_visible(False)
        for row in range(1, len(findings)):
            axes.axhline(row - 0.5, color="#DDDDDD", linewidth=0.6, zorder=0)
    names = [f"{finding['name']}\n{belongs_to(finding)}: {outcome(finding)}" for finding in findings]
    panels[0].set_yticks(range(len(names)), names)
    panels[0].annotate(
        "input\nbelongs to: outcome",
        (0, 1),
        (-8, 0),
        xycoords="axes fraction",
        textcoords="offset points",
        ha="right",
        va="center",
        fontsize=9,
    )
    for row, finding in enumerate(findings):
        if not finding["words"]:
            panels[2].annotate("no words", (2, row), va="center", fontsize=8, color="#777777")
    for text, finding in zip(panels[0].get_yticklabels(), findings, strict=True):
        text.set_color(color_of(finding))
    handles = [
        Line2D([], [], color="black", marker=ANSWERS[name][0], linestyle="", label=_LABELS[name]) for name in ANSWERS
    ]
    handles.append(Line2D([], [], color=CHANCE, linewidth=5, label="99 % of permutations"))
    handles += [
        Line2D([], [], color="black", linestyle=style, linewidth=1, label=label)
        for style, label in (
            (":", "most frequent label"),
            ("--", "(b) fails from here"),
            ("-.", "(c) fails from here"),
        )
    ]
    panels[0].figure.legend(handles=handles, loc="outside lower center", ncols=len(handles), frameon=False, fontsize=9)


def save_audit_figure(path: Path, folder: Path) -> Path:
    """Draws a result file of `train.audit` as a PNG that names the file and its checksum.

    Returns:
        The path.
    """
    content = path.read_bytes()
    folder.mkdir(parents=True, exist_ok=True)
    figure = folder / f"{path.stem}.png"
    source = f"{path.name} {hashlib.sha256(content).hexdigest()}"
    audit_figure(json.loads(content)).savefig(figure, metadata={"Source": source})
    return figure
