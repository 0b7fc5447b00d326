"""Analyzes the result files of a data set: the paper's Figures 3 to 6, calibration, confusion, differences.

    python -m train.report.analysis mnre --data_dir path/to/mnre

Reads `assets/results/mnre-*/*.json` and the predictions beside them, prints tables, and writes
`assets/results/analysis-mnre.json` and `assets/results/figures/mnre-*.png`. Runs that differ in nothing but the seed
are one group. All numbers are of pairs whose direction is unknown, and once more under
`direction_given` of pairs whose direction is given, as in print. Runs of another protocol than clean are groups of
their own, which no table or figure shows. The data are read only for the slices by entity, which are left out without
them.
"""

import argparse
import shlex
import sys
from pathlib import Path

from tqdm.auto import tqdm

from train.report.analysis_figures import save_figures
from train.report.analysis_groups import Settings, analyze_group, compare_groups
from train.report.analysis_runs import analyze_run, visual_steps
from train.report.analysis_tables import print_tables
from train.report.group_labels import has_own_table
from vmhan.data.mnre import load_mnre, mnre_checksums
from vmhan.evaluation.bootstrap import LEVEL, SAMPLES, check_same_rows
from vmhan.evaluation.calibration import BINS
from vmhan.evaluation.predictions import RunPredictions
from vmhan.evaluation.result_file import code_version, versions, write_result
from vmhan.evaluation.run_grouping import CLEAN
from vmhan.evaluation.runs import Run, group_runs, read_runs
from vmhan.evaluation.slices import Family, relation_types

RESULTS = Path(__file__).resolve().parents[2] / "assets" / "results"


def entity_slices(data_dir: str, predictions: RunPredictions, split: str) -> dict[str, Family]:
    """Computes the slices by entity of the rows of a split.

    Raises:
        ValueError: The files of `data_dir` are not those that the rows were read from.
    """
    for name, checksum in mnre_checksums(data_dir, descriptions=None, boxes=None).items():
        if predictions.data.get(name) != checksum:
            raise ValueError(
                f"{name} in {data_dir} has the checksum {checksum}, the predictions are of "
                f"{predictions.data.get(name)}; set --data_dir to the folder that the runs read."
            )
    splits = load_mnre(data_dir, descriptions=None, boxes=None, no_relation=predictions.no_relation)
    row_of_line = {line: row for row, line in enumerate(splits[split]["line"])}
    rows = splits[split].select([row_of_line[line] for line in predictions.splits[split].line.tolist()])
    none_id = predictions.none_id
    return {
        "relation types of the entity in this split": relation_types(rows, splits[split], none_id),
        "relation types of the entity in training": relation_types(rows, splits["train"], none_id),
    }


def analyze(runs: list[Run], settings: Settings, data_dir: str | None = None, name: str | None = None) -> dict:
    """Analyzes runs: groups, differences, visual inputs, and one run in detail.

    Args:
        runs: Of one data set.
        settings: Split and bootstrap.
        data_dir: Folder of the data, for slices by entity.
        name: The run to analyze in detail; by default the trained and clean one that is best on validation, of the
            folders without a table of their own.

    Raises:
        ValueError: There are no predictions, or they are of other data.
    """
    candidates = [run for run in runs if run.predictions and (run.name == name if name else run.trained)]
    if not candidates:
        raise ValueError(
            f"No predictions of {name or 'a trained run'}; compute them with train/run.py --checkpoint and "
            "--complete_result."
        )
    chosen = max(candidates, key=_rank_of_run)
    check_same_rows([run.predictions.splits[settings.split] for run in runs if run.predictions])
    slices = entity_slices(data_dir, chosen.predictions, settings.split) if data_dir else {}
    groups = group_runs(runs)
    return {
        "split": settings.split,
        "bootstrap": {"samples": settings.samples, "seed": settings.seed, "level": LEVEL},
        "bins": BINS,
        "data": chosen.predictions.data,
        "groups": [analyze_group(group, runs, slices, settings) for group in tqdm(groups, desc="Groups of runs")],
        "differences": compare_groups(groups, settings),
        "visual_steps": visual_steps(chosen, runs, settings),
        "run": analyze_run(chosen, settings.split, groups),
    }


def _rank_of_run(run: Run) -> tuple[bool, bool, float]:
    return run.result["protocol"] == CLEAN, not has_own_table(run.name.split("/")[0]), run.validation_f1


def main(argv: list[str]) -> dict:
    """Runs the command line.

    Returns:
        The content of the JSON file.
    """
    parser = argparse.ArgumentParser(prog="python -m train.report.analysis", description=__doc__.splitlines()[0])
    parser.add_argument("name", help="data set: the folders assets/results/<name>-* are read")
    parser.add_argument("--data_dir", help="folder of its files, for the slices by entity")
    parser.add_argument("--run", help="run to analyze in detail, <folder>/<file>; default: the best on validation")
    parser.add_argument("--split", default="test", choices=("validation", "test"), help="rows to analyze")
    parser.add_argument("--samples", type=int, default=SAMPLES, help="draws of the bootstrap")
    parser.add_argument("--seed", type=int, default=0, help="of the draws")
    parser.add_argument("--results_dir", type=Path, default=RESULTS, help="folder of the result folders")
    args = parser.parse_args(argv)
    settings = Settings(args.split, args.samples, args.seed)
    folders = sorted(folder for folder in args.results_dir.glob(f"{args.name}-*") if folder.is_dir())
    code = code_version()
    analysis = {
        "command": shlex.join(["python", "-m", "train.report.analysis", *argv]),
        **code,
        "versions": versions(),
        **analyze(read_runs(folders, args.split), settings, args.data_dir, args.run),
    }
    path = args.results_dir / f"analysis-{args.name}.json"
    write_result(path, analysis)
    print_tables(analysis)
    print(f"\n{path}", *save_figures(path, args.results_dir / "figures"), sep="\n")
    return analysis


if __name__ == "__main__":
    main(sys.argv[1:])
