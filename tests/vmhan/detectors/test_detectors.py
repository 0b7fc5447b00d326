"""Detectors by name, with real tiny networks of ultralytics and transformers; nothing is downloaded."""

import os
from pathlib import Path

import pytest
import torch
from PIL import Image, ImageDraw
from tiny_detectors import KINDS, save_tiny_bundled, save_tiny_rt_detr, save_tiny_yolo

from vmhan.bundled_detector import BundledDetector
from vmhan.bundled_weights import bundled_detector_of
from vmhan.detectors import loading as detectors
from vmhan.detectors.huggingface import TransformersDetector
from vmhan.detectors.loading import load_detector
from vmhan.detectors.yolo import UltralyticsDetector
from vmhan.object_detection import DetectorUnavailable


@pytest.fixture(scope="module")
def image() -> Image.Image:
    image = Image.new("RGB", (90, 60), "white")
    ImageDraw.Draw(image).ellipse((20, 10, 60, 50), fill="red")
    return image


@pytest.fixture(scope="module")
def rt_detr(tmp_path_factory) -> str:
    return save_tiny_rt_detr(tmp_path_factory.mktemp("rt_detr"))


@pytest.fixture(scope="module")
def yolo(tmp_path_factory) -> str:
    pytest.importorskip("ultralytics")
    return save_tiny_yolo(tmp_path_factory.mktemp("yolo") / "random.pt", bias=-1.0)


def check_boxes(objects, image):
    assert objects
    assert [item.score for item in objects] == sorted((item.score for item in objects), reverse=True)
    for x0, y0, x1, y1 in (item.box for item in objects):
        assert 0 <= x0 < x1 <= image.width
        assert 0 <= y0 < y1 <= image.height


def test_a_folder_of_transformers_is_a_detector(rt_detr, image):
    detector = load_detector(rt_detr, threshold=0.0)
    assert isinstance(detector, TransformersDetector)
    wide, tall = detector.detect([image, image.rotate(90, expand=True)])
    check_boxes(wide, image)
    check_boxes(tall, image.rotate(90, expand=True))
    assert {item.label for item in wide} <= set(KINDS.values())


def test_a_batch_finds_what_single_images_show(rt_detr, image):
    detector = TransformersDetector(rt_detr, threshold=0.0)
    small = image.resize((30, 20))
    together, alone = detector.detect([image, small]), [*detector.detect([image]), *detector.detect([small])]
    for ours, theirs in zip(together, alone, strict=True):
        assert [item.label for item in ours] == [item.label for item in theirs]
        torch.testing.assert_close([item.box for item in ours], [item.box for item in theirs], rtol=0, atol=1e-2)


def test_a_threshold_leaves_out_the_unsure(rt_detr, image):
    (everything,) = TransformersDetector(rt_detr, threshold=0.0).detect([image])
    limit = everything[3].score
    (surer,) = TransformersDetector(rt_detr, threshold=limit).detect([image])
    assert [item.score for item in surer] == [item.score for item in everything if item.score > limit]


def test_a_file_of_yolo_weights_is_a_detector(yolo, image):
    detector = load_detector(yolo)
    assert isinstance(detector, UltralyticsDetector)
    found, of_small = detector.detect([image, image.resize((30, 20))])
    check_boxes(found, image)
    check_boxes(of_small, image.resize((30, 20)))
    assert all(item.score >= 0.25 for item in found)


def test_no_images_give_no_objects(rt_detr, yolo):
    assert load_detector(rt_detr).detect([]) == []
    assert load_detector(yolo).detect([]) == []


def test_weights_that_are_more_than_weights_are_refused(tmp_path):
    pytest.importorskip("ultralytics")
    path = tmp_path / "stranger.pt"
    torch.save({"model": os.system}, path)
    with pytest.raises(ValueError, match=r"stranger\.pt.* holds more"):
        load_detector(path)


def test_a_damaged_weights_file_is_named(yolo, tmp_path):
    path = tmp_path / "half.pt"
    with open(yolo, "rb") as whole:
        path.write_bytes(whole.read(10_000))
    with pytest.raises(ValueError, match=r"half\.pt"):
        load_detector(path)


