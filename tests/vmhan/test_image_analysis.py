"""Objects and descriptions of images."""

from pathlib import Path

import pytest
from PIL import Image
from tiny import save_tiny_checkpoint
from tiny_detectors import KINDS, save_tiny_blip, save_tiny_bundled, save_tiny_rt_detr
from transformers import pipeline

from vmhan.detectors.huggingface import TransformersDetector
from vmhan.detectors.loading import load_detector
from vmhan.extraction_request import read_request
from vmhan.image_analysis import annotate_images
from vmhan.image_description import ImageDescriber
from vmhan.llm.captioning import load_describer
from vmhan.object_detection import DetectedObject, DetectorUnavailable
from vmhan.pipeline_vmhan import _load_bundled_detector

RED, BLUE = (Image.new("RGB", (60, 40), color) for color in ("red", "blue"))


class Counting:
    """Wraps a detector or describer, and counts the images of each call."""

    def __init__(self, inner, method: str):
        self.seen = []
        analyze = getattr(inner, method)
        setattr(self, method, lambda images: self.seen.append(len(images)) or analyze(images))


@pytest.fixture(scope="module")
def detector(tmp_path_factory) -> TransformersDetector:
    return TransformersDetector(save_tiny_rt_detr(tmp_path_factory.mktemp("rt_detr")), threshold=0.0)


@pytest.fixture(scope="module")
def describer(tmp_path_factory) -> ImageDescriber:
    return load_describer(save_tiny_blip(tmp_path_factory.mktemp("blip")))


def request(**fields):
    return read_request({"text": "Ada met Bob", "entities": ["Ada", "Bob"], **fields})


def test_detected_objects_become_objects_and_a_description(detector):
    checked = request(image=RED)
    annotate_images([checked], detector, max_objects=2)
    found = detector.detect([RED])[0]
    assert [item["box"] for item in checked.objects] == [list(item.box) for item in found[:2]]
    assert {item["label"] for item in checked.objects} <= set(KINDS.values())
    assert checked.description.endswith(".")


def test_objects_and_description_of_the_user_stay(detector, describer):
    checked = request(image=RED, description="A cat.", objects=["cat"])
    annotate_images([checked], detector, describer)
    assert checked.description == "A cat."
    assert [item["label"] for item in checked.objects] == ["cat"]


def test_a_description_of_the_user_stays_beside_detected_objects(detector):
    checked = request(image=RED, description="A cat.")
    annotate_images([checked], detector)
    assert checked.description == "A cat."
    assert {item["label"] for item in checked.objects} <= set(KINDS.values())


def test_the_describer_comes_before_the_composed_description(detector, describer):
    checked = request(image=RED)
    annotate_images([checked], detector, describer)
    assert checked.description == describer.describe([RED])[0]


class Finding:
    """A detector that always finds the same objects."""

    def __init__(self, *found: DetectedObject):
        self.found = list(found)

    def detect(self, images):
        return [self.found for _ in images]


def test_the_face_of_a_person_comes_after_all_else():
    face, alone = DetectedObject("face", 0.9, (5, 5, 9, 9)), DetectedObject("face", 0.8, (50, 5, 59, 9))
    person, tie = DetectedObject("person", 0.7, (0, 0, 20, 40)), DetectedObject("tie", 0.4, (5, 9, 9, 20))
    checked = request(image=RED)
    annotate_images([checked], Finding(face, alone, person, tie), max_objects=4)
    assert [item["score"] for item in checked.objects] == [alone.score, person.score, tie.score, face.score]


def test_nouns_of_the_description_are_objects_without_a_detector():
    checked = request(description="A man in a hat.")
    annotate_images([checked])
    assert checked.objects == [{"label": name, "score": 1.0, "box": None} for name in ("man", "hat")]


def test_results_go_to_the_requests_that_lack_them(detector, describer):
    requests = [request(), request(image=RED, objects=["a hat"]), request(image=BLUE, description="A cat."), request()]
    annotate_images(requests, detector, describer)
    assert [item["label"] for item in requests[1].objects] == ["a hat"]
    assert requests[1].description == describer.describe([RED])[0]
    assert [item["score"] for item in requests[2].objects] == [item.score for item in detector.detect([BLUE])[0][:3]]
    assert requests[2].description == "A cat." and requests[0].objects == requests[3].objects == []


def test_without_image_and_description_there_are_no_objects(detector, describer):
    checked = request()
    annotate_images([checked], detector, describer)
    assert checked.objects == [] and checked.description is None


def test_equal_images_are_analyzed_once_and_all_in_one_call(detector, describer):
    eyes, words = Counting(detector, "detect"), Counting(describer, "describe")
    checked = [request(image=RED), request(image=BLUE), request(image=RED.copy()), request()]
    annotate_images(checked, eyes, words)
    assert eyes.seen == [2] and words.seen == [2]
    assert checked[0].objects == checked[2].objects


