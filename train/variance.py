"""Measures whether the variance of a pair separates right answers from wrong ones, beside score and entropy.

    python -m train.variance --data_dir path/to/mnre

Writes `assets/results/variance-mnre.json`. For each split, with the direction of the pairs unknown, as users ask, and
with it given: the area under the ROC curve for "the answer is right", once with the answers ranked from low to high
variance, once by entropy likewise, once from high to low score. 0.5 is chance. Spearman's rank correlation says
whether variance and entropy go together at all. An answer is right if its relation, or that there is none, is the gold
one; a directed relation found the wrong way round is wrong.

Example: of four answers with variances 1, 2, 3 and 4 the first two are right: the area is 1.
"""

import argparse
import shlex
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from datasets import Dataset
from scipy.stats import entropy, spearmanr
from sklearn.metrics import roc_auc_score
from torch.utils.data import DataLoader
from tqdm.auto import tqdm

from train.data.collator import PairCollator
from train.data.directions import evaluation_rows
from train.data.rows import check_files
from train.model_factory import load_finished
from train.settings_parser import usage_errors
from vmhan.configuration_vmhan import DIRECTION_GIVEN, DIRECTION_UNKNOWN
from vmhan.data.mnre import load_mnre, mnre_checksums
from vmhan.data.schema import is_symmetric, no_relation_of
from vmhan.evaluation.mode_logits import ModeLogits, found_labels
from vmhan.evaluation.predictions import weights_checksum
from vmhan.evaluation.result_file import LIBRARIES, ROOT, code_version, versions, write_result
from vmhan.temperature import calibrated_scores

_SETTINGS = ("described", "composed", "object_names", "text_only")


class Answers(NamedTuple):
    """Answers to the pairs of a split: `scores`, (pairs, labels), `variance`, (pairs,), and `right`, (pairs,)."""

    scores: np.ndarray
    variance: np.ndarray
    right: np.ndarray


def answers_of(model, collator: PairCollator, dataset: Dataset, batch_size: int) -> dict[str, Answers]:
    """Computes the answers of a model, once with the direction of the pairs unknown and once with it given."""
    rows, relations = evaluation_rows(dataset), dataset.features["relation"]
    logits, variance = (rows.split(values) for values in _predict(model, collator, rows.rows, batch_size))
    labels, none_id = np.array(dataset["relation"]), relations.str2int(no_relation_of(relations))
    modes = ModeLogits.choose_direction(*logits, none_id)
    found = found_labels(modes.chosen.argmax(axis=-1), modes.turned, none_id, is_symmetric(relations.names))
    of_chosen = np.where(modes.turned, variance[2], variance[1])
    return {
        DIRECTION_UNKNOWN: Answers(_scores(modes.chosen, False, model), of_chosen, found == labels),
        DIRECTION_GIVEN: Answers(
            _scores(modes.given, True, model), variance[0], modes.given.argmax(axis=-1) == labels
        ),
    }


def _scores(logits: np.ndarray, direction_given: bool, model) -> np.ndarray:
    return calibrated_scores(torch.from_numpy(logits), direction_given, model.config).double().numpy()


@torch.inference_mode()
def _predict(model, collator: PairCollator, rows: Dataset, batch_size: int) -> tuple[np.ndarray, np.ndarray]:
    """Computes logits (rows, labels) and pair variances (rows,)."""
    model.eval()
    outputs = [
        model(**batch.to(model.device))
        for batch in tqdm(DataLoader(rows, batch_size, collate_fn=collator), desc="Predicting")
    ]
    logits, variance = (torch.cat([output[name] for output in outputs]) for name in ("logits", "pair_variance"))
    return logits.float().cpu().numpy(), variance.float().cpu().numpy()


def measure(answers: Answers) -> dict:
    """Measures how variance, entropy and score rank right answers before wrong ones; None where it is undefined."""
    of_scores = entropy(answers.scores, axis=-1)
    ranked_by = {"variance": -answers.variance, "entropy": -of_scores, "score": answers.scores.max(axis=-1)}
    both = 0 < answers.right.sum() < len(answers.right)
    varies = len(np.unique(answers.variance)) > 1
    return {
        "rows": len(answers.right),
        "right": float(answers.right.mean()),
        "auroc_right": {
            name: float(roc_auc_score(answers.right, by)) if both else None for name, by in ranked_by.items()
        },
        "spearman_variance_entropy": float(spearmanr(answers.variance, of_scores).statistic) if varies else None,
    }


def main(argv: list[str]) -> dict:
    """Measures, prints and writes; returns the content of the file."""
    parser = argparse.ArgumentParser(prog="python -m train.variance", description=__doc__.splitlines()[0])
    parser.add_argument("--data_dir", required=True, help="folder of MNRE's files")
    parser.add_argument("--model", default="vmhan/weights/vmhan-mini-mnre", help="a finished model")
    parser.add_argument("--visual_setting", default="described", choices=_SETTINGS, help="as in train/run.py")
    parser.add_argument("--batch_size", type=int, default=128, help="pairs in a batch")
    parser.add_argument("--limit", type=int, help="only the first so many rows of each split")
    parser.add_argument("--results_dir", type=Path, default=ROOT / "assets" / "results", help="where the file goes")
    args = parser.parse_args(argv)
    code, files = code_version(), {"boxes": None}
    check_files("mnre", args.data_dir, descriptions="llavanext", **files)
    splits = load_mnre(args.data_dir, limit=args.limit, **files)
    relations = splits["train"].features["relation"]
    processor, model = load_finished(args.model, relations.names, no_relation_of(relations))
    if not model.config.variational:
        raise ValueError(f"{args.model} keeps no variance; name a model with variational set.")
    collator = PairCollator(processor, args.visual_setting)
    measured = {
        split: {
            mode: measure(of_mode)
            for mode, of_mode in answers_of(model, collator, splits[split], args.batch_size).items()
        }
        for split in ("validation", "test")
    }
    result = {
        "command": shlex.join(["python", "-m", "train.variance", *argv]),
        "model": args.model,
        "weights": weights_checksum(model),
        "visual_setting": args.visual_setting,
        "limit": args.limit,
        "data": mnre_checksums(args.data_dir, **files),
        **code,
        "versions": versions((*LIBRARIES, "scikit-learn", "scipy")),
        "measured": measured,
    }
    path = args.results_dir / "variance-mnre.json"
    write_result(path, result)
    for split, modes in measured.items():
        for mode, values in modes.items():
            print(f"{split}, {mode}: {values}")
    print(path)
    return result


if __name__ == "__main__":
    with usage_errors("train.variance"):
        main(sys.argv[1:])
