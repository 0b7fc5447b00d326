"""The whole way of the bundled detector: shapes in, a detector that finds them, its result file and its card."""

import json

import pytest
import torch
from detection_fixture import draw, write_data
from safetensors.torch import load_file
from torchvision.ops import box_convert, box_iou

from train.detector import run as detector
from train.detector.arguments import parse_detector_arguments
from train.detector.card import render_card, targets_table, trainings
from train.detector.export import choose_settings, choose_threshold
from train.detector.losses import detection_loss
from vmhan.bundled_detector import BundledDetector
from vmhan.detector_network import DetectorSettings

SETTINGS = "train/configs/detector.yaml"
LONGER = "train/configs/detector_longer.yaml"
SMALL = {
    "least_boxes": 1,
    "stem_width": 8,
    "widths": [8, 16, 16, 16],
    "depths": [1, 1, 1, 1],
    "neck_width": 16,
    "input_sizes": [96],
    "looks": ["96", "64+96"],
    "sizes": [96],
    "plain_sizes": [96],
    "batch_size": 8,
    "learning_rate": 5e-3,
    "warmup_steps": 5,
    "weight_average": 0.9,
    "mosaic": 0.2,
    "workers": 0,
    "evaluate_every": 100,
}


@pytest.fixture
def command(tmp_path):
    """Arguments for a run on shapes, with what a test changes."""
    (tmp_path / "data").mkdir()
    write_data(tmp_path / "data")

    def make(output="run", **changes):
        settings = {
            **SMALL,
            "data_dir": tmp_path / "data",
            "output_dir": tmp_path / output,
            "detector_dir": tmp_path / "detector",
            "result_file": tmp_path / "detector.json",
            **changes,
        }
        words = [[f"--{k}", *map(str, v)] if isinstance(v, list) else [f"--{k}", str(v)] for k, v in settings.items()]
        return [SETTINGS, *(word for of_setting in words for word in of_setting)]

    return make


@pytest.fixture
def weights(tmp_path):
    """Both sets of weights of a run's checkpoint."""

    def read(output):
        state = torch.load(tmp_path / output / "checkpoint.pt", weights_only=True)
        return {**state["network"], **{f"average.{name}": tensor for name, tensor in state["average"].items()}}

    return read


@pytest.mark.slow
def test_it_learns_to_find_shapes_and_says_what_it_reached(command, tmp_path):
    result = detector.main(command(epochs=45, plain_epochs=15))
    assert result["metrics"]["test"]["per_class"]["person"]["ap50"] > 0.9
    assert result["metrics"]["held_out_faces"]["per_class"]["face"]["ap50"] > 0.9
    history = result["history"]
    assert history[-1]["loss"] < history[0]["loss"] / 2
    image, boxes = draw(seed=99)
    (found,) = BundledDetector(tmp_path / "detector").detect([image])
    for label, box in zip(("person", "face"), boxes, strict=True):
        best = next(thing for thing in found if thing.label == label)
        truth = box_convert(torch.tensor([box], dtype=torch.float32), "xywh", "xyxy")
        assert box_iou(torch.tensor([best.box]), truth).item() > 0.6
    assert json.loads((tmp_path / "detector.json").read_text())["metrics"] == result["metrics"]
    card = (tmp_path / "detector" / "README.md").read_text()
    assert f"{100 * result['metrics']['test']['per_class']['person']['ap50']:.1f} | 40 or more | yes" in card


def test_resumed_run_ends_as_an_uninterrupted_one(command, weights, monkeypatch):
    assert detector.main(command("whole", epochs=3, plain_epochs=1, read_test=False)) is not None
    changes = {"epochs": 3, "plain_epochs": 1, "read_test": False, "stop_after_minutes": 0}
    sittings = 1
    while detector.main(command("parts", **changes)) is None:  # each sitting is one step long
        sittings += 1
    assert sittings == 7  # three epochs of two batches, and one that only finishes
    whole, parts = weights("whole"), weights("parts")
    assert whole.keys() == parts.keys()
    assert all(torch.equal(tensor, parts[name]) for name, tensor in whole.items())


