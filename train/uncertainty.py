"""Measures what a model's answers are worth: F1, calibration, and which score tells right answers from wrong ones.

    python -m train.uncertainty --data_dir path/to/mnre
    python -m train.uncertainty --data_dir path/to/mnre --model a b c --doubts pair_variance --validation_only
    ... --name tried-mutual-information                 # of the result file

Writes `assets/results/uncertainty-<name>.json`. For each split, with the direction of the pairs unknown, as users ask,
and with it given: F1 and macro F1; the expected calibration error of the confidence, which is that of the pipeline;
and the AUROC for "the answer is right" of the confidence, of the entropy of the scores, and of the doubts, outputs of
the model with a number for each pair. 0.5 is chance. `relations` are answers that name a relation.

What a doubt adds to the confidence is measured by a logistic regression of both, fitted on validation and read on
test, or on validation alone on half of the sentences in turns. An answer is right if its relation, or that there is
none, is the gold one; a directed relation found the wrong way round is wrong. Several models are seeds: numbers are
their means.

Example: of four answers with variances 1, 2, 3 and 4 the first two are right: the area is 1.
"""

import argparse
import shlex
import statistics
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import entropy, spearmanr

from train.answers import ScoredAnswers, answer_split, chosen_style
from train.data.collator import PairCollator
from train.data.rows import check_files
from train.model_factory import load_finished
from train.settings_parser import SettingsError, usage_errors
from vmhan.data.mnre import load_mnre, mnre_checksums
from vmhan.data.schema import no_relation_of
from vmhan.evaluation.calibration import expected_calibration_error, reliability
from vmhan.evaluation.predictions import weights_checksum
from vmhan.evaluation.result_file import LIBRARIES, ROOT, code_version, versions, write_result
from vmhan.evaluation.uncertainty import Answers, added_across_halves, added_to_confidence, measure_auroc

VALIDATION, TEST = "validation", "test"
#: The doubt that every variational model has.
PAIR_VARIANCE = "pair_variance"
_SETTINGS = ("described", "composed", "object_names", "text_only")


def measure(scored: ScoredAnswers) -> dict:
    """Measures one run's answers to a split in one mode; what is undefined is None."""
    answers = scored.answers
    kinds = {"all": np.ones_like(answers.named), "relations": answers.named}
    return {
        "rows": len(answers.right),
        "right": float(answers.right.mean()),
        **{name: scored.metrics[name] for name in ("f1", "macro_f1", "precision", "recall")},
        "expected_calibration_error": {
            kind: expected_calibration_error(reliability(answers.confidence[kept], answers.right[kept]))
            for kind, kept in kinds.items()
        },
        "auroc_right": measure_auroc(answers),
        "spearman_with_entropy": {name: _correlation(doubt, answers.scores) for name, doubt in answers.doubts.items()},
    }


def _correlation(doubt: np.ndarray, scores: np.ndarray) -> float | None:
    if len(np.unique(doubt)) < 2:
        return None
    return float(spearmanr(doubt, entropy(scores, axis=-1)).statistic)


def average(measured: Sequence[Any]) -> Any:
    """Averages the numbers of several measurements of one form; None where one of them has none."""
    if isinstance(measured[0], dict):
        return {name: average([of_run[name] for of_run in measured]) for name in measured[0]}
    return None if None in measured else statistics.mean(measured)


def measure_added(
    validation: Sequence[Answers], test: Sequence[Answers] | None, doubts: Sequence[str]
) -> dict[str, dict[str, dict | None]]:
    """Measures what each doubt adds to the confidence, for `all` answers and for those that name `relations`."""
    found: dict[str, dict[str, dict | None]] = {}
    for name in doubts:
        for kind, select in (("all", lambda answers: answers), ("relations", lambda of: of.select(of.named))):
            fitted = [select(answers) for answers in validation]
            if test is None:
                added = added_across_halves(fitted, name)
            else:
                added = added_to_confidence(fitted, [select(answers) for answers in test], name)
            found.setdefault(name, {})[kind] = added and added._asdict()
    return found


def measure_runs(runs: Sequence[Mapping[str, Mapping[str, ScoredAnswers]]], doubts: Sequence[str]) -> dict:
    """Measures the answers of several runs.

    Args:
        runs: For each run its answers by split and mode, as `answer_split` returns them.
        doubts: Their columns.

    Returns:
        By split and mode the `mean` of the runs, each of `runs`, and what each doubt has `added` to the confidence.
    """
    measured = {}
    for split in runs[0]:
        measured[split] = {}
        for mode in runs[0][split]:
            of_runs = [measure(run[split][mode]) for run in runs]
            validation, read = ([run[name][mode].answers for run in runs] for name in (VALIDATION, split))
            added = measure_added(validation, None if split == VALIDATION else read, doubts)
            measured[split][mode] = {"mean": average(of_runs), "runs": of_runs, "added": added}
    return measured


