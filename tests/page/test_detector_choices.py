"""Detectors on offer, the state of their weights, and the fallback to the bundled one."""

import gradio as gr
import pytest
from PIL import Image

from page import detector_choices as choices
from page.detector_choices import default_detector, detector_choices, weights_state
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


def test_visitors_choose_among_names_and_see_no_path(detector):
    labels = [label for label, _ in detector_choices(detector)]
    assert len(labels) == 6 and not any("/" in label for label in labels)


def test_detector_that_is_unavailable_is_refused_and_its_path_goes_to_the_log(folder, tmp_path, caplog):
    with pytest.raises(gr.Error, match=r"^'The detector is unavailable now\. Choose another, or none\.'$"):
        run_extraction(Extractor(folder), "Ada met Bob", ["Ada", "Bob"], Image.new("RGB", (9, 9)),
                  detector=str(tmp_path / "gone.pt"))  # fmt: skip
    assert "gone.pt" in caplog.text
