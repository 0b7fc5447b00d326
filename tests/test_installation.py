"""What the core installs is enough for the package, and what needs an extra names it."""

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from vmhan.cli.extras import EXTRAS
from vmhan.detectors import yolo

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

#: What is run where only the core's dependencies are installed, and the extra that its message has to name.
NEEDS_AN_EXTRA = {
    "import vmhan.data": '"vmhan[train]"',
    "import vmhan.evaluation": '"vmhan[train]"',
    "import train.run": '-e ".[train]" in a clone',
    "import hub.push": '-e ".[train]" in a clone',
    "import app": '-e ".[demo]" in a clone',
    "from vmhan.detectors.loading import load_detector; load_detector('no-yolov3u.pt')": '"vmhan[yolo]"',
}
#: Command lines, each in a form that it may be started in.
COMMANDS = {
    "-m train.audit /nowhere": "train",
    "-m train.benchmark": "train",
    "-m train.report --help": "train",
    "-m train.search --help": "search",
    "-m train.detector.run --help": "detector",
    "-m hub.push folder user/name": "train",
    "-m hub.space user/name": "demo",
    "-m vmhan.evaluation.bootstrap --help": "train",
    "-m vmhan.evaluation.consistency": "train",
    "train/run.py --help": "train",
    "train/detector/run.py": "detector",
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


#: Hides what extras install from every process that has the file on its path.
HIDE = """
import sys
sys.modules.update(dict.fromkeys({names!r}))
"""


@pytest.fixture(scope="module")
def core(tmp_path_factory) -> tuple[int, list[str]]:
    """What a process answers that sees the core's dependencies alone."""
    for name in ("vmhan", "train", "hub", "page", "app.py"):
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


@pytest.fixture(scope="module")
def without_extras(tmp_path_factory) -> str:
    """A folder that hides the modules of all extras where it is on the path."""
    folder = tmp_path_factory.mktemp("without")
    names = {name for modules in EXTRAS.values() for name in modules} - {"tqdm", "yaml", "filelock"}  # of the core too
    (folder / "sitecustomize.py").write_text(HIDE.format(names=sorted(names)), encoding="utf-8")
    return str(folder)


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_names_its_extra_in_one_line(command, without_extras):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([without_extras, str(ROOT)])}
    started = [sys.executable, *command.split()]
    done = subprocess.run(started, cwd=ROOT, env=environment, capture_output=True, text=True)
    name = command.removeprefix("-m ").split()[0].removesuffix(".py").replace("/", ".")
    assert done.returncode == 1 and re.fullmatch(rf"{re.escape(name)} needs [\w, ]+: pip install .*\n", done.stderr)
    assert f"[{COMMANDS[command]}]" in done.stderr


def test_each_extra_is_checked_for_all_that_it_installs():
    modules = {"pyyaml": "yaml", "scikit-learn": "sklearn"}
    for extra, checked in EXTRAS.items():
        stated = [Requirement(line) for line in PROJECT["optional-dependencies"][extra]]
        installed = {modules.get(each.name, each.name) for each in stated if each.name != "vmhan"}
        brought = set(EXTRAS["train"]) if "vmhan" in {each.name for each in stated} else set()
        assert set(checked) == installed | brought


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
