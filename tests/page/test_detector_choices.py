"""Detectors on offer, the state of their weights, and the fallback to the bundled one."""

import sys
from pathlib import Path

import gradio as gr
import pytest
from PIL import Image
from tiny_detectors import save_tiny_bundled

from page import detector_choices as choices
from page.api import build_extract
from page.detector_choices import OFFERED, default_detector, detector_choices, detector_title, weights_state
from page.extractor import Extractor
from page.request_checks import run_extraction
from vmhan.object_detection import NO_DETECTOR


def test_bundled_detector_is_the_default_as_soon_as_it_is_there(monkeypatch):
    monkeypatch.setattr(choices, "has_weights", lambda name: False)
    assert default_detector(None) == NO_DETECTOR and "missing here" in weights_state("bundled")
    monkeypatch.setattr(choices, "has_weights", lambda name: True)
    assert default_detector(None) == "bundled" and "on this machine" in weights_state("bundled")
    assert default_detector("yolov3u") == "yolov3u"


@pytest.mark.parametrize(
    ("name", "state"),
    [
        (NO_DETECTOR, "No objects are detected"),
        ("yolov3u", "downloaded from ultralytics"),
        ("PekingU/rtdetr_v2_r18vd", "downloaded from the Hub"),
        ("/nowhere/mine.pt", "not at the path"),
    ],
)
def test_state_of_weights_is_described(name, state, monkeypatch, tmp_path):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    assert state in weights_state(name)


def test_a_yolo_without_ultralytics_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "ultralytics", None)
    for weights_are_here in (True, False):
        monkeypatch.setattr(choices, "has_weights", lambda name, here=weights_are_here: here)
        state = weights_state("yolov3u")
        assert "ultralytics, which is not installed" in state and 'pip install -e ".[yolo]"' in state
    assert "downloaded from the Hub" in weights_state("PekingU/rtdetr_v2_r18vd")


def test_programs_are_warned_of_the_bundled_detector_in_place_of_theirs(folder, tmp_path, monkeypatch, caplog):
    monkeypatch.setattr("vmhan.bundled_weights.BUNDLED_FOLDER", Path(save_tiny_bundled(tmp_path / "bundled")))
    monkeypatch.setitem(sys.modules, "ultralytics", None)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    extract, image = build_extract(Extractor(folder, "yolov3u")), Image.new("RGB", (64, 48), "red")
    warning = "YOLOv3 is unavailable now, so the bundled detector is used."
    assert warning in extract("Ada met Bob", image, ["Ada", "Bob"])["warnings"]
    assert warning in caplog.text
    assert extract("Ada met Bob", None, ["Ada", "Bob"])["warnings"] == []


def test_every_offered_detector_has_a_name_for_sentences():
    names = [detector_title(name) for name in OFFERED]
    assert names == ["The bundled detector", "YOLOv3", "YOLO11 nano", "RT-DETR v2"]
    assert detector_title("/home/me/own.pt") == "The detector"


def test_visitors_choose_among_names_and_see_no_path(detector):
    labels = [label for label, _ in detector_choices(detector)]
    assert len(labels) == 6 and not any("/" in label for label in labels)


def test_detector_that_is_unavailable_is_refused_and_its_path_goes_to_the_log(folder, tmp_path, caplog):
    with pytest.raises(gr.Error, match=r"^'The detector is unavailable now\. Choose another, or none\.'$"):
        run_extraction(Extractor(folder), "Ada met Bob", ["Ada", "Bob"], Image.new("RGB", (9, 9)),
                  detector=str(tmp_path / "gone.pt"))  # fmt: skip
    assert "gone.pt" in caplog.text
