"""Draws the figures of `train.report.analysis` from its result file alone.

Bars, filled dots and intervals are of pairs whose direction is unknown; hollow marks are of pairs
whose direction is given.
"""

import hashlib
import json
from pathlib import Path

from matplotlib.figure import Figure

from train.report.confusion_figure import confusion_figure
from train.report.efficiency_figure import efficiency_figure, timed_groups
from train.report.group_labels import shown_groups
from train.report.reliability_figure import reliability_figure
from train.report.slices_figure import slices_figure
from train.report.visual_figure import visual_figure


def draw_figures(analysis: dict) -> dict[str, Figure]:
    """Draws every figure that the analysis has data for, by name."""
    families = list(shown_groups(analysis)[0]["slices"])
    drawn = {"pairs": slices_figure(analysis, families[:1]), "visual": visual_figure(analysis)}
    if families[1:]:
        drawn["entities"] = slices_figure(analysis, families[1:])
    if timed_groups(analysis):
        drawn["efficiency"] = efficiency_figure(analysis)
    if reliability := reliability_figure(analysis):
        drawn["reliability"] = reliability
    return drawn | {"confusion": confusion_figure(analysis)}


def save_figures(path: Path, folder: Path) -> list[Path]:
    """Draws `analysis-<name>.json` as `<name>-<figure>.png`, which name the file and its checksum.

    Returns:
        The paths.
    """
    content = path.read_bytes()
    name, source = path.stem.removeprefix("analysis-"), f"{path.name} {hashlib.sha256(content).hexdigest()}"
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for kind, figure in draw_figures(json.loads(content)).items():
        paths.append(folder / f"{name}-{kind}.png")
        figure.savefig(paths[-1], metadata={"Source": source})
    return paths
