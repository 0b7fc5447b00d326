"""What the result files of a data set say together: the paper's Figures 3 to 6, calibration, confusion, differences.

    python -m train.analysis mnre --data_dir path/to/mnre

Reads `assets/results/mnre-*/*.json` and the predictions beside them, prints tables, and writes
`assets/results/analysis-mnre.json` and `assets/results/figures/mnre-*.png`. Runs that differ in nothing but the seed
are one group. The data are read only for the slices by entity; without them these are left out.
"""

import argparse
import shlex
import statistics
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm.auto import tqdm

from train.analysis_figures import save_figures
from train.analysis_tables import print_tables
from train.bootstrap import LEVEL, SAMPLES, check_same_rows, f1_interval, paired_difference
from train.calibration import BINS, expected_calibration_error, reliability
from train.finished_runs import Run, group_runs, read_runs
from train.metrics import per_relation_metrics, relation_metrics
from train.predictions import RunPredictions, SplitPredictions
from train.results import code_version, versions, write_result
from train.slices import Family, pairs_of_sentence, relation_types
from train.variants import SETTINGS, variant
from vmhan.data_rows import find_no_relation
from vmhan.mnre import load_mnre, mnre_checksums

METRICS = ("f1", "precision", "recall", "accuracy", "macro_f1", "none_accuracy")
RESULTS = Path(__file__).resolve().parents[1] / "assets" / "results"


@dataclass
class Settings:
    """How to analyse: the split, and the draws of the bootstrap."""

    split: str = "test"
    samples: int = SAMPLES
    seed: int = 0


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
    splits = load_mnre(data_dir, descriptions=None, boxes=None)
    row_of_line = {line: row for row, line in enumerate(splits[split]["line"])}
    rows = splits[split].select([row_of_line[line] for line in predictions.splits[split].line.tolist()])
    none_id = predictions.none_id
    return {
        "relation types of the entity in this split": relation_types(rows, splits[split], none_id),
        "relation types of the entity in training": relation_types(rows, splits["train"], none_id),
    }


def analyse_group(key: tuple[str, ...], runs: list[Run], slices: dict[str, Family], settings: Settings) -> dict:
    """What is said of the runs that differ in nothing but the seed."""
    folder, *names = key
    protocols = sorted({run.result["protocol"] for run in runs})
    scores = [run.result["metrics"][settings.split] for run in runs]
    rows = [run.predictions.splits[settings.split] for run in runs if run.predictions]
    seconds = [run.result["wall_time_seconds"] for run in runs if run.trained]
    return {
        "folder": folder,
        "variant": names,
        "protocol": " and ".join(protocols),
        "runs": [run.name for run in runs],
        "trained": all(run.trained for run in runs),
        "parameters": runs[0].result.get("parameters"),
        "wall_time_seconds": statistics.mean(seconds) if seconds else None,
        "validation_f1": statistics.mean(run.validation_f1 for run in runs),
        "metrics": {name: statistics.mean(score[name] for score in scores) for name in METRICS},
        "runs_with_predictions": len(rows),
        **(_of_predictions(rows, runs, slices, settings) if rows else {}),
    }


def _of_predictions(rows: list[SplitPredictions], runs: list[Run], slices: dict[str, Family], settings: Settings):
    label_names = next(run.predictions.label_names for run in runs if run.predictions)
    families = {"pairs of the sentence": pairs_of_sentence(rows[0]), **slices}
    errors = [expected_calibration_error(reliability(of.confidence, of.predicted == of.gold)) for of in rows]
    everything = np.ones(len(rows[0].gold), dtype=bool)
    return {
        "all": _score_slice(rows, everything, label_names, settings),
        "slices": {
            family: {name: _score_slice(rows, mask, label_names, settings) for name, mask in parts.items()}
            for family, parts in families.items()
        },
        "expected_calibration_error": statistics.mean(errors),
    }


def _score_slice(rows: list[SplitPredictions], mask: np.ndarray, label_names: list[str], settings: Settings) -> dict:
    """Mean scores over seeds, and the interval of F1; no F1 where no row holds a relation."""
    no_relation = find_no_relation(label_names)
    none_id = label_names.index(no_relation)
    gold = rows[0].gold[mask]
    related = int((gold != none_id).sum())
    scores = [relation_metrics(of.predicted[mask], of.gold[mask], label_names, no_relation) for of in rows]
    accuracy = statistics.mean(score["accuracy"] for score in scores) if len(gold) else None
    f1 = f1_interval(rows, none_id, mask, settings.samples, settings.seed) if related else (None, None, None)
    return {
        "rows": len(gold),
        "related": related,
        "accuracy": accuracy,
        **dict(zip(("f1", "low", "high"), f1, strict=True)),
    }


