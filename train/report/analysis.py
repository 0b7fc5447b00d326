"""What the result files of a data set say together: the paper's Figures 3 to 6, calibration, confusion, differences.

    python -m train.report.analysis mnre --data_dir path/to/mnre

Reads `assets/results/mnre-*/*.json` and the predictions beside them, prints tables, and writes
`assets/results/analysis-mnre.json` and `assets/results/figures/mnre-*.png`. Runs that differ in nothing but the seed
are one group. All is said of pairs whose direction is unknown, as users ask, and once more under `direction_given` of
pairs whose direction is given, as printed results have it. Runs that are not of the protocol clean are groups of their
own, which no table or figure shows and none is compared with. The data are read only for the slices by entity; without
them these are left out.
"""

import argparse
import shlex
import sys
from functools import partial
from pathlib import Path

import numpy as np
from tqdm.auto import tqdm

from train.report.analysis_figures import save_figures
from train.report.analysis_groups import (
    METRICS,
    Settings,
    analyse_group,
    compare_groups,
    compare_runs,
    given_too,
    name_group,
    run_metrics,
    validation_f1,
)
from train.report.analysis_tables import OTHER_WAY_ROUND, full_label, has_own_table, print_tables
from vmhan.data.mnre import load_mnre, mnre_checksums
from vmhan.evaluation.bootstrap import LEVEL, SAMPLES, check_same_rows, f1_interval
from vmhan.evaluation.calibration import BINS, calibration_of
from vmhan.evaluation.modes import GIVEN, UNKNOWN, rows_in, score_rows
from vmhan.evaluation.predictions import RunPredictions
from vmhan.evaluation.result_file import code_version, versions, write_result
from vmhan.evaluation.run_grouping import CLEAN, VISUAL_SETTING_LABELS, visual_input_label
from vmhan.evaluation.runs import Group, Run, group_runs, read_runs
from vmhan.evaluation.slices import Family, relation_types

RESULTS = Path(__file__).resolve().parents[2] / "assets" / "results"


