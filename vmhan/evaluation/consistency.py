"""Checks whether the rows of the paper's tables and our own result files can be true.

    python -m vmhan.evaluation.consistency            # the paper's tables, and our own result files

How rows are bounded: `vmhan.evaluation.reported_rows`. Print has the direction of pairs given. For MORE the sizes of
the split are not known here, so each row is checked for the shares of related pairs with which it is possible.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

from vmhan.evaluation.paper_tables import (
    ABLATIONS_MNRE,
    ABLATIONS_MORE,
    GAINS_MNRE,
    GAINS_MORE,
    MAIN_MNRE,
    MAIN_MORE,
)
from vmhan.evaluation.reported_rows import SHARES, f1_faults, false_gains, faults, one_run_faults, positive_shares
from vmhan.evaluation.result_checks import own_faults
from vmhan.evaluation.result_file import ROOT

#: Rows of MNRE's test split with a relation, and without.
MNRE_TEST = (640, 974)
RESULTS = ROOT / "assets" / "results"


def main(results: Path = RESULTS) -> int:
    """Prints what cannot be true; returns the exit code, 1 if that concerns a result of our own."""
    _print_mnre()
    _print_more()
    for name, rows, gains in (("MNRE", MAIN_MNRE, GAINS_MNRE), ("MORE", MAIN_MORE, GAINS_MORE)):
        print(f"\nArrows of Table 1, {name}: {'; '.join(false_gains(rows, gains)) or 'as the table says'}")
    print("\nOur result files")
    ours = dict(own_faults(results))
    for name, found in ours.items():
        print(f"  {name}: {'; '.join(found) or 'possible'}")
    return int(any(ours.values()))


def _print_mnre() -> None:
    for title, rows in (("Table 1", MAIN_MNRE), ("Table 2", ABLATIONS_MNRE)):
        print(f"\n{title}, MNRE")
        for row in rows:
            found = faults(row, *MNRE_TEST)
            alone = one_run_faults(row, *MNRE_TEST)
            single = f" (no single run: {'; '.join(alone)})" if alone else ""
            print(f"  {row.name}: {'; '.join(found) or 'possible'}{single}")


def _print_more() -> None:
    possible = np.ones(len(SHARES), dtype=bool)
    for title, rows in (("Table 1", MAIN_MORE), ("Table 2", ABLATIONS_MORE)):
        print(f"\n{title}, MORE")
        for row in rows:
            shares = positive_shares(row)
            possible &= shares
            found = [*f1_faults(row), f"possible if {_interval(shares)} of the pairs hold a relation"]
            print(f"  {row.name}: {'; '.join(found)}")
    print(f"  all of them at once: {_interval(possible)}")


def _interval(shares: np.ndarray) -> str:
    if not shares.any():
        return "no share"
    return f"{100 * SHARES[shares].min():.1f} to {100 * SHARES[shares].max():.1f} %"


if __name__ == "__main__":
    argparse.ArgumentParser(
        prog="python -m vmhan.evaluation.consistency",
        description="Checks whether the rows of the paper's tables and our own result files can be true.",
    ).parse_args()
    sys.exit(main())
