"""The bundled detector: its size, speed and card, and the people in two well-known images."""

import json
from pathlib import Path

import pytest
from PIL import Image
from transformers import pipeline

from train.detector.card import CARD, RESULT, render_card
from vmhan.bundled_detector import BundledDetector
from vmhan.bundled_weights import BUNDLED_MODEL
from vmhan.registrations import TASK

FOLDER = BUNDLED_MODEL.parent / "detector"


@pytest.fixture(scope="module")
def result() -> dict:
    return json.loads(RESULT.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def images() -> Path:
    """The folder of the images that ultralytics carries."""
    return pytest.importorskip("ultralytics.utils").ASSETS


def test_it_is_data_and_small(result):
    assert {path.name for path in FOLDER.iterdir()} == {"README.md", "config.json", "model.safetensors"}
    assert (FOLDER / "model.safetensors").stat().st_size == result["bytes"] <= 8e6
    assert result["milliseconds"] <= 100


def test_its_card_and_settings_are_those_of_its_result_file(result):
    assert json.loads((FOLDER / "config.json").read_text(encoding="utf-8")) == result["settings"]
    assert CARD.read_text(encoding="utf-8") == render_card(result)


@pytest.mark.parametrize(("name", "people"), [("zidane.jpg", 2), ("bus.jpg", 3)])
def test_people_are_found(images, name, people):
    (found,) = BundledDetector(FOLDER).detect([Image.open(images / name)])
    assert sum(item.label == "person" for item in found) >= people


def test_the_pipeline_uses_it_for_an_image_without_objects(bundled_detector, images):
    extract = pipeline(TASK, model=str(BUNDLED_MODEL))
    entities = ["Zinedine Zidane", "Carlo Ancelotti"]
    text = "Zinedine Zidane and Carlo Ancelotti watch Real Madrid"
    answer = extract({"text": text, "entities": entities, "image": str(images / "zidane.jpg")})
    assert [item["label"] for item in answer["objects"][:2]] == ["person", "person"]
    assert all(item["box"] for item in answer["objects"]) and "people" in answer["description"]
