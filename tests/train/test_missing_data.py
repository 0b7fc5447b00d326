"""Missing data are a usage error of one line, before anything is loaded."""

import subprocess
import sys
from pathlib import Path

import pytest

from train import audit, run, search, uncertainty
from train.data import overlap
from train.detector import run as detector_run
from train.settings_parser import SettingsError

ROOT = Path(__file__).resolve().parents[2]
MINI = str(ROOT / "train/configs/mnre/mini.yaml")
DETECTOR = str(ROOT / "train/configs/detector.yaml")
TEXT_MODEL = ("--text_model", "nobody/nothing")  # whatever loads it fails otherwise


@pytest.mark.parametrize(
    ("main", "arguments", "why"),
    [
        (run.main, [MINI, *TEXT_MODEL], "data/mnre/mnre_train.txt .* is missing"),
        (run.main, [MINI, *TEXT_MODEL, "--data_dir", "none"], "Name the data: --data_dir"),
        (run.main, [MINI, *TEXT_MODEL, "--data_dir", "/nowhere"], "/nowhere/mnre_train.txt .* is missing"),
        (search.main, [MINI, *TEXT_MODEL, "--data_dir", "/nowhere", "--storage", "sqlite:///s.db"], "is missing"),
        (audit.main, ["/nowhere"], "/nowhere/mnre_train.txt .* is missing"),
        (audit.main, ["/nowhere", "--corpus", "more"], "/nowhere/txt/train.txt is missing"),
        (overlap.main, ["/nowhere"], "is missing"),
        (uncertainty.main, ["--data_dir", "/nowhere"], "is missing"),
        (detector_run.main, [DETECTOR, "--data_dir", "/nowhere"], r"has no train-\*\.parquet; set --data_dir"),
    ],
)
def test_missing_data_are_found_first(main, arguments, why, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SettingsError, match=why):
        main(arguments)
    assert list(tmp_path.iterdir()) == []


def test_files_beside_the_rows_are_missed_first_too(tmp_path):
    for split in ("train", "val", "test"):
        (tmp_path / f"mnre_{split}.txt").touch()
    settings = [MINI, *TEXT_MODEL, "--data_dir", str(tmp_path)]
    with pytest.raises(SettingsError, match=r"llavanext_train\.json \(descriptions of train\) is missing"):
        run.main(settings)
    with pytest.raises(SettingsError, match="gone is not a folder"):
        more = ["--visual_setting", "pixels", "--vision_model", "vgg16", "--visual_features", "pixels"]
        run.main([*settings, *more, "--descriptions", "none", "--boxes", "none", "--image_dir", "gone"])


@pytest.mark.slow
@pytest.mark.parametrize("command", [f"train/run.py {MINI}", "-m train.audit /nowhere"])
def test_commands_end_in_one_line(command):
    done = subprocess.run([sys.executable, *command.split()], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and "error: " in done.stderr
