"""Audits whether any side input of a data set leaks the label.

    python -m train.audit path/to/mnre                                   # the protocol `clean`: must pass
    python -m train.audit path/to/mnre --legacy path/to/legacy_crops     # the field's shared crops too: exit code 1
    python -m train.audit path/to/more --corpus more

Tests and thresholds are defined in `vmhan/evaluation/audit.py`. `python -m train.audit_results` audits finished runs.
"""

import argparse
import shlex
import sys
from pathlib import Path

from datasets import DatasetDict

from train.data.legacy_crops import legacy_files, read_legacy_crops
from train.data.rows import check_files
from train.data.side_inputs import clean_inputs, legacy_inputs
from train.settings_parser import usage_errors
from vmhan.data.images import checksums_of
from vmhan.data.mnre import load_mnre, mnre_checksums
from vmhan.data.more import load_more, more_checksums
from vmhan.evaluation.audit import audit, table, thresholds, thresholds_in_words
from vmhan.evaluation.leakage_tests import SideInput
from vmhan.evaluation.result_file import code_version, versions, write_result

#: Stems of MNRE's files by their options on the command line, and the inputs that come from each.
OPTIONAL_FILES = {"descriptions": "llavanext", "boxes": "detect"}
FROM_FILES = {"description": "descriptions", "object names": "descriptions", "object boxes": "boxes"}
_NONE = "none"


def stems_of(args: argparse.Namespace, parser: argparse.ArgumentParser) -> dict[str, str | None]:
    """Finds the stems of the files to audit. Those that no option names may be missing, which is printed."""
    stems = {}
    for role, usual in OPTIONAL_FILES.items():
        named = getattr(args, role)
        stem = None if named == _NONE else named or usual
        files = [f"{stem}_{split}.json" for split in ("train", "val", "test")]
        missing = [] if stem is None else [name for name in files if not (Path(args.data_dir) / name).is_file()]
        if missing and (named or len(missing) < len(files)):
            parser.error(f"{args.data_dir} has no {', '.join(missing)}; --{role} none leaves the {role} out.")
        if missing:
            print(f"No {role}: {args.data_dir} has no {', '.join(missing)}, so they are not audited.")
        stems[role] = None if missing else stem
    return stems


def parse(argv: list[str]) -> tuple[argparse.Namespace, dict[str, str | None]]:
    """Reads the options, and finds the stems of MNRE's files."""
    parser = argparse.ArgumentParser(prog="python -m train.audit", description=__doc__.splitlines()[0])
    parser.add_argument("data_dir", help="folder of the files")
    parser.add_argument("--corpus", choices=("mnre", "more"), default="mnre", help="what they hold")
    for role, usual in OPTIONAL_FILES.items():
        text = f"stem of the files of {role}, or none; by default {usual}, if they are there"
        parser.add_argument(f"--{role}", help=text)
    parser.add_argument("--no_relation", help="label of pairs without a relation, if it has none of the usual names")
    parser.add_argument("--legacy", help="folder of the shared per-row crop lists and phrases")
    parser.add_argument("--results_dir", default="assets/results", help="where audit-<corpus>.json goes")
    args = parser.parse_args(argv)
    if args.corpus == "more" and (args.legacy or args.descriptions or args.boxes):
        parser.error("--legacy, --descriptions and --boxes are of MNRE; leave them out with --corpus more.")
    check_files(args.corpus, args.data_dir)
    return args, stems_of(args, parser) if args.corpus == "mnre" else {}


def read_inputs(
    args: argparse.Namespace, stems: dict[str, str | None]
) -> tuple[DatasetDict, list[SideInput], dict[str, str]]:
    """Reads the rows, lists the side inputs to audit, and computes the checksums of the files."""
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
    with usage_errors("train.audit"):
        sys.exit(main(sys.argv[1:]))
