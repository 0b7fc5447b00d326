"""The detector in `vmhan/weights/detector`: what was promised of it, and what it finds in two well-known pictures."""

import json
from pathlib import Path

import pytest
from PIL import Image
from transformers import pipeline

from train.detector.card import CARD, RESULT, make_card
from vmhan.bundled_detector import BundledDetector
from vmhan.registrations import TASK

ASSETS = Path(__file__).resolve().parents[2] / "assets"
FOLDER = ASSETS / "detector"


@pytest.fixture(scope="module")
def result() -> dict:
    return json.loads(RESULT.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def pictures() -> Path:
    """The folder of the pictures that ultralytics carries."""
    return pytest.importorskip("ultralytics.utils").ASSETS


def test_it_is_data_and_small(result):
    assert {path.name for path in FOLDER.iterdir()} == {"README.md", "config.json", "model.safetensors"}
    assert (FOLDER / "model.safetensors").stat().st_size == result["bytes"] <= 8e6
    assert result["milliseconds"] <= 100


def test_its_card_and_settings_are_those_of_its_result_file(result):
    assert json.loads((FOLDER / "config.json").read_text(encoding="utf-8")) == result["settings"]
    assert CARD.read_text(encoding="utf-8") == make_card(result)


@pytest.mark.parametrize(("name", "people"), [("zidane.jpg", 2), ("bus.jpg", 3)])
def test_people_are_found(pictures, name, people):
    (found,) = BundledDetector(FOLDER).detect([Image.open(pictures / name)])
    assert sum(item.label == "person" for item in found) >= people


def test_the_pipeline_looks_with_it_at_a_picture_of_which_nothing_is_said(bundled_detector, pictures):
    extract = pipeline(TASK, model=str(ASSETS / "vmhan-mini-mnre"))
    entities = ["Zinedine Zidane", "Carlo Ancelotti"]
    text = "Zinedine Zidane and Carlo Ancelotti watch Real Madrid"
    answer = extract({"text": text, "entities": entities, "image": str(pictures / "zidane.jpg")})
    assert [item["label"] for item in answer["objects"][:2]] == ["person", "person"]
    assert all(item["box"] for item in answer["objects"]) and "people" in answer["description"]