def main(argv: list[str]) -> dict:
    """Measures, prints and writes; returns the content of the file."""
    parser = argparse.ArgumentParser(prog="python -m train.uncertainty", description=__doc__.splitlines()[0])
    parser.add_argument("--data_dir", required=True, help="folder of MNRE's files")
    parser.add_argument(
        "--model", nargs="+", default=["vmhan/weights/vmhan-mini-mnre"], help="a finished model, or one for each seed"
    )
    parser.add_argument(
        "--doubts", nargs="+", default=[PAIR_VARIANCE], help="outputs of the model that rise with doubt"
    )
    parser.add_argument("--visual_setting", default="described", choices=_SETTINGS, help="as in train/run.py")
    parser.add_argument("--annotation_style", help="of a model that knows several; by default its first")
    parser.add_argument("--validation_only", action="store_true", help="leave test unread")
    parser.add_argument("--batch_size", type=int, default=128, help="pairs in a batch")
    parser.add_argument("--limit", type=int, help="only the first so many rows of each split")
    parser.add_argument("--name", default="mnre", help="of the result file, uncertainty-<name>.json")
    parser.add_argument("--results_dir", type=Path, default=ROOT / "assets" / "results", help="where the file goes")
    args = parser.parse_args(argv)
    code, files = code_version(), {"boxes": None}
    check_files("mnre", args.data_dir, descriptions="llavanext", **files)
    splits = load_mnre(args.data_dir, limit=args.limit, **files)
    read = (VALIDATION,) if args.validation_only else (VALIDATION, TEST)
    weights, runs, style = {}, [], None
    for name in args.model:
        processor, model = _load(name, splits["train"].features["relation"], args.doubts)
        collator, weights[name] = PairCollator(processor, args.visual_setting), weights_checksum(model)
        style = chosen_style(model.config, args.annotation_style)
        answer = partial(answer_split, model, collator, batch_size=args.batch_size, doubts=args.doubts)
        runs.append({split: answer(splits[split], annotation_style=style) for split in read})
    result = {
        "command": shlex.join(["python", "-m", "train.uncertainty", *argv]),
        "weights": weights,
        "doubts": args.doubts,
        "annotation_style": style,
        "visual_setting": args.visual_setting,
        "limit": args.limit,
        "data": mnre_checksums(args.data_dir, **files),
        **code,
        "versions": versions((*LIBRARIES, "scikit-learn", "scipy")),
        "measured": measure_runs(runs, args.doubts),
    }
    path = args.results_dir / f"uncertainty-{args.name}.json"
    write_result(path, result)
    print(format_result(result), path, sep="\n")
    return result


def _load(name: str, relations: Any, doubts: Sequence[str]) -> tuple[Any, Any]:
    processor, model = load_finished(name, relations.names, no_relation_of(relations))
    if PAIR_VARIANCE in doubts and not model.config.variational:
        raise SettingsError(f"{name} keeps no variance; name a model with variational set, or other --doubts.")
    return processor, model


def format_result(result: dict) -> str:
    """Formats the means of each split and mode, and what doubts add."""
    lines = []
    for split, modes in result["measured"].items():
        for mode, measured in modes.items():
            mean, areas = measured["mean"], measured["mean"]["auroc_right"]
            errors = mean["expected_calibration_error"]
            lines.append(
                f"{split}, {mode}: F1 {mean['f1']:.4f}, macro F1 {mean['macro_f1']:.4f}, calibration error "
                f"of relations {errors['relations']:.4f}, of all answers {errors['all']:.4f}"
            )
            for name, of_kinds in areas.items():
                numbers = (f"{kind} {'-' if area is None else format(area, '.3f')}" for kind, area in of_kinds.items())
                lines.append(f"  area of {name}: {', '.join(numbers)}")
            for name, of_kinds in measured["added"].items():
                for kind, added in of_kinds.items():
                    if added:
                        lines.append(
                            f"  {name} adds {added['gain']:+.4f} ({added['low']:+.4f} to {added['high']:+.4f}) to the "
                            f"confidence, {kind}"
                        )
    return "\n".join(lines)


if __name__ == "__main__":
    with usage_errors("train.uncertainty"):
        main(sys.argv[1:])