@pytest.fixture(scope="module")
def extract(tmp_path_factory, detector):
    folder = save_tiny_checkpoint(tmp_path_factory.mktemp("model"), visual_features=["text", "box"])
    return pipeline("multimodal-relation-extraction", model=folder, detector=detector)


def test_the_answer_holds_the_attention_on_detected_objects(extract, detector):
    answer = extract({"text": "Ada met Bob", "entities": ["Ada", "Bob"], "image": RED})
    boxes = [list(item.box) for item in detector.detect([RED])[0][:3]]
    assert [item["box"] for item in answer["objects"]] == boxes
    seen = answer["pairs"][0]["objects"]
    assert sum(item["attention"] for item in seen) == pytest.approx(1)
    assert sorted(item["box"] for item in seen if item["label"] != "image") == sorted(boxes)
    assert answer["description"]


def test_a_detector_can_be_named_in_a_call(tmp_path, extract):
    folder = save_tiny_rt_detr(tmp_path)
    fields = {"text": "Ada met Bob", "entities": ["Ada", "Bob"], "image": RED}
    found = load_detector(folder).detect([RED])[0]
    assert [item["score"] for item in extract(fields, detector=folder)["objects"]] == [x.score for x in found[:3]]
    with pytest.raises(ValueError, match="no detector 'eyes'"):
        extract(fields, detector="eyes")


@pytest.fixture
def bundled_in(monkeypatch):
    """Moves the bundled detector to a folder; detectors are cached by name, so those of other tests are dropped."""
    _load_bundled_detector.cache_clear()
    yield lambda folder: monkeypatch.setattr("vmhan.bundled_weights.BUNDLED_FOLDER", Path(folder))
    _load_bundled_detector.cache_clear()


def test_the_bundled_detector_is_the_default(tmp_path, bundled_in):
    bundled = save_tiny_bundled(tmp_path / "bundled")
    bundled_in(bundled)
    asked = {"text": "Ada met Bob", "entities": ["Ada", "Bob"], "image": RED}
    extract = pipeline("multimodal-relation-extraction", model=save_tiny_checkpoint(tmp_path / "model"))
    found = load_detector(bundled).detect([RED])[0]
    assert [item["score"] for item in extract(asked)["objects"]] == [item.score for item in found[:3]]
    assert extract(asked, detector="bundled")["objects"] == extract(asked)["objects"]
    assert extract(asked, detector="none")["objects"] == []
    assert extract({**asked, "objects": ["a hat"]})["objects"][0]["label"] == "a hat"


def test_the_pipeline_falls_back_to_the_bundled_detector_only_where_that_is_allowed(tmp_path, bundled_in, extract):
    bundled_in(save_tiny_bundled(tmp_path / "bundled"))
    asked = {"text": "Ada met Bob", "entities": ["Ada", "Bob"], "image": RED}
    with pytest.raises(DetectorUnavailable, match="nobody/nothing"):
        extract(asked, detector="nobody/nothing")
    answer = extract(asked, detector="nobody/nothing", fallback_to_bundled=True)
    assert answer["objects"] == extract(asked, detector="bundled")["objects"]


def test_the_pipeline_falls_back_to_a_detector_beside_the_model(tmp_path, bundled_in):
    bundled_in(tmp_path / "nowhere")
    model = save_tiny_checkpoint(tmp_path / "model")
    extract = pipeline("multimodal-relation-extraction", model=model)
    asked = {"text": "Ada met Bob", "entities": ["Ada", "Bob"], "image": RED}
    with pytest.raises(DetectorUnavailable, match="'bundled' is unavailable"):
        extract(asked, detector="nobody/nothing", fallback_to_bundled=True)
    save_tiny_bundled(Path(model) / "detector")
    extract = pipeline("multimodal-relation-extraction", model=model)
    assert (
        extract(asked, detector="nobody/nothing", fallback_to_bundled=True)["objects"]
        == extract(asked)["objects"]
        != []
    )


def test_without_any_detector_there_is_a_warning(tmp_path, bundled_in, caplog):
    bundled_in(tmp_path / "nowhere")
    extract = pipeline("multimodal-relation-extraction", model=save_tiny_checkpoint(tmp_path / "model"))
    assert extract({"text": "Ada met Bob", "entities": ["Ada", "Bob"], "image": RED})["objects"] == []
    assert "No objects are detected in images" in caplog.text


def test_a_batch_answers_as_single_requests_do(extract):
    asked = [{"text": "Ada met Bob", "entities": ["Ada", "Bob"], "image": image} for image in (RED, BLUE, None, RED)]
    together, alone = extract(asked, batch_size=4), [extract(one) for one in asked]
    for ours, theirs in zip(together, alone, strict=True):
        assert ours["description"] == theirs["description"]
        assert ours["pairs"][0]["scores"] == pytest.approx(theirs["pairs"][0]["scores"], abs=1e-5)
