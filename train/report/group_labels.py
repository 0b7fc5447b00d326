"""Labels and selects the groups of runs that the tables and figures of an analysis show."""

from train.report.ablation_tables import FULL, ROWS
from vmhan.evaluation.run_grouping import CLEAN

#: Key of an analysis for pairs whose direction is given; absent where pairs have a single order.
DIRECTION_GIVEN = "direction_given"
#: With a model's temperatures and without them, which older files of predictions lack.
CALIBRATED = ("calibrated", "uncalibrated")
#: Label of `WRONG_DIRECTION` in confusions, also for a pair without a relation.
OTHER_WAY_ROUND = "a relation the other way round"
MOST_OF_FOLDER = 2  # shown groups of each folder
#: Suffixes of the folders whose runs have a table of their own, which compares each with the run that it belongs to.
ABLATIONS = "ablations"
OWN_TABLES = (ABLATIONS, "legacy")


def has_own_table(folder: str) -> bool:
    """Returns whether the runs of a folder have a table of their own."""
    return folder.endswith(tuple(f"-{suffix}" for suffix in OWN_TABLES))


def label(group: dict) -> str:
    """Names what distinguishes a group from the others of its folder; for ablations, as the paper does."""
    titles = {FULL: "VM-HAN (full)", **ROWS}
    if group["folder"].endswith(f"-{ABLATIONS}") and group.get("name") in titles:
        return titles[group["name"]]
    markers, structure, *rest = group["variant"]
    return ", ".join([f"markers {markers}", "no structure" if structure == "none" else structure, *rest])


def full_label(group: dict) -> str:
    """Names a group with the folder of its results, since another recipe gives another model."""
    return f"{group['folder']}: {label(group)}"


def clean_groups(analysis: dict) -> list[dict]:
    """Returns the groups whose inputs do not leak the label; no others are shown beside them."""
    return [group for group in analysis["groups"] if group["protocol"] == CLEAN]


def shown_groups(analysis: dict) -> list[dict]:
    """Selects the trained groups with predictions that are best on validation, a few of each folder.

    Folders with a table of their own are left out, unless there are no others.
    """
    trained = [group for group in clean_groups(analysis) if group["trained"] and "slices" in group]
    shown = [group for group in trained if not has_own_table(group["folder"])] or trained
    ranks = [[other["folder"] for other in shown[:index]].count(group["folder"]) for index, group in enumerate(shown)]
    return [group for rank, group in zip(ranks, shown, strict=True) if rank < MOST_OF_FOLDER]


def by_mode(analyzed: dict) -> list[tuple[str, dict]]:
    """Returns the parts of each mode by its name, which is empty if there is only one."""
    if given := analyzed.get(DIRECTION_GIVEN):
        return [("unknown", analyzed), ("given", given)]
    return [("", analyzed)]


def percent(value: float | None) -> str:
    """Formats a share as percent with one decimal place; None as an empty string."""
    return "" if value is None else f"{100 * value:.1f}"
