"""Pairwise sweeps: few settings in which every two values of different options meet."""

from collections.abc import Callable
from itertools import combinations, product


def pairwise(options: list[list[dict]], possible: Callable[[dict], bool] = lambda settings: True) -> list[dict]:
    """Chooses settings greedily, so that every possible two values of different options meet at least once.

    Args:
        options: The values of each option, as settings.
        possible: Whether settings go together.
    """
    values = [range(len(option)) for option in options]
    missing = {
        frozenset([(a, x), (b, y)])
        for a, b in combinations(range(len(options)), 2)
        for x, y in product(values[a], values[b])
        if possible(options[a][x] | options[b][y])
    }
    rows = []
    while missing:
        row = dict(sorted(min(missing, key=sorted)))
        for option in set(range(len(options))) - row.keys():
            fitting = [value for value in values[option] if possible(_merge(options, {**row, option: value}))]
            row[option] = max(
                fitting, key=lambda value: sum(frozenset([(option, value), item]) in missing for item in row.items())
            )
        missing -= {frozenset(two) for two in combinations(row.items(), 2)}
        rows.append(_merge(options, row))
    return rows


def _merge(options: list[list[dict]], row: dict[int, int]) -> dict:
    return {name: value for option, index in row.items() for name, value in options[option][index].items()}