def test_finished_run_is_only_scored_and_exported(command, tmp_path):
    detector.main(command(epochs=1, plain_epochs=0, read_test=False))
    (tmp_path / "run" / "checkpoint.pt").unlink()  # as when it comes from another machine
    result = detector.main(command(epochs=1, plain_epochs=0, overlap_threshold=0.4))
    assert result["settings"]["overlap_threshold"] == 0.4, "what makes no part of the weights may change"
    assert set(result["metrics"]) == {"validation", "held_out_faces", "test"}
    assert "--overlap_threshold 0.4" in result["export"]["command"]
    assert "--overlap_threshold" not in result["command"], "this one trained the weights"
    assert not (tmp_path / "run" / "checkpoint.pt").exists()


def test_test_split_is_not_read_where_it_is_not_asked_for(command, tmp_path):
    result = detector.main(command(epochs=1, plain_epochs=0, read_test=False))
    assert set(result["metrics"]) == {"validation"}
    card = (tmp_path / "detector" / "README.md").read_text()
    assert "| not measured | 40 or more | no |" in card and "Neither was read" in card


def test_training_that_goes_on_from_another_starts_at_its_weights(command, weights, tmp_path):
    detector.main(command("first", epochs=2, plain_epochs=0, read_test=False))
    learning_nothing = {"epochs": 1, "plain_epochs": 0, "learning_rate": 1e-12, "weight_average": 0.0}
    result = detector.main(command("second", start_from=tmp_path / "first", read_test=False, **learning_nothing))
    first = load_file(tmp_path / "first" / "best" / "model.safetensors")
    second = load_file(tmp_path / "second" / "best" / "model.safetensors")
    convolutions = [name for name, tensor in first.items() if tensor.ndim == 4]
    assert convolutions and all(torch.allclose(first[name], second[name], atol=1e-4) for name in convolutions)
    assert [each["config"]["training"]["epochs"] for each in trainings(result)] == [2, 1]
    assert "images 2, then 1 times" in (tmp_path / "detector" / "README.md").read_text()
    detector.main(command("second", start_from=tmp_path / "first", **learning_nothing))  # reads test as well
    assert "these weights went through 2 trainings" in (tmp_path / "detector" / "README.md").read_text()


def test_weights_of_another_network_are_refused(command, tmp_path):
    detector.main(command("first", epochs=1, plain_epochs=0, read_test=False))
    with pytest.raises(ValueError, match=r"first' has neck_width 16, not 32; its weights do not fit"):
        detector.main(command("second", start_from=tmp_path / "first", neck_width=32))


def test_resuming_with_another_setting_is_refused(command):
    detector.main(command(epochs=2, plain_epochs=0, stop_after_minutes=0))
    with pytest.raises(ValueError, match=r"learning_rate 0\.005, not 0\.001.*--output_dir"):
        detector.main(command(epochs=2, plain_epochs=0, learning_rate=1e-3))


def test_last_epochs_have_their_own_sizes(command, monkeypatch):
    seen = []

    def note(prediction, batch):
        seen.append(batch.pixels.shape[-1])
        return detection_loss(prediction, batch)

    monkeypatch.setattr("train.detector.training.detection_loss", note)
    sizes = {"sizes": [64], "plain_sizes": [96], "epochs": 3, "plain_epochs": 1}
    detector.main(command(**sizes, read_test=False))
    assert seen == [64] * 4 + [96] * 2


def test_every_setting_of_the_yaml_file_is_known():
    arguments = parse_detector_arguments([SETTINGS, "--widths", "8", "8", "8", "8"])
    assert arguments.model.widths == [8, 8, 8, 8] and arguments.training.learning_rate == 1e-3
    DetectorSettings(classes=["person"], **vars(arguments.model))