def analyse_run(run: Run, split: str) -> dict:
    """Relations, confusion, and calibration of one run."""
    rows, names, no_relation = run.predictions.splits[split], run.predictions.label_names, run.predictions.no_relation
    bins = reliability(rows.confidence, rows.predicted == rows.gold)
    confusion = np.zeros((len(names), len(names)), dtype=int)
    np.add.at(confusion, (rows.gold, rows.predicted), 1)
    return {
        "name": run.name,
        "metrics": relation_metrics(rows.predicted, rows.gold, names, no_relation),
        "gold_in_top": float((rows.top == rows.gold[:, None]).any(axis=1).mean()),
        "per_relation": per_relation_metrics(rows.predicted, rows.gold, names, no_relation),
        "confusion": {"labels": names, "counts": confusion.tolist()},
        "calibration": {"expected_error": expected_calibration_error(bins), "bins": bins},
    }


def visual_steps(run: Run, runs: list[Run], settings: Settings) -> list[dict]:
    """The same weights with all that is known of the image, and with less: scores, and differences from `run`."""
    steps = []
    for other in sorted(runs, key=lambda other: (other is not run, _rank_of_sight(other))):
        if other.predictions and other.predictions.weights == run.predictions.weights:
            theirs, ours = other.predictions.splits[settings.split], run.predictions.splits[settings.split]
            none_id = run.predictions.none_id
            seen = "" if other is run else variant(other.result)[-1].split(", then ")[-1]
            metrics = {name: other.result["metrics"][settings.split][name] for name in METRICS}
            f1 = f1_interval([theirs], none_id, samples=settings.samples, seed=settings.seed)
            difference = paired_difference([theirs], [ours], none_id, settings.samples, settings.seed)
            steps.append(
                {
                    "run": other.name,
                    "sees": seen or variant(run.result)[-1],
                    "metrics": metrics,
                    "low": f1[1],
                    "high": f1[2],
                    "difference": None if other is run else difference._asdict(),
                }
            )
    return steps


def _rank_of_sight(run: Run) -> tuple[bool, int]:
    """The less is seen of the image the later, and last what belongs to other images."""
    return run.result["control"] != "none", list(SETTINGS).index(run.result["visual_setting"])


def compare_groups(groups: dict[tuple[str, ...], list[Run]], settings: Settings) -> list[dict]:
    """Of every folder, each trained group with predictions beside the one best on validation."""
    compared, best = [], {}
    for key, runs in groups.items():
        rows = [run.predictions.splits[settings.split] for run in runs if run.predictions and run.trained]
        if not rows:
            continue
        if key[0] not in best:
            best[key[0]] = key, rows
            continue
        none_id = next(run.predictions.none_id for run in runs if run.predictions)
        reference, theirs = best[key[0]]
        difference = paired_difference(rows, theirs, none_id, settings.samples, settings.seed)
        compared.append(
            {"folder": key[0], "variant": key[1:], "best_on_validation": reference[1:], **difference._asdict()}
        )
    return compared


def analyse(runs: list[Run], settings: Settings, data_dir: str | None = None, name: str | None = None) -> dict:
    """All of it.

    Args:
        runs: Of one data set.
        settings: How.
        data_dir: Folder of the data, for slices by entity.
        name: The run to look into; by default the trained and clean one that is best on validation.

    Raises:
        ValueError: There is nothing to look into, or the data are others.
    """
    known = [run for run in runs if run.predictions and (run.name == name if name else run.trained)]
    if not known:
        raise ValueError(
            f"No predictions of {name or 'a trained run'}; make them with train/run.py --checkpoint --complete_result."
        )
    chosen = max(known, key=lambda run: (run.result["protocol"] == "clean", run.validation_f1))
    check_same_rows([run.predictions.splits[settings.split] for run in runs if run.predictions])
    slices = entity_slices(data_dir, chosen.predictions, settings.split) if data_dir else {}
    groups = group_runs(runs)
    return {
        "split": settings.split,
        "bootstrap": {"samples": settings.samples, "seed": settings.seed, "level": LEVEL},
        "bins": BINS,
        "data": chosen.predictions.data,
        "groups": [analyse_group(*group, slices, settings) for group in tqdm(groups.items(), desc="Groups of runs")],
        "differences": compare_groups(groups, settings),
        "visual_steps": visual_steps(chosen, runs, settings),
        "run": analyse_run(chosen, settings.split),
    }


def main(argv: list[str]) -> dict:
    """Analyses, prints, writes; returns what the JSON file holds."""
    parser = argparse.ArgumentParser(prog="python -m train.analysis", description=__doc__.splitlines()[0])
    parser.add_argument("name", help="data set: the folders assets/results/<name>-* are read")
    parser.add_argument("--data_dir", help="folder of its files, for the slices by entity")
    parser.add_argument("--run", help="run to look into, <folder>/<file name>; by default the best on validation")
    parser.add_argument("--split", default="test", choices=("validation", "test"))
    parser.add_argument("--samples", type=int, default=SAMPLES, help="draws of the bootstrap")
    parser.add_argument("--seed", type=int, default=0, help="of the draws")
    parser.add_argument("--results_dir", type=Path, default=RESULTS, help="folder of the result folders")
    args = parser.parse_args(argv)
    settings = Settings(args.split, args.samples, args.seed)
    folders = sorted(folder for folder in args.results_dir.glob(f"{args.name}-*") if folder.is_dir())
    code = code_version()
    analysis = {
        "command": shlex.join(["python", "-m", "train.analysis", *argv]),
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
