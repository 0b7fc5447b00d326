"""Imports of the package, in a process of its own: what they bring along, and what they leave out."""

import json
import os
import subprocess
import sys

import pytest
from tiny import save_tiny_checkpoint
from transformers import pipeline

from vmhan.registrations import TASK

REQUEST = {"text": "Ada met Bob in Paris", "entities": ["Ada", "Bob", "Paris"]}
BROKEN = ["no image", "\xff\xd8\xff broken", "\x89PNG broken"]

CODE = """
import importlib.util, json, sys

folder, task, request, broken = json.loads(sys.argv[1])
seen = {}

import vmhan.bundled_detector, vmhan.detectors.loading, vmhan.llm.loading
seen["modules"] = sorted({name.split(".")[0] for name in sys.modules})

from transformers import pipeline
seen["relations"] = [pair["relation"] for pair in pipeline(task, model=folder)(request)["pairs"]]

if importlib.util.find_spec("ultralytics"):  # it replaces Pillow's opener, to install a package if a file is broken
    from PIL import Image
    import ultralytics.utils.checks as checks
    from ultralytics.utils import patches
    from vmhan.image_inputs import load_image_input
    seen["replaced"] = Image.open is patches.image_open
    seen["installed"], seen["errors"] = [], []
    checks.check_requirements = lambda *names, **settings: seen["installed"].append(names)
    for content in broken:
        try:
            load_image_input(content.encode("latin-1"))
        except ValueError as error:
            seen["errors"].append(str(error))
print(json.dumps(seen))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> str:
    return save_tiny_checkpoint(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="module")
def process(folder) -> dict:
    """What a process that imports the package, uses it and then imports ultralytics sees."""
    arguments = json.dumps([folder, TASK, REQUEST, BROKEN])
    environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
    command = [sys.executable, "-c", CODE, arguments]
    finished = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300)
    assert finished.returncode == 0, finished.stderr
    return json.loads(finished.stdout.splitlines()[-1])


@pytest.mark.parametrize("name", ["ultralytics", "pycocotools", "gradio", "train", "page", "hub"])
def test_importing_vmhan_does_not_import(process, name):
    assert name not in process["modules"]


def test_a_process_that_only_imports_the_package_can_use_it(process, folder):
    assert process["relations"] == [pair["relation"] for pair in pipeline(TASK, model=folder)(REQUEST)["pairs"]]


def test_a_broken_file_installs_nothing_with_ultralytics(process):
    pytest.importorskip("ultralytics")
    assert process["replaced"] and process["installed"] == []
    assert len(process["errors"]) == 3 and all("its format is not recognized" in error for error in process["errors"])
