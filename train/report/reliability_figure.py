"""Draws reliability diagrams: accuracy over confidence."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from train.report.figure_style import COLORS, DPI, hide_upper_spines
from train.report.group_labels import CALIBRATED, by_mode

#: Kinds of answers, with their titles.
_ANSWERS = {"relations": "relations that are named", "all": "all answers"}


def reliability_figure(analysis: dict) -> Figure | None:
    """Draws accuracy over confidence in bins, and the answers in each: of the predicted relations, and of all answers.

    The main mode is on the left. Panels without answers, and modes without scores, are left out.

    Returns:
        The figure, or None if no panel is left.
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
    figure = Figure(figsize=(1 + 3.4 * len(panels), 5.6), layout="constrained", dpi=DPI)
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
    return hide_upper_spines(figure)


def _reliability_bars(upper: Axes, lower: Axes, after: dict, before: dict | None) -> None:
    """Draws bars with the model's temperatures and, if they change anything, hollow marks without them."""
    bins = [of_bin for of_bin in after["bins"] if of_bin["rows"]]
    middles, widths = [(of["low"] + of["high"]) / 2 for of in bins], [of["high"] - of["low"] for of in bins]
    accuracy, rows = ([of[name] for of in bins] for name in ("accuracy", "rows"))
    upper.bar(middles, accuracy, widths, color=COLORS[0], edgecolor="white", label="accuracy")
    upper.plot([0, 1], [0, 1], color="black", linestyle=":", label="perfectly calibrated")
    style = {"linestyle": "none", "marker": "D", "color": COLORS[3], "clip_on": False}
    upper.plot([of["confidence"] for of in bins], accuracy, **style, label="at the mean confidence")
    if before not in (None, after):
        bins = [of_bin for of_bin in before["bins"] if of_bin["rows"]]
        points = [of["confidence"] for of in bins], [of["accuracy"] for of in bins]
        upper.plot(*points, **style, fillstyle="none", label="the same without temperatures")
    lower.bar(middles, rows, widths, color="#999999", edgecolor="white")


def _calibration_errors(after: dict, before: dict | None) -> str:
    """Formats the expected calibration error, the mean confidence and the accuracy."""
    errors = f"error {100 * after['expected_error']:.1f} %"
    if before not in (None, after):
        errors += f", without temperatures {100 * before['expected_error']:.1f} %"
    return f"{errors}\nmean {100 * after['confidence']:.1f} %, right {100 * after['accuracy']:.1f} %"
