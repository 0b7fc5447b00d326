"""Trains several settings files with several seeds, for a comparison or a table of ablations.

    python -m train.compare train/configs/mnre/compare.yaml --seeds 1 2 --data_dir path/to/mnre
    python -m train.compare train/configs/mnre/ablations --seeds 1 2 3 --data_dir path/to/mnre

A folder stands for the YAML files in it, and a file for itself, or, if a folder of its name lies beside it, for the
files in that, which extend it. Each is run with each seed; its result file is called `<name of the file>-seed<seed>`.
What is no path and no seed overrides settings, as in `train/run.py`. A run whose result file is there is left out, and
one that was stopped goes on from its last checkpoint, so the same command goes on with everything; `--part 1/2` and
`--part 2/2` may run side by side.
"""

import sys
from collections.abc import Sequence
from itertools import product
from pathlib import Path

from train.arguments import read_config, settings_parser
from train.run import main as train_run
from train.settings_parser import ParserBesideSettings, usage_errors


def settings_files(paths: Sequence[Path]) -> dict[str, Path]:
    """Finds the settings files of `paths`, by the names of their runs.

    Raises:
        FileNotFoundError: A path does not exist, or a folder holds no settings.
        ValueError: Two files have the same name, so that their results would too.
    """
    files: dict[str, Path] = {}
    for path in paths:
        for found in _files_of(path):
            if files.setdefault(found.stem, found).resolve() != found.resolve():
                raise ValueError(f"{files[found.stem]} and {found} would write the same results; rename one.")
    return files


def _files_of(path: Path) -> list[Path]:
    folder = path.with_suffix("") if path.suffix == ".yaml" else path
    if not path.exists():
        raise FileNotFoundError(f"{path} is neither a settings file nor a folder of settings.")
    if not folder.is_dir():
        return [path]
    found = sorted(folder.glob("*.yaml"))
    if not found:
        raise FileNotFoundError(f"The folder {folder} holds no settings, *.yaml.")
    return found


def missing_runs(
    paths: Sequence[Path], overrides: list[str], seeds: list[int], part: tuple[int, int] = (1, 1)
) -> list[list[str]]:
    """Builds the command lines of this part whose result files are not there."""
    runs = list(product(seeds, settings_files(paths).items()))[part[0] - 1 :: part[1]]
    commands = []
    for seed, (stem, file) in runs:
        name, command = f"{stem}-seed{seed}", [str(file), *overrides, "--seed", str(seed)]
        training = read_config(command).training
        if not (Path(training.results_dir) / f"{name}.json").exists():
            chosen = training.resume_from_checkpoint or training.overwrite_output_dir
            resume = [] if chosen else ["--resume_from_checkpoint", "last"]
            commands.append([*command, *resume, "--run_name", name, "--output_dir", f"{training.output_dir}/{name}"])
    return commands


def _part(text: str) -> tuple[int, int]:
    number, parts = map(int, text.split("/"))
    if not 1 <= number <= parts:
        raise ValueError
    return number, parts


def main(argv: list[str]) -> None:
    """Trains the runs whose result files are missing."""
    parser = ParserBesideSettings(
        settings_parser(), prog="python -m train.compare", description=__doc__.splitlines()[0]
    )
    parser.add_argument("settings", type=Path, nargs="+", help="settings files, or folders of them")
    parser.add_argument(
        "--seeds", type=int, nargs="+", default=[1, 2, 3], help="each settings file is run with each (default: 1 2 3)"
    )
    parser.add_argument("--part", type=_part, default=(1, 1), help="1/2: the first of two halves")
    args, overrides = parser.parse_known_args(argv)
    commands = missing_runs(args.settings, overrides, args.seeds, args.part)
    for number, command in enumerate(commands, start=1):
        print(f"Run {number} of {len(commands)}: {' '.join(command)}")
        train_run(command)


if __name__ == "__main__":
    with usage_errors("train.compare"):
        main(sys.argv[1:])
