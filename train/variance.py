"""Measures whether the variance of a pair tells right answers from wrong ones, beside its score and entropy.

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
from scipy.special import softmax
from scipy.stats import entropy, spearmanr
from sklearn.metrics import roc_auc_score
from torch.utils.data import DataLoader
from tqdm.auto import tqdm

from train.batching import PairCollator, sort_by_sentence
from train.building import load_finished
from train.directions import SYMMETRIC, add_undirected
from train.metrics import choose_direction
from train.predictions import weights_checksum
from train.results import LIBRARIES, ROOT, code_version, versions, write_result
from vmhan.data_rows import find_no_relation
from vmhan.mnre import load_mnre, mnre_checksums

_SETTINGS = ("described", "composed", "object_names", "text_only")


class Answers(NamedTuple):
    """Answers to the pairs of a split: `logits`, (pairs, labels), `variance` and whether it is `right`, (pairs,)."""

    logits: np.ndarray
    variance: np.ndarray
    right: np.ndarray


def answers_of(model, collator: PairCollator, dataset: Dataset, batch_size: int) -> dict[str, Answers]:
    """Answers of a model to the rows, once with the direction of the pairs unknown and once with it given."""
    rows = add_undirected(dataset)
    logits, variance = (values.reshape(3, len(dataset), -1) for values in _predict(model, collator, rows, batch_size))
    names, labels = dataset.features["relation"].names, np.array(dataset["relation"])
    none = names.index(find_no_relation(names))
    given, *both_ways = logits
    found = choose_direction(*both_ways, none, [name in SYMMETRIC for name in names])
    as_annotated, turned = (softmax(way.astype(float), axis=-1)[:, none] for way in both_ways)
    is_turned = (turned < as_annotated)[:, None]  # (pairs, 1), as `choose_direction` chooses
    chosen, of_chosen = (np.where(is_turned, values[2], values[1]) for values in (logits, variance))
    return {
        "direction_unknown": Answers(chosen, of_chosen[:, 0], found == labels),
        "direction_given": Answers(given, variance[0, :, 0], given.argmax(axis=-1) == labels),
    }


@torch.inference_mode()
def _predict(model, collator: PairCollator, dataset: Dataset, batch_size: int) -> tuple[np.ndarray, np.ndarray]:
    """Logits (rows, labels) and pair variances (rows,), in the order of the rows."""
    rows = sort_by_sentence(dataset.add_column("place", range(len(dataset))))
    model.eval()
    outputs = [
        model(**batch.to(model.device))
        for batch in tqdm(DataLoader(rows, batch_size, collate_fn=collator), desc="Predicting")
    ]
    order = np.argsort(rows["place"])
    logits, variance = (torch.cat([output[name] for output in outputs]) for name in ("logits", "pair_variance"))
    return logits.float().cpu().numpy()[order], variance.float().cpu().numpy()[order]


def measure(answers: Answers) -> dict:
    """How well variance, entropy and score rank right answers before wrong ones; None where that is not defined."""
    probabilities = softmax(answers.logits.astype(float), axis=-1)
    of_scores = entropy(probabilities, axis=-1)
    ranked_by = {"variance": -answers.variance, "entropy": -of_scores, "score": probabilities.max(axis=-1)}
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
    """Measures, prints and writes; returns what the file holds."""
    parser = argparse.ArgumentParser(prog="python -m train.variance", description=__doc__.splitlines()[0])
    parser.add_argument("--data_dir", required=True, help="folder of MNRE's files")
    parser.add_argument("--model", default="assets/vmhan-mini-mnre", help="a finished model")
    parser.add_argument("--visual_setting", default="described", choices=_SETTINGS, help="as in train/run.py")
    parser.add_argument("--batch_size", type=int, default=128, help="pairs in a batch")
    parser.add_argument("--limit", type=int, help="only the first so many rows of each split")
    parser.add_argument("--results_dir", type=Path, default=ROOT / "assets" / "results", help="where the file goes")
    args = parser.parse_args(argv)
    code, files = code_version(), {"boxes": None}
    splits = load_mnre(args.data_dir, limit=args.limit, **files)
    processor, model = load_finished(args.model, splits["train"].features["relation"].names)
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
    main(sys.argv[1:])