def test_longer_training_goes_on_where_the_first_ends():
    first, longer = parse_detector_arguments([SETTINGS]), parse_detector_arguments([LONGER])
    assert longer.training.start_from == first.training.output_dir != longer.training.output_dir
    assert longer.model == first.model


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--learnig_rate", "1"], "'learning_rate'"),
        (["--sizes", "100"], "multiples of 32"),
        (["--looks", "320", "256+1OO"], "256\\+1OO"),
        (["--epochs", "0"], "epochs is 0"),
    ],
)
def test_impossible_setting_is_refused(words, message):
    with pytest.raises(ValueError, match=message):
        parse_detector_arguments([SETTINGS, *words])


def test_best_size_that_is_fast_enough_is_chosen():
    tried = [
        (size, {"milliseconds": speed, "score": score})
        for size, speed, score in (("small", 40, 0.5), ("middle", 80, 0.6), ("large", 120, 0.7))
    ]
    assert choose_settings(tried, 100) == "middle"
    assert choose_settings(tried, 200) == "large"
    assert choose_settings(tried, 10) == "small"


def test_card_says_how_often_and_how_an_image_is_looked_at():
    several = result(person=0.4, face=0.5)
    once = {**several, "settings": {**several["settings"], "input_sizes": [320]}}
    assert "run at 2 sizes, its longer side at 256, 384 (mirrored) pixels" in render_card(several)
    assert "run with its longer side at 320 pixels" in render_card(once)


def test_threshold_is_the_median_over_classes_with_many_boxes():
    scores = {
        name: {"boxes": boxes, "best_threshold": best}
        for name, boxes, best in (("a", 30, 0.3), ("b", 90, 0.5), ("c", 40, 0.4), ("rare", 2, 0.9), ("no", 50, None))
    }
    assert choose_threshold({"per_class": scores}) == 0.4


def result(person, face):
    """What a result file holds that the card needs."""
    scores = {"ap50_95": 0.2, "boxes": 10, "images": 5}
    return {
        "command": "accelerate launch train/detector/run.py train/configs/detector.yaml --seed 1",
        "settings": {"classes": ["person", "face"], "input_sizes": [256, 384], "score_threshold": 0.3},
        "config": {"training": {"epochs": 3}, "data": {"least_boxes": 9, "least_teacher_score": 0.4}},
        "parameters": 2_000_000,
        "bytes": 4_000_000,
        "milliseconds": 104.0,
        "train_images": 1234,
        "train_boxes": {"person": {"people": 5, "teachers": 6}, "face": {"people": 7, "teachers": 8}},
        "wall_time_seconds": 7200,
        "device": "cpu, 2 threads",
        "seed": 1,
        "export": {"max_milliseconds": 100.0},
        "metrics": {
            "test": {"images": 384, "ap50": 0.3, "ap50_95": 0.1, "per_class": {"person": {"ap50": person, **scores}}},
            "held_out_faces": {"ap50": 0.3, "ap50_95": 0.1, "per_class": {"face": {"ap50": face, **scores}}},
        },
    }


def test_card_says_honestly_what_was_not_reached():
    table = targets_table(result(person=0.416, face=0.52))
    assert "| person, AP50 on test | 41.6 | 40 or more | yes |" in table
    assert "| face, AP50 on held-out faces | 52.0 | 60 or more | no |" in table
    assert "| dog, AP50 on test | not measured | 30 or more | no |" in table
    assert "| weights, MB | 4.0 | at most 8 | yes |" in table
    assert "| ms for 640x480 on one core | 104.0 | at most 100 | no |" in table


def test_card_names_its_data_and_their_terms():
    card = render_card(result(person=0.416, face=0.52))
    for words in (
        "Flickr8k",
        "FDDB",
        "Animal-Pose",
        "non-commercial research",
        "CC BY 4.0",
        "1,234 images",
        "2.0 hours",
    ):
        assert words in card
