"""The wheel: what it holds, and that it answers from an empty environment, in any folder, without a network."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest
from matplotlib.cbook import get_sample_data

ROOT = Path(__file__).resolve().parents[1]
SOURCES = ("vmhan", "pyproject.toml", "README.md", "LICENSE")
MOST_BYTES = 60_000_000  # the weights are 52 MB of it, and the registry takes 100 MB at most

ANSWER = """
import json, socket

def refuse(*address):
    raise OSError("no network here")

socket.socket.connect = socket.create_connection = socket.getaddrinfo = refuse

import vmhan
from transformers import pipeline

extract = pipeline("multimodal-relation-extraction")
request = {"text": "Grace Hopper served in the US Navy", "entities": ["Grace Hopper", "US Navy"]}
print(json.dumps({
    "file": vmhan.__file__,
    "model": extract.model.name_or_path,
    "without_image": extract(request),
    "with_image": extract({**request, "image": "photo.jpg"}),
}, default=str))
"""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """The wheel of this repository, built from a copy, so that nothing is left in it and nothing stale gets in."""
    copy, folder = tmp_path_factory.mktemp("copy"), tmp_path_factory.mktemp("dist")
    for name in SOURCES:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, copy / name)
    run_pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(copy))
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def python(wheel, tmp_path_factory) -> Path:
    """The interpreter of an environment that holds the wheel; its dependencies are those installed here."""
    folder = tmp_path_factory.mktemp("empty")
    venv.create(folder, with_pip=False)
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    installed = sysconfig.get_path("purelib", vars={"base": str(folder)})
    run_pip("--python", str(python), "install", "--no-deps", "--no-index", str(wheel))
    Path(installed, "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    return python


def run_pip(*arguments: str) -> None:
    """Runs pip; shows what it says if it fails."""
    done = subprocess.run([sys.executable, "-m", "pip", *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def run_outside(python: Path, code: str, folder: Path) -> str:
    """Runs code in another folder; returns what it prints."""
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV", "VMHAN"))
    }
    environment |= {"HF_HOME": str(folder / "cache"), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run([python, "-c", code], cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_wheel_holds_the_package_with_its_data_and_nothing_else(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    tops = {name.split("/")[0] for name in names}
    assert tops == {"vmhan", f"{wheel.name.rsplit('-', 3)[0]}.dist-info"}
    data = {path.relative_to(ROOT).as_posix() for path in (ROOT / "vmhan").rglob("*") if path.is_file()}
    data = {name for name in data if "__pycache__" not in name}
    assert data == {name for name in names if name.startswith("vmhan/")}
    assert {"vmhan/py.typed", "vmhan/weights/detector/model.safetensors"} <= data


def test_wheel_is_small_enough_to_be_published(wheel):
    assert wheel.stat().st_size < MOST_BYTES


def test_wheel_answers_in_any_folder_without_a_network(python, tmp_path):
    shutil.copy(get_sample_data("grace_hopper.jpg", asfileobj=False), tmp_path / "photo.jpg")
    answer = json.loads(run_outside(python, ANSWER, tmp_path).splitlines()[-1])
    environment = python.parents[1]
    assert Path(answer["file"]).is_relative_to(environment) and Path(answer["model"]).is_relative_to(environment)
    for each in (answer["without_image"], answer["with_image"]):
        (pair,) = each["pairs"]
        assert (pair["head"]["text"], pair["tail"]["text"]) == ("Grace Hopper", "US Navy") and 0 < pair["score"] <= 1
    assert not answer["without_image"].get("objects")
    assert "person" in {found["label"] for found in answer["with_image"]["objects"]}


def test_version_is_stated_once(python, tmp_path):
    code = "from importlib.metadata import version; import vmhan; print(version('vmhan'), vmhan.__version__)"
    stated, known = run_outside(python, code, tmp_path).split()
    assert stated == known
