"""The model, detectors and describers of the page: loaded once; unavailable ones are reported and tried again."""

import time
from importlib import import_module
from pathlib import Path

import gradio as gr
import pytest
from PIL import Image
from tiny import save_tiny_checkpoint
from tiny_detectors import save_tiny_blip

from page.extractor import Extractor
from page.request_checks import run_extraction
from vmhan.object_detection import NO_DETECTOR

REQUEST = "Zinedine Zidane met Ada in New York", ["Zinedine Zidane", "Ada", "New York"]


def test_folder_without_weights_is_named_in_the_log_only_and_tried_again(tmp_path, caplog):
    extractor = Extractor(tmp_path)
    with pytest.raises(gr.Error, match="weights are missing or damaged") as told:
        run_extraction(extractor, "Ada met Bob", ["Ada", "Bob"])
    assert f'No model weights (*.safetensors) in "{tmp_path}"' in caplog.text
    assert str(tmp_path) not in told.value.message
    save_tiny_checkpoint(tmp_path)
    assert len(run_extraction(extractor, "Ada met Bob", ["Ada", "Bob"])["pairs"]) == 1


@pytest.mark.parametrize("kept", [1000, 0])
def test_damaged_weights_are_reported_and_tried_again(tmp_path, kept, caplog):
    weights = Path(save_tiny_checkpoint(tmp_path)) / "model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[:kept] or b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 47\n")
    extractor = Extractor(tmp_path)
    with pytest.raises(gr.Error, match="weights are missing or damaged"):
        run_extraction(extractor, "Ada met Bob", ["Ada", "Bob"])
    assert "damaged, or a pointer of Git LFS" in caplog.text
    weights.write_bytes(whole)
    assert len(run_extraction(extractor, "Ada met Bob", ["Ada", "Bob"])["pairs"]) == 1


def test_detector_of_a_folder_finds_objects_once_for_each_image(folder, detector):
    extractor = Extractor(folder, detector)
    image = Image.new("RGB", (64, 48), "red")
    extractor.get_detector(detector).threshold = 0.0  # random weights are sure of nothing
    detect, calls = extractor.get_detector(detector).detect, []
    extractor.get_detector(detector).detect = lambda images: calls.append(len(images)) or detect(images)
    answers = [run_extraction(extractor, "Ada met Bob", ["Ada", "Bob"], image.copy()) for _ in range(2)]
    assert answers[0]["objects"] == answers[1]["objects"] and answers[0]["objects"][0]["box"]
    assert answers[0]["description"] == extractor.describe(image, detector)
    assert calls == [1]


def test_describer_describes(folder, tmp_path):
    extractor = Extractor(folder, describer=save_tiny_blip(tmp_path))
    image = Image.new("RGB", (64, 48), "red")
    words = extractor.describe(image, NO_DETECTOR)
    answer = run_extraction(extractor, "Ada met Bob", ["Ada", "Bob"], image, detector=NO_DETECTOR)
    assert answer["description"] == (words or None)


def test_nothing_is_detected_without_an_image(folder):
    extractor = Extractor(folder, "nobody/nothing")
    assert run_extraction(extractor, "Ada met Bob", ["Ada", "Bob"])["objects"] == []


def count_calls(monkeypatch, name: str) -> list:
    """Notes every call of a function, which is named with its module."""
    module, function = name.rsplit(".", 1)
    calls, called = [], getattr(import_module(module), function)
    monkeypatch.setattr(name, lambda *values, **named: calls.append(values) or called(*values, **named))
    return calls


def test_bundled_model_is_loaded_once_and_answers_within_two_seconds(bundled_detector, monkeypatch, capsys):
    """With its detector, and an image that it has not seen, each time. The quickest of five, for a busy machine."""
    models = count_calls(monkeypatch, "transformers.pipeline")
    found = count_calls(monkeypatch, "vmhan.detectors.loading.load_detector")
    extractor, times = Extractor(), []
    for shade in range(6):
        image = Image.new("RGB", (640, 480), (40 * shade, 128, 0))
        start = time.perf_counter()
        answer = run_extraction(extractor, *REQUEST, image, "A lawn.")
        times.append(time.perf_counter() - start)
        assert len(answer["pairs"]) == 3
    with capsys.disabled():
        print(f"\n640x480, three entities: first {times[0]:.2f} s with loading, then {min(times[1:]):.3f} s")
    assert len(models) == len(found) == 1, "what was loaded stays"
    assert min(times[1:]) < 2
