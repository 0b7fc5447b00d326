"""Does any side input give the label away?

    python -m train.audit path/to/mnre                                   # what the protocol `clean` sees: must pass
    python -m train.audit path/to/mnre --legacy path/to/legacy_crops     # the field's shared crops too: exit code 1

Three questions of each input, fitted on train and answered on validation:

(a) Is it a function of what it claims to belong to? Rows that agree in the key must agree in the input.
(b) Does its mere shape, that is, how much of it there is, predict the label? A look-up table from the number of items
    (or words) to the most frequent label of the training rows, against the most frequent label of all.
(c) Do its words? A linear model over words and pairs of words. Honest words about an image may carry honest signal, so
    this fails only where they come near giving the label away.

The thresholds stand below. What no input does, and what these tests cannot see (combinations of inputs, pixels), is
not shown by a pass.
"""

import argparse
import json
import shlex
import sys
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
from datasets import DatasetDict
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from tqdm.auto import tqdm

from train.legacy_crops import legacy_files, read_legacy_crops
from train.metrics import relation_metrics
from train.results import code_version, versions, write_result
from train.side_inputs import SideInput, clean_inputs, legacy_inputs
from vmhan.data_images import checksums_of
from vmhan.data_rows import find_no_relation
from vmhan.mnre import load_mnre, mnre_checksums

#: (b): the look-up must beat the majority by so much, and all of the permutations. On MNRE what belongs to an image
#: gains nothing, the shared crop lists 0.37.
LEAST_GAIN = 0.05
#: (c): micro F1 of words alone. On MNRE honest descriptions reach 0.12, the shared phrases 0.85.
MOST_WORD_F1 = 0.7
PERMUTATIONS = 1000


def audit(inputs: list[SideInput], splits: DatasetDict, read: str = "validation") -> list[dict]:
    """The answers for each input, on the split `read`.

    Returns:
        For each input its `name`, `key`, and the answers (a) `contradictions`, (b) `shape`, (c) `words` (None for an
        input without words), with `leaks`, the letters of the questions that it fails.
    """
    names = splits["train"].features["relation"].names
    none_id = names.index(find_no_relation(names))
    fit, asked = (np.array(splits[split]["relation"]) for split in ("train", read))
    findings = []
    for item in tqdm(inputs, desc="Auditing inputs"):
        finding = {
            "name": item.name,
            "key": list(item.key),
            "of_task": item.of_task,
            "contradictions": contradictions(item, splits[read], item.values[read]),
            "shape": shape_lookup(item.values["train"], fit, item.values[read], asked, none_id),
            "words": word_scores(item.values["train"], fit, item.values[read], asked, names)
            if item.in_words
            else None,
        }
        findings.append({**finding, "leaks": [] if item.of_task else failed_questions(finding)})
    return findings


def failed_questions(finding: dict) -> list[str]:
    """Letters of the questions that a finding fails by the thresholds above."""
    shape, words = finding["shape"], finding["words"]
    failed = {
        "a": finding["contradictions"]["contradicting"] > 0,
        "b": any(
            part["accuracy"] - part["majority"] >= LEAST_GAIN and part["accuracy"] > part["most_permuted"]
            for part in shape.values()
        ),
        "c": words is not None and words["f1"] >= MOST_WORD_F1,
    }
    return [letter for letter, fails in failed.items() if fails]


def contradictions(item: SideInput, rows, values: list) -> dict[str, int]:
    """Question (a): how many keys stand in several rows, and how many of these have several values."""
    seen = defaultdict(list)
    columns = zip(*(rows[name] for name in item.key), strict=True)
    for key, value in zip(columns, values, strict=True):
        seen[json.dumps(key)].append(json.dumps(value))
    repeated = [found for found in seen.values() if len(found) > 1]
    return {"repeated_keys": len(repeated), "contradicting": sum(len(set(found)) > 1 for found in repeated)}


def shape_lookup(fit_values: list, fit: np.ndarray, values: list, asked: np.ndarray, none_id: int) -> dict[str, dict]:
    """Question (b), of the relation and of "a relation or none?": accuracies on the rows asked.

    `permuted` is the interval of 99 % of the accuracies, and `most_permuted` the best, when the rows asked swap their
    shapes.
    """
    shapes, asked_shapes = list(map(size, fit_values)), list(map(size, values))
    return {
        "relation": _lookup(shapes, fit, asked_shapes, asked),
        "none_or_not": _lookup(shapes, fit == none_id, asked_shapes, asked == none_id),
    }


