"""What the figures of an analysis share: colors, markers, and the hollow dots of the mode direction given."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from train.report.group_labels import DIRECTION_GIVEN

#: Of Okabe and Ito: distinct for color-blind readers, and in black and white by marker or hatch.
COLORS = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "#56B4E9", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<", ">")
HATCHES = ("", "//", "..", "\\\\", "xx", "--")
DPI = 130
HOLLOW = {"linestyle": "none", "markerfacecolor": "white", "markeredgecolor": "#333333", "zorder": 3}
LEGEND_OF_GIVEN = Line2D([], [], marker="o", markersize=5, **HOLLOW, label="hollow: direction given")


def draw_hollow_dot(axes: Axes, height: float, analyzed: dict) -> None:
    """Draws F1 with the direction given, if the runs have that mode."""
    if given := analyzed.get(DIRECTION_GIVEN):
        f1 = 100 * given["metrics"]["f1"]
        axes.plot(f1, height, marker="o", markersize=5, **HOLLOW)
        write_beside(axes, f1, height, f"{f1:.1f}")


def write_beside(axes: Axes, x: float, height: float, text: str, left: bool = False) -> None:
    """Writes a number to the right of a point, or to its left."""
    offset, side = ((-6, 0), "right") if left else ((6, 0), "left")
    axes.annotate(text, (x, height), offset, textcoords="offset points", va="center", ha=side, fontsize=8)


def hide_upper_spines(figure: Figure) -> Figure:
    """Removes the upper and right frame of every panel."""
    for axes in figure.axes:
        axes.spines[["top", "right"]].set_visible(False)
    return figure
