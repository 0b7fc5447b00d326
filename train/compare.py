"""Compares entity markers, with and without hypergraph and descriptions: a training run for each and each seed.

    python -m train.compare train/configs/mnre/compare.yaml --seeds 1 2 --data_dir path/to/mnre

What follows the seeds overrides settings, as in `train/run.py`. A run whose result file is there is left out, so a
stopped comparison goes on, and `--part 1/2` and `--part 2/2` may run side by side.
"""

import argparse
import sys
from itertools import product
from pathlib import Path

from train.arguments import parse_arguments
from train.run import main as train

MARKERS = ("none", "shared", "pair")
STRUCTURES = ("vhan", "none")
SEES = {
    "described": ["--visual_setting", "described"],
    "text_only": ["--visual_setting", "text_only"],
}
#: Only for the variant that is bundled: detector boxes beside the descriptions, and descriptions of other images.
ASIDES = {
    "boxes": [*SEES["described"], "--boxes", "detect", "--visual_features", "text", "box"],
    "shuffled": [*SEES["described"], "--control", "shuffled_images"],
}
BUNDLED = ("shared", "vhan")


def variants() -> dict[str, list[str]]:
    """Settings of each run by its name."""
    runs = {}
    for markers, structure in product(MARKERS, STRUCTURES):
        pool = "mean" if markers == "none" else "mean_marker"
        settings = ["--entity_markers", markers, "--entity_pool", pool, "--structure_encoder", structure]
        for name, sees in (SEES | ASIDES if (markers, structure) == BUNDLED else SEES).items():
            runs[f"{markers}-{structure}-{name}"] = [*settings, *sees]
    return runs


def missing_runs(settings: list[str], seeds: list[int], part: tuple[int, int]) -> list[list[str]]:
    """The command lines of this part whose result files are not there."""
    training = parse_arguments(settings)[-1]
    runs = {
        f"{name}-seed{seed}": [*settings, *of_variant, "--seed", str(seed)]
        for seed, (name, of_variant) in product(seeds, variants().items())
    }
    mine = list(runs.items())[part[0] - 1 :: part[1]]
    return [
        [*command, "--run_name", name, "--output_dir", f"{training.output_dir}/{name}"]
        for name, command in mine
        if not (Path(training.results_dir) / f"{name}.json").exists()
    ]


def _part(text: str) -> tuple[int, int]:
    number, parts = map(int, text.split("/"))
    if not 1 <= number <= parts:
        raise ValueError
    return number, parts


def main(argv: list[str]) -> None:
    """Runs what is missing."""
    parser = argparse.ArgumentParser(prog="python -m train.compare", description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--part", type=_part, default=(1, 1), help="1/2: the first of two halves")
    args, settings = parser.parse_known_args(argv)
    commands = missing_runs(settings, args.seeds, args.part)
    for number, command in enumerate(commands, start=1):
        print(f"Run {number} of {len(commands)}: {' '.join(command)}")
        train(command)


if __name__ == "__main__":
    main(sys.argv[1:])