def test_weights_that_cannot_be_fetched_say_what_to_do(tmp_path, monkeypatch):
    pytest.importorskip("ultralytics")
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")  # nobody listens there
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    with pytest.raises(DetectorUnavailable, match=r"'yolov3u' is not at .* could not be fetched .* Put the file"):
        load_detector("yolov3u")


def test_weights_in_the_cache_are_found_by_name(yolo, tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    os.link(yolo, folder / "yolov3u.pt")
    assert isinstance(load_detector("yolov3u"), UltralyticsDetector)


def test_a_missing_path_is_not_fetched(tmp_path):
    pytest.importorskip("ultralytics")
    with pytest.raises(DetectorUnavailable, match="do not exist"):
        load_detector(tmp_path / "yolov3u.pt")


def test_a_model_that_the_hub_does_not_give_is_named(tmp_path):
    with pytest.raises(DetectorUnavailable, match="'nobody/nothing' is neither a local folder nor"):
        load_detector("nobody/nothing")


def test_an_unknown_name_is_refused_with_examples():
    with pytest.raises(ValueError, match=r"no detector 'eyes'.*yolov3u"):
        load_detector("eyes")


@pytest.fixture
def own(tmp_path) -> str:
    return save_tiny_bundled(tmp_path / "own")


def test_a_folder_of_our_own_is_a_detector(own, image):
    detector = load_detector(own)
    assert isinstance(detector, BundledDetector)
    check_boxes(detector.detect([image])[0], image)


def test_a_folder_of_transformers_may_be_called_like_a_yolo(rt_detr, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    os.symlink(rt_detr, "yolo-like")
    assert isinstance(load_detector("yolo-like"), TransformersDetector)


def test_the_bundled_detector_loads_by_name(own, monkeypatch):
    monkeypatch.setattr("vmhan.bundled_weights.BUNDLED_FOLDER", Path(own))
    assert isinstance(load_detector("bundled"), BundledDetector)


@pytest.mark.parametrize("lost", ["config.json", "model.safetensors"])
def test_half_a_bundled_detector_is_none(own, monkeypatch, lost):
    monkeypatch.setattr("vmhan.bundled_weights.BUNDLED_FOLDER", Path(own))
    (Path(own) / lost).unlink()
    assert not detectors.has_weights("bundled")
    with pytest.raises(DetectorUnavailable, match=f"{lost}' does not exist.* take another"):
        load_detector("bundled")


@pytest.mark.parametrize("content", [b"", b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n"])
def test_damaged_weights_of_a_detector_are_named(own, monkeypatch, content):
    (Path(own) / "model.safetensors").write_bytes(content)
    with pytest.raises(ValueError, match=r"model\.safetensors is damaged, or a Git LFS pointer"):
        load_detector(own)
    monkeypatch.setattr("vmhan.bundled_weights.BUNDLED_FOLDER", Path(own))
    with pytest.raises(DetectorUnavailable, match=r"is damaged.* take another"):
        load_detector("bundled")


def test_the_bundled_detector_comes_with_the_package_or_with_the_model(own, tmp_path, monkeypatch):
    monkeypatch.setattr("vmhan.bundled_weights.BUNDLED_FOLDER", Path(own))
    assert bundled_detector_of(str(tmp_path)) == Path(own)
    monkeypatch.setattr("vmhan.bundled_weights.BUNDLED_FOLDER", tmp_path / "nowhere")
    assert bundled_detector_of(str(tmp_path)) == tmp_path / "nowhere"  # which says, when loaded, that it is missing
    beside = save_tiny_bundled(tmp_path / "model" / "detector")
    assert bundled_detector_of(str(tmp_path / "model")) == Path(beside)


def test_has_weights_finds_files_and_cache(own, tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setattr("vmhan.bundled_weights.BUNDLED_FOLDER", tmp_path / "nowhere")
    names = ("bundled", "yolov3u", "nobody/nothing", "/nowhere/mine.pt", "no such detector")
    assert not any(map(detectors.has_weights, names))
    monkeypatch.setattr("vmhan.bundled_weights.BUNDLED_FOLDER", Path(own))
    (tmp_path / "torch" / "hub" / "checkpoints").mkdir(parents=True)
    (tmp_path / "torch" / "hub" / "checkpoints" / "yolov3u.pt").write_bytes(b"")
    assert all(map(detectors.has_weights, ("bundled", "yolov3u", own)))