def entity_slices(data_dir: str, predictions: RunPredictions, split: str) -> dict[str, Family]:
    """Slices by entity of the rows of a split.

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


def analyse_run(run: Run, split: str, groups: list[Group]) -> dict:
    """Relations, confusion, and calibration of one run, in each mode."""
    return {
        "name": run.name,
        "label": describe_run(run, groups),
        **_look_into(run, split, UNKNOWN),
        **given_too(partial(_look_into, run, split, GIVEN), [run]),
    }


def _look_into(run: Run, split: str, mode: str) -> dict:
    predictions = run.predictions
    rows, scored = rows_in(predictions.splits[split], mode), score_rows(predictions, split, mode)
    names = predictions.label_names + [OTHER_WAY_ROUND] * (mode == UNKNOWN and run.has_modes)
    confusion = np.zeros((len(names), len(names)), dtype=int)
    np.add.at(confusion, (rows.gold, rows.predicted), 1)
    several = rows.top.shape[1] > 1
    return {
        "metrics": {name: value for name, value in scored.items() if name != "per_relation"},
        "gold_in_top": float((rows.top == rows.gold[:, None]).any(axis=1).mean()) if several else None,
        "per_relation": scored["per_relation"],
        "confusion": {"labels": names, "counts": confusion.tolist()},
        "calibration": calibration_of(rows, predictions.none_id),
    }


def describe_run(run: Run, groups: list[Group]) -> str:
    """Which model it is, in words: the folder it was saved in for others to use, its group, and its seed."""
    ours = next(group for group in groups if any(other is run for other in group.runs))
    saved = [
        Path(other.result["config"]["training"]["checkpoint"]).name
        for group in groups
        for other in group.runs
        if not other.trained and other.predictions and other.predictions.weights == run.predictions.weights
    ]
    named = f"{saved[0]}\n" if len(set(saved)) == 1 else ""
    return f"{named}{full_label(name_group(ours))}, seed {run.result['seed']}"


def visual_steps(run: Run, runs: list[Run], settings: Settings) -> list[dict]:
    """The same weights with all that is known of the image, and with less: scores, and differences from `run`."""
    return [
        {
            "run": other.name,
            "sees": visual_input_label(other.result),
            **_score_step(other, run, UNKNOWN, settings),
            **given_too(partial(_score_step, other, run, GIVEN, settings), [other]),
        }
        for other in sorted(runs, key=lambda other: (other is not run, _rank_of_sight(other)))
        if _same_weights(run, other)
    ]


def _score_step(run: Run, first: Run, mode: str, settings: Settings) -> dict:
    metrics, rows = run_metrics(run, settings.split, mode), rows_in(run.predictions.splits[settings.split], mode)
    _, low, high = f1_interval([rows], run.predictions.none_id, samples=settings.samples, seed=settings.seed)
    return {
        "validation_f1": validation_f1(run, mode),
        "metrics": {name: metrics[name] for name in METRICS},
        "low": low,
        "high": high,
        "difference": None if run is first else compare_runs([run], [first], mode, settings),
    }


def _same_weights(run: Run, other: Run) -> bool:
    """Also of the same protocol: inputs that give the label away say nothing of what an image is worth."""
    same_protocol = other.result["protocol"] == run.result["protocol"]
    return same_protocol and bool(other.predictions) and other.predictions.weights == run.predictions.weights


def _rank_of_sight(run: Run) -> tuple[bool, int]:
    """The less is seen of the image the later, and last what belongs to other images."""
    return run.result["control"] != "none", list(VISUAL_SETTING_LABELS).index(run.result["visual_setting"])


def analyse(runs: list[Run], settings: Settings, data_dir: str | None = None, name: str | None = None) -> dict:
    """All of it.

    Args:
        runs: Of one data set.
        settings: How.
        data_dir: Folder of the data, for slices by entity.
        name: The run to look into; by default the trained and clean one that is best on validation, of the folders
            without a table of their own.

    Raises:
        ValueError: There is nothing to look into, or the data are others.
    """
    known = [run for run in runs if run.predictions and (run.name == name if name else run.trained)]
    if not known:
        raise ValueError(
            f"No predictions of {name or 'a trained run'}; make them with train/run.py --checkpoint --complete_result."
        )
    chosen = max(known, key=_rank_of_run)
    check_same_rows([run.predictions.splits[settings.split] for run in runs if run.predictions])
    slices = entity_slices(data_dir, chosen.predictions, settings.split) if data_dir else {}
    groups = group_runs(runs)
    return {
        "split": settings.split,
        "bootstrap": {"samples": settings.samples, "seed": settings.seed, "level": LEVEL},
        "bins": BINS,
        "data": chosen.predictions.data,
        "groups": [analyse_group(group, runs, slices, settings) for group in tqdm(groups, desc="Groups of runs")],
        "differences": compare_groups(groups, settings),
        "visual_steps": visual_steps(chosen, runs, settings),
        "run": analyse_run(chosen, settings.split, groups),
    }


def _rank_of_run(run: Run) -> tuple[bool, bool, float]:
    return run.result["protocol"] == CLEAN, not has_own_table(run.name.split("/")[0]), run.validation_f1


def main(argv: list[str]) -> dict:
    """Analyses, prints, writes; returns what the JSON file holds."""
    parser = argparse.ArgumentParser(prog="python -m train.report.analysis", description=__doc__.splitlines()[0])
    parser.add_argument("name", help="data set: the folders assets/results/<name>-* are read")
    parser.add_argument("--data_dir", help="folder of its files, for the slices by entity")
    parser.add_argument("--run", help="run to look into, <folder>/<file name>; by default the best on validation")
    parser.add_argument("--split", default="test", choices=("validation", "test"), help="rows to analyse")
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
        **analyse(read_runs(folders, args.split), settings, args.data_dir, args.run),
    }
    path = args.results_dir / f"analysis-{args.name}.json"
    write_result(path, analysis)
    print_tables(analysis)
    print(f"\n{path}", *save_figures(path, args.results_dir / "figures"), sep="\n")
    return analysis


if __name__ == "__main__":
    main(sys.argv[1:])
