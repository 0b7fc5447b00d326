"""Does any side input give the label away?

    python -m train.audit path/to/mnre                                   # what the protocol `clean` sees: must pass
    python -m train.audit path/to/mnre --legacy path/to/legacy_crops     # the field's shared crops too: exit code 1
    python -m train.audit path/to/more --corpus more

Three questions of each input, fitted on train and answered on validation:

(a) Is it a function of what it is said to belong to? Rows that agree in the key must agree in the input. Where each
    key stands in one row only, there is nothing to answer.
(b) Does a look-up table predict the label, relation or "a relation or none?", better than the most frequent label
    does? Once from the mere shape, that is, how much of the input there is and how much of that is not empty, as
    padding and masks are. And once from the whole value.
(c) Do its words? A linear model over words and pairs of words. Honest words about an image may carry honest signal, so
    this fails only where they come near giving the label away, or whether there is a relation.

The thresholds stand below. What no input does, and what these tests cannot see (combinations of inputs, pixels), is
not shown by a pass. `python -m train.audit_results` asks the same of finished runs.
"""

import argparse
import json
import shlex
import sys
from pathlib import Path

import numpy as np
from datasets import DatasetDict
from tqdm.auto import tqdm

from train.audit_questions import PERMUTATIONS, contradictions, lookup, shape, word_scores
from train.legacy_crops import legacy_files, read_legacy_crops
from train.results import code_version, versions, write_result
from train.side_inputs import SideInput, clean_inputs, legacy_inputs
from train.tables import markdown_table
from vmhan.data_images import checksums_of
from vmhan.mnre import load_mnre, mnre_checksums
from vmhan.more import load_more, more_checksums

#: (b): a look-up must beat the majority by so much, and all of the permutations. On MNRE what belongs to an image
#: gains nothing, the shared crop lists 0.37.
LEAST_GAIN = 0.05
#: (c): micro F1 of words alone. On MNRE honest descriptions reach 0.12, the shared phrases 0.85.
MOST_WORD_F1 = 0.7
#: (c): how far above the majority words may tell whether there is a relation. On MNRE honest descriptions stay below
#: it, the shared phrases gain 0.37.
LEAST_WORD_GAIN = 0.15
#: Stems of MNRE's files by their options on the command line, and the inputs that come from each.
OPTIONAL_FILES = {"descriptions": "llavanext", "boxes": "detect"}
FROM_FILES = {"description": "descriptions", "object names": "descriptions", "object boxes": "boxes"}
_NONE = "none"


def audit(inputs: list[SideInput], splits: DatasetDict, read: str = "validation") -> list[dict]:
    """The answers for each input, on the split `read`.

    Returns:
        For each input its `name`, `key`, and the answers (a) `contradictions`, (b) `shape` and `value`, (c) `words`
        (None for an input without words), with `leaks`, the letters of the questions that it fails.
    """
    relations = splits["train"].features["relation"]
    fit, asked = (np.array(splits[split]["relation"]) for split in ("train", read))
    findings = []
    for item in tqdm(inputs, desc="Auditing inputs", delay=2):
        seen, asked_of = item.values["train"], item.values[read]
        finding = {
            "name": item.name,
            "key": list(item.key),
            "of_task": item.of_task,
            "contradictions": contradictions(item, splits[read], asked_of),
            "shape": lookup(list(map(shape, seen)), fit, list(map(shape, asked_of)), asked, relations),
            "value": lookup(list(map(json.dumps, seen)), fit, list(map(json.dumps, asked_of)), asked, relations),
            "words": word_scores(seen, fit, asked_of, asked, relations) if item.in_words else None,
        }
        findings.append({**finding, "leaks": [] if item.of_task else failed_questions(finding)})
    return findings


def failed_questions(finding: dict) -> list[str]:
    """Letters of the questions that a finding fails by the thresholds above."""
    found = [finding[table][label] for table in ("shape", "value") for label in ("relation", "none_or_not")]
    words, majority = finding["words"], finding["shape"]["none_or_not"]["majority"]
    failed = {
        "a": finding["contradictions"]["contradicting"] > 0,
        "b": any(
            part["accuracy"] - part["majority"] >= LEAST_GAIN and part["accuracy"] > part["most_permuted"]
            for part in found
        ),
        "c": words is not None
        and (words["f1"] >= MOST_WORD_F1 or words["none_accuracy"] - majority >= LEAST_WORD_GAIN),
    }
    return [letter for letter, fails in failed.items() if fails]


def thresholds() -> dict[str, float]:
    """What a finding fails by, for result files."""
    return {
        "least_gain": LEAST_GAIN,
        "most_word_f1": MOST_WORD_F1,
        "least_word_gain": LEAST_WORD_GAIN,
        "permutations": PERMUTATIONS,
    }


def thresholds_in_words() -> str:
    """Likewise, to read."""
    return (
        f"An input fails (a) by one contradiction; (b) by a look-up that is {100 * LEAST_GAIN:.0f} points better than "
        f"the most frequent label and better than all of {PERMUTATIONS} permutations; (c) by an F1 of "
        f"{100 * MOST_WORD_F1:.0f}, or by telling whether there is a relation {100 * LEAST_WORD_GAIN:.0f} points "
        "better than the most frequent label."
    )