def _lookup(fit_shapes: list[int], fit: np.ndarray, shapes: list[int], asked: np.ndarray) -> dict:
    majority = _most_frequent(fit)
    by_shape = defaultdict(Counter)
    for shape, label in zip(fit_shapes, fit.tolist(), strict=True):
        by_shape[shape][label] += 1
    guesses = np.array([by_shape[shape].most_common(1)[0][0] if shape in by_shape else majority for shape in shapes])
    random = np.random.default_rng(0)
    permuted = sorted(float((random.permutation(guesses) == asked).mean()) for _ in range(PERMUTATIONS))
    tail = PERMUTATIONS // 200
    return {
        "accuracy": float((guesses == asked).mean()),
        "majority": float((majority == asked).mean()),
        "permuted": [permuted[tail], permuted[-1 - tail]],
        "most_permuted": permuted[-1],
    }


def word_scores(fit_values: list, fit: np.ndarray, values: list, asked: np.ndarray, names: list[str]) -> dict:
    """Question (c): scores of a logistic regression over words, as `relation_metrics` counts them."""
    words = CountVectorizer(ngram_range=(1, 2), min_df=2, token_pattern=r"\S+")
    model = make_pipeline(words, LogisticRegression(max_iter=300))
    try:
        guesses = model.fit(list(map(as_words, fit_values)), fit).predict(list(map(as_words, values)))
    except ValueError:  # no word stands in two rows, or all rows have one label: there is nothing to learn
        guesses = np.full(len(asked), _most_frequent(fit))
    return relation_metrics(guesses, asked, names, find_no_relation(names))


def _most_frequent(labels: np.ndarray) -> int:
    return Counter(labels.tolist()).most_common(1)[0][0]


def size(value: list | str | None) -> int:
    """How many items, or words, a value has; -1 for None."""
    return -1 if value is None else len(value.split()) if isinstance(value, str) else len(value)


def as_words(value: list | str | None) -> str:
    """All words of a value in a line."""
    return " ".join(value) if isinstance(value, list) else value or ""


def table(findings: list[dict]) -> str:
    """The findings as a Markdown table, percent; in brackets of (b) what the majority gets."""
    lookup = "(b) from its shape:"
    head = [
        "input",
        "belongs to",
        "(a) contradicting",
        f"{lookup} none or not",
        f"{lookup} relation",
        "(c) F1 of its words",
    ]
    lines = [[*head, "verdict"], ["---"] * (len(head) + 1)]
    for finding in findings:
        agreed, words = finding["contradictions"], finding["words"]
        accuracies = [
            f"{100 * finding['shape'][name]['accuracy']:.1f} ({100 * finding['shape'][name]['majority']:.1f})"
            for name in ("none_or_not", "relation")
        ]
        lines.append(
            [
                finding["name"],
                "pair" if "head_span" in finding["key"] else "image",
                f"{agreed['contradicting']} of {agreed['repeated_keys']}",
                *accuracies,
                "" if words is None else f"{100 * words['f1']:.1f}",
                verdict(finding),
            ]
        )
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def verdict(finding: dict) -> str:
    """In words."""
    if finding["of_task"]:
        return "given by the task"
    return f"leaks ({', '.join(finding['leaks'])})" if finding["leaks"] else "passes"


def main(argv: list[str]) -> int:
    """Audits, prints a table, writes a result file; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m train.audit", description=__doc__.splitlines()[0])
    parser.add_argument("data_dir", help="folder of MNRE's files")
    parser.add_argument("--descriptions", default="llavanext", help="stem of the description files")
    parser.add_argument("--boxes", default="detect", help="stem of the box files")
    parser.add_argument("--legacy", help="folder of the shared per-row crop lists and phrases")
    parser.add_argument("--results_dir", default="assets/results", help="where audit-mnre.json goes")
    args = parser.parse_args(argv)
    splits = load_mnre(args.data_dir, descriptions=args.descriptions, boxes=args.boxes)
    inputs = clean_inputs(splits)
    checksums = mnre_checksums(args.data_dir, descriptions=args.descriptions, boxes=args.boxes)
    if args.legacy:
        inputs += legacy_inputs(splits, read_legacy_crops(args.legacy))
        checksums |= checksums_of(path for files in legacy_files(args.legacy).values() for path in files.values())
    findings = {split: audit(inputs, splits, split) for split in ("validation", "test")}
    print(table(findings["validation"]))
    result = {
        "command": shlex.join(["python", "-m", "train.audit", *argv]),
        "thresholds": {"least_gain": LEAST_GAIN, "most_word_f1": MOST_WORD_F1, "permutations": PERMUTATIONS},
        "data": checksums,
        **code_version(),
        "versions": versions(),
        "findings": findings,
    }
    write_result(Path(args.results_dir) / "audit-mnre.json", result)
    leaking = [finding["name"] for finding in findings["validation"] if finding["leaks"]]
    print(f"\nLeaks: {', '.join(leaking)}." if leaking else "\nNothing leaks.")
    return int(bool(leaking))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
