"""What tables out of result files have in common: Markdown, percent, and the names of columns.

A column of scores without further words is of the main mode, in which the direction of pairs is unknown; one of the
other mode says `, direction given`.
"""

import json
import statistics
from pathlib import Path

from vmhan.evaluation.modes import UNKNOWN, metrics_in

#: Behind the names of columns of the mode in which the direction of pairs is given.
GIVEN_SUFFIX = ", direction given"


def read_results(folder: Path) -> list[dict]:
    """The result files of a folder, in the order of their names."""
    return [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))]


def markdown_table(lines: list[list[str]]) -> str:
    """Lines of cells, the second of dashes, as a Markdown table."""
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def measured_columns(lines: list[list[str]]) -> list[list[str]]:
    """Lines of cells without the columns of pairs whose direction is given that hold nothing."""
    head, _, *rest = lines
    kept = [place for place, name in enumerate(head) if GIVEN_SUFFIX not in name or any(line[place] for line in rest)]
    return [[line[place] for place in kept] for line in lines]


def scores(runs: list[dict], split: str, metric: str, mode: str = UNKNOWN) -> list[float]:
    """Of each run a score of a split in a mode; of runs that do not have the mode, or the split, none."""
    measured = [metrics_in(run["metrics"].get(split, {}), mode) for run in runs]
    return [metrics[metric] for metrics in measured if metrics]


def spread(values: list[float]) -> str:
    """The mean, and of several the standard deviation; empty of none."""
    if not values:
        return ""
    mean = f"{100 * statistics.mean(values):.1f}"
    return mean if len(values) == 1 else f"{mean} ± {100 * statistics.stdev(values):.1f}"


def compared_name(result: dict) -> str | None:
    """The name of the settings file, if `train.compare` ran it, which names results `<name>-seed<seed>`."""
    name, seed = result["config"]["training"].get("run_name") or "", f"-seed{result['seed']}"
    return name.removesuffix(seed) if name.endswith(seed) else None


def settings_name(result: dict) -> str:
    """The name of the settings file that `train.compare` ran.

    Raises:
        ValueError: The run has no name, so that nothing says which settings it is of.
    """
    training = result["config"]["training"]
    if not training.get("run_name"):
        raise ValueError(
            f"{Path(training['output_dir']).name}.json does not say of which settings it is: it was made by "
            f"`{result['command']}`. Train it with python -m train.compare, or with --run_name <settings>-seed<seed>."
        )
    return training["run_name"].removesuffix(f"-seed{result['seed']}")
