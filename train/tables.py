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
