"""What tables out of result files have in common: Markdown, percent."""

import functools
import json
import statistics
from pathlib import Path


def read_results(folder: Path) -> list[dict]:
    """The result files of a folder, in the order of their names."""
    return [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))]


def markdown_table(lines: list[list[str]]) -> str:
    """Lines of cells, the second of dashes, as a Markdown table."""
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def scores(runs: list[dict], split: str, *path: str) -> list[float]:
    """Of each run the number at `path` in the metrics of a split."""
    return [functools.reduce(lambda metrics, name: metrics[name], path, run["metrics"][split]) for run in runs]


def spread(values: list[float]) -> str:
    """The mean, and of several the standard deviation."""
    mean = f"{100 * statistics.mean(values):.1f}"
    return mean if len(values) == 1 else f"{mean} ± {100 * statistics.stdev(values):.1f}"


def settings_name(result: dict) -> str:
    """The name of the settings file that `train.compare` ran."""
    return result["config"]["training"]["run_name"].removesuffix(f"-seed{result['seed']}")
