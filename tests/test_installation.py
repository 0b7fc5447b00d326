"""What the core installs is enough for the package, and what needs an extra names it."""

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from vmhan.detectors import yolo

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

#: What is run where only the core's dependencies are installed, and the extra that its message has to name.
NEEDS_AN_EXTRA = {
    "import vmhan.data": "vmhan[train]",
    "import vmhan.evaluation": "vmhan[train]",
    "import train.run": "[train]",
    "import app": "[demo]",
    "from vmhan.detectors.loading import load_detector; load_detector('no-yolov3u.pt')": "vmhan[yolo]",
}

CODE = """
import json, os, sys
dependencies, statements = json.loads(sys.argv[1])
from run_as_a_space import fresh_environment, hide_all_but
hide_all_but(fresh_environment(dependencies))

from transformers import pipeline
import vmhan.detectors.loading, vmhan.llm.loading, vmhan.visualization.boxes, vmhan.visualization.hypergraph_svg
extract = pipeline(vmhan.TASK)
request = {"text": "Ada met Bob in Paris", "entities": ["Ada", "Bob", "Paris"]}
pairs = len(extract(request, hypergraph=True)["pairs"])
open("no-yolov3u.pt", "wb").close()
messages = []
for statement in statements:
    try:
        exec(statement)
        messages.append("nothing")
    except (ImportError, OSError, SystemExit) as error:
        messages.append(str(error))
print(json.dumps([pairs, messages]))
"""


@pytest.fixture(scope="module")
def core(tmp_path_factory) -> tuple[int, list[str]]:
    """What a process answers that sees the core's dependencies alone."""
    for name in ("vmhan", "train", "page", "app.py"):
        folder = tmp_path_factory.getbasetemp() / "core"
        folder.mkdir(exist_ok=True)
        (folder / name).symlink_to(ROOT / name)
    arguments = json.dumps([PROJECT["dependencies"], list(NEEDS_AN_EXTRA)])
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "tests")}
    command = [sys.executable, "-c", CODE, arguments]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_the_core_answers_without_any_extra(core):
    assert core[0] == 3


@pytest.mark.parametrize("statement", NEEDS_AN_EXTRA)
def test_what_needs_an_extra_names_it(core, statement):
    message = dict(zip(NEEDS_AN_EXTRA, core[1], strict=True))[statement]
    assert "pip install" in message and NEEDS_AN_EXTRA[statement] in message


def test_package_and_extra_ask_for_the_same_ultralytics():
    (stated,) = PROJECT["optional-dependencies"]["yolo"]
    assert Requirement(stated) == Requirement(yolo._REQUIREMENT)


def test_constraints_lie_within_the_bounds():
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    versions = {Requirement(line).name: line.split("==")[1] for line in lines if not line.startswith("#")}
    extras = PROJECT["optional-dependencies"]
    bounds = [Requirement(line) for line in (*PROJECT["dependencies"], *extras["train"], *extras["yolo"])]
    assert {bound.name for bound in bounds} <= versions.keys()
    assert all(bound.specifier.contains(versions[bound.name]) for bound in bounds)