def table(findings: list[dict]) -> str:
    """The findings as a Markdown table, percent; its last line is what the most frequent label gets."""
    head = ["input", "said to belong to", "(a) contradicting"]
    head += [f"(b) {name}: {label}" for name in ("shape", "value") for label in ("none or not", "relation")]
    head += ["(c) words: none or not", "(c) words: F1", "verdict"]
    lines = [head, ["---"] * len(head)]
    for finding in findings:
        agreed, words = finding["contradictions"], finding["words"]
        looked_up = [finding[name][label] for name in ("shape", "value") for label in ("none_or_not", "relation")]
        lines.append(
            [
                finding["name"],
                belongs_to(finding),
                f"{agreed['contradicting']} of {agreed['repeated_keys']}",
                *(_percent(part["accuracy"]) for part in looked_up),
                *("" if words is None else _percent(words[metric]) for metric in ("none_accuracy", "f1")),
                verdict(finding),
            ]
        )
    if findings:
        majority = [_percent(findings[0]["shape"][label]["majority"]) for label in ("none_or_not", "relation")]
        lines.append(["most frequent label", "", "", *majority, *majority, majority[0], "0.0", ""])
    return markdown_table(lines)


def _percent(share: float) -> str:
    return f"{100 * share:.1f}"


def belongs_to(finding: dict) -> str:
    """What the key of an input stands for."""
    kinds = {"head_span": "pair in its order", "pair": "pair", "tail_object": "tail"}
    return next((kind for column, kind in kinds.items() if column in finding["key"]), "image")


def verdict(finding: dict) -> str:
    """In words."""
    if finding["of_task"]:
        return "given by the task"
    return f"leaks ({', '.join(finding['leaks'])})" if finding["leaks"] else "passes"


def stems_of(args: argparse.Namespace, parser: argparse.ArgumentParser) -> dict[str, str | None]:
    """The stems of the files to audit. Those that were not asked for may be missing, which is said."""
    stems = {}
    for role, usual in OPTIONAL_FILES.items():
        asked = getattr(args, role)
        stem = None if asked == _NONE else asked or usual
        files = [f"{stem}_{split}.json" for split in ("train", "val", "test")]
        missing = [] if stem is None else [name for name in files if not (Path(args.data_dir) / name).is_file()]
        if missing and (asked or len(missing) < len(files)):
            parser.error(f"{args.data_dir} has no {', '.join(missing)}; --{role} none leaves the {role} out.")
        if missing:
            print(f"No {role}: {args.data_dir} has no {', '.join(missing)}, so they are not audited.")
        stems[role] = None if missing else stem
    return stems


def parse(argv: list[str]) -> tuple[argparse.Namespace, dict[str, str | None]]:
    """The arguments, and the stems of MNRE's files."""
    parser = argparse.ArgumentParser(prog="python -m train.audit", description=__doc__.splitlines()[0])
    parser.add_argument("data_dir", help="folder of the files")
    parser.add_argument("--corpus", choices=("mnre", "more"), default="mnre", help="what they hold")
    for role, usual in OPTIONAL_FILES.items():
        told = f"stem of the files of {role}, or none; by default {usual}, if they are there"
        parser.add_argument(f"--{role}", help=told)
    parser.add_argument("--no_relation", help="label of pairs without a relation, if it has none of the usual names")
    parser.add_argument("--legacy", help="folder of the shared per-row crop lists and phrases")
    parser.add_argument("--results_dir", default="assets/results", help="where audit-<corpus>.json goes")
    args = parser.parse_args(argv)
    if args.corpus == "more" and (args.legacy or args.descriptions or args.boxes):
        parser.error("--legacy, --descriptions and --boxes are of MNRE; leave them out with --corpus more.")
    return args, stems_of(args, parser) if args.corpus == "mnre" else {}


def read_inputs(
    args: argparse.Namespace, stems: dict[str, str | None]
) -> tuple[DatasetDict, list[SideInput], dict[str, str]]:
    """The rows, what there is to audit of them, and the checksums of the files."""
    if args.corpus == "more":
        splits = load_more(args.data_dir, no_relation=args.no_relation)
        return splits, clean_inputs(splits), more_checksums(args.data_dir)
    splits = load_mnre(args.data_dir, **stems, no_relation=args.no_relation)
    absent = {name for name, role in FROM_FILES.items() if stems[role] is None}
    inputs = [item for item in clean_inputs(splits) if item.name not in absent]
    checksums = mnre_checksums(args.data_dir, **stems)
    if args.legacy:
        inputs += legacy_inputs(splits, read_legacy_crops(args.legacy))
        checksums |= checksums_of(path for files in legacy_files(args.legacy).values() for path in files.values())
    return splits, inputs, checksums


def main(argv: list[str]) -> int:
    """Audits, prints a table, writes a result file; returns the exit code."""
    args, stems = parse(argv)
    splits, inputs, checksums = read_inputs(args, stems)
    findings = {split: audit(inputs, splits, split) for split in ("validation", "test")}
    print(f"{table(findings['validation'])}\n\n{thresholds_in_words()}")
    result = {
        "command": shlex.join(["python", "-m", "train.audit", *argv]),
        "thresholds": thresholds(),
        "data": checksums,
        **code_version(),
        "versions": versions(),
        "findings": findings,
    }
    write_result(Path(args.results_dir) / f"audit-{args.corpus}.json", result)
    leaking = [finding["name"] for finding in findings["validation"] if finding["leaks"]]
    print(f"\nLeaks: {', '.join(leaking)}." if leaking else "\nNothing leaks.")
    return int(bool(leaking))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
