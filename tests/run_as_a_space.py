"""Runs `app.py` of the current folder as a Space would, in a process of its own.

Of this repository nothing can be imported, and of the packages here only those that a fresh environment would get for
the Space's requirements and Gradio.
"""

import runpy
import sys
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

HERE = Path(__file__).resolve().parent
ITS_OWN = "vmhan"  # comes as files of the Space


def fresh_environment(lines: list[str]) -> set[str]:
    """Names of the distributions that these requirements bring along."""
    waiting, seen = [Requirement(line) for line in lines], set()
    while waiting:
        wanted = waiting.pop()
        if (wanted.name, *sorted(wanted.extras)) in seen:
            continue
        seen.add((wanted.name, *sorted(wanted.extras)))
        try:
            needed = [Requirement(line) for line in requires(wanted.name) or ()]
        except PackageNotFoundError:  # needed only elsewhere
            continue
        extras = wanted.extras or {""}
        waiting += [
            each
            for each in needed
            if each.marker is None or any(each.marker.evaluate({"extra": extra}) for extra in extras)
        ]
    return {canonicalize_name(name) for name, *_ in seen}


def hide_all_but(distributions: set[str]) -> None:
    """Lets nothing be imported that none of these distributions holds."""
    for module, holders in packages_distributions().items():
        if module != ITS_OWN and not distributions & {canonicalize_name(name) for name in holders}:
            sys.modules[module] = None
    sys.meta_path[:] = [finder for finder in sys.meta_path if "editable" not in repr(finder).lower()]
    hidden = {str(HERE), str(HERE.parent)}
    sys.path[:] = ["", *(path for path in sys.path if path not in hidden and "editable" not in path)]


if __name__ == "__main__":
    hide_all_but(fresh_environment(["gradio", *Path("requirements.txt").read_text().splitlines()]))
    import vmhan

    print("vmhan from", vmhan.__file__, flush=True)
    sys.argv = ["app.py"]
    runpy.run_path("app.py", run_name="__main__")
