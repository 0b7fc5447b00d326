"""Features of images: computed once, found again, stale after a change; and a training run that looks at pixels."""

import ast
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from chat_fixture import ChatServer, asks_for
from datasets import Image as ImageFeature
from mnre_fixture import write_mnre
from PIL import Image
from safetensors.numpy import load_file
from tiny import (
    VISUAL_WIDTH,
    tiny_image_processor,
    tiny_model,
    tiny_processor,
    tiny_torchvision_vgg,
    tiny_vgg_config,
)
from tiny_detectors import save_tiny_yolo
from training_fixture import write_parts
from transformers import pipeline

from train import run
from train.data import visual_steps
from train.data.collator import PairCollator
from train.data.controls import shuffle_images
from train.data.detected_boxes import add_detected_boxes
from train.data.image_reader import BadImage, ImageReader, count_images
from train.data.visual_features import ImageEncoder, add_features, add_paths
from vmhan import VMHANForRelationExtraction
from vmhan.data.mnre import load_mnre
from vmhan.object_detection import DetectedObject

PAPER = "train/configs/mnre/paper.yaml"


@pytest.fixture
def mnre(tmp_path) -> Path:
    return write_mnre(tmp_path / "mnre", sentences=8, images=True)


def load(folder, **settings):
    """The splits with images that are not decoded, as the run has them."""
    settings = {"boxes": "detect", "image_dir": folder / "images", **settings}
    return load_mnre(folder, **settings).cast_column("image", ImageFeature(decode=False))


def build(seed=0, **settings):
    """A model with a tiny VGG, and a processor for it."""
    settings = {"visual_features": ["pixels"], "vision_config": tiny_vgg_config(), **settings}
    model = tiny_model(seed, **settings)
    model.vmhan.vision_model.load_state_dict(tiny_torchvision_vgg(seed).state_dict(), strict=False)
    return model, tiny_processor(image_processor=tiny_image_processor())


class Counting(ImageEncoder):
    """Knows how many images it has encoded."""

    encoded = 0

    def __call__(self, images, boxes):
        self.encoded += len(images)
        return super().__call__(images, boxes)


def encode(mnre, cache, seed=0, on_error="raise", **settings):
    """Rows, features, how many images were encoded, and the reader."""
    model, processor = build(seed)
    encoder, reader = Counting(model.vmhan, processor), ImageReader(on_error)
    splits, features = add_features(load(mnre, **settings), encoder, cache, reader, batch_size=3)
    return splits, features, encoder.encoded, reader


FILES = 8 + 4 + 4  # of the three splits
VIEWED = 9  # of these differ in what is drawn or in their boxes
DRAWN = 8  # differ in what is drawn


# Once for each image


def test_an_image_is_encoded_once_for_all_its_rows(mnre, tmp_path):
    splits, features, encoded, _ = encode(mnre, tmp_path / "cache")
    assert encoded == VIEWED < FILES < sum(len(split) for split in splits.values())
    assert len({key for split in splits.values() for key in split["image_key"]}) == VIEWED
    for row in splits["train"]:
        assert features[row["image_key"]].shape == (1 + len(row["object_boxes"]), VISUAL_WIDTH)
    assert "image" not in splits["train"].column_names


def test_features_are_what_the_encoder_makes_of_image_and_crops(mnre, tmp_path):
    splits, features, _, _ = encode(mnre, tmp_path / "cache")
    model, processor = build()
    row = splits["train"][0]
    picture = Image.open(mnre / "images" / f"{row['image_id']}.jpg")
    objects = [{"box": box} for box in row["object_boxes"]]
    batch = processor(["Ada met Bob"], [[(0, 3), (8, 11)]], [[(0, 1)]], [{"image": picture, "objects": objects}])
    with torch.no_grad():
        expected = model.vmhan.encode_images(batch["pixel_values"], batch["visual_state_mask"])[0]
    assert np.allclose(features[row["image_key"]], expected, atol=1e-3) and expected.std() > 0.01


def test_features_lie_on_disk_in_half_precision(mnre, tmp_path):
    _, features, _, _ = encode(mnre, tmp_path / "cache")
    (file,) = features.folder.iterdir()
    assert {str(tensor.dtype) for tensor in load_file(file).values()} == {"float16"}


def test_an_unchanged_image_is_found_again(mnre, tmp_path):
    splits, features, _, _ = encode(mnre, tmp_path / "cache")
    again, found, encoded, _ = encode(mnre, tmp_path / "cache")
    assert encoded == 0 and again["train"]["image_key"] == splits["train"]["image_key"]
    assert all(np.array_equal(features[key], found[key]) for key in again["test"]["image_key"])


def test_a_copy_of_the_data_elsewhere_is_found_too(mnre, tmp_path):
    encode(mnre, tmp_path / "cache")
    shutil.copytree(mnre, tmp_path / "copy")
    assert encode(tmp_path / "copy", tmp_path / "cache")[2] == 0


def test_an_edited_image_is_encoded_again_and_no_other(mnre, tmp_path):
    splits, features, _, _ = encode(mnre, tmp_path / "cache")
    row = splits["train"][0]
    noise = np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).save(mnre / "images" / f"{row['image_id']}.jpg")
    edited, again, encoded, _ = encode(mnre, tmp_path / "cache")
    assert encoded == 1
    assert not np.allclose(again[edited["train"][0]["image_key"]], features[row["image_key"]], atol=1e-3)


def test_other_boxes_are_encoded_anew(mnre, tmp_path):
    encode(mnre, tmp_path / "cache")
    assert 0 < encode(mnre, tmp_path / "cache", max_objects=1)[2] < VIEWED  # those that had one box are the same


def test_other_weights_are_another_encoder(mnre, tmp_path):
    _, features, _, _ = encode(mnre, tmp_path / "cache")
    splits, others, encoded, _ = encode(mnre, tmp_path / "cache", seed=1)
    assert encoded == VIEWED
    key = splits["train"][0]["image_key"]
    assert not np.allclose(features[key], others[key], atol=1e-3)


def test_a_stopped_run_goes_on_where_it_stopped(mnre, tmp_path, monkeypatch):
    monkeypatch.setattr("vmhan.data.disk_cache.VALUES_IN_A_FILE", 5)
    call = Counting.__call__

    def killed(self, pictures, boxes):
        if self.encoded >= 5:
            raise KeyboardInterrupt
        return call(self, pictures, boxes)

    monkeypatch.setattr(Counting, "__call__", killed)
    with pytest.raises(KeyboardInterrupt):
        encode(mnre, tmp_path / "cache")
    monkeypatch.setattr(Counting, "__call__", call)
    splits, features, encoded, _ = encode(mnre, tmp_path / "cache")
    assert encoded == VIEWED - 5 and all(key in features for split in splits.values() for key in split["image_key"])


def test_features_that_half_precision_cannot_hold_are_refused(mnre, tmp_path):
    model, processor = build()
    model.vmhan.vision_model.classifier[3].weight.data *= 1e6
    with pytest.raises(ValueError, match="half precision"):
        add_features(load(mnre), ImageEncoder(model.vmhan, processor), tmp_path / "cache", ImageReader())


def test_pixels_of_other_images_are_another_image(mnre):
    rows = load(mnre)["train"]
    shuffled = shuffle_images(rows, seed=0)
    assert all(ours["path"] != theirs["path"] for ours, theirs in zip(rows["image"], shuffled["image"], strict=True))


# Broken images


@pytest.fixture
def broken(mnre) -> Path:
    """The data with one image cut off, which has more than one row."""
    path = mnre / "images" / f"{load(mnre)['train'][0]['image_id']}.jpg"
    path.write_bytes(path.read_bytes()[:200])
    return path


@pytest.mark.parametrize("how", ["features", "paths"])
def test_a_broken_image_stops_with_its_row(how, mnre, broken, tmp_path):
    with pytest.raises(BadImage, match=rf"{broken.name}, the image of line 1 of train: .*on_error") as error:
        encode(mnre, tmp_path / "cache") if how == "features" else add_paths(load(mnre), ImageReader())
    assert (error.value.split, error.value.line) == ("train", 1)


def test_a_broken_image_may_be_left_out_and_is_reported_each_time(mnre, broken, tmp_path):
    for _ in range(3):
        splits, features, _, reader = encode(mnre, tmp_path / "cache", on_error="skip")
        assert list(reader.bad) == [str(broken)]
        with_it = [row["image_id"] == broken.stem for row in splits["train"]]
        assert [key is None for key in splits["train"]["image_key"]] == with_it
        assert all(key in features for split in splits.values() for key in set(split["image_key"]) - {None})
    counts = count_images(load(mnre), reader)
    assert counts["train"]["broken_pictures"] == 1 and counts["train"]["rows_without_picture"] == sum(with_it) > 1
    assert counts["test"]["rows_without_picture"] == 0


def test_broken_images_of_the_same_bytes_are_all_left_out(mnre, tmp_path):
    image_ids = list(dict.fromkeys(load(mnre)["train"]["image_id"]))[:2]
    for image_id in image_ids:
        (mnre / "images" / f"{image_id}.jpg").write_bytes(b"")
    splits, features, _, reader = encode(mnre, tmp_path / "cache", on_error="skip", boxes=None)
    assert sorted(reader.bad) == sorted(str(mnre / "images" / f"{image_id}.jpg") for image_id in image_ids)
    assert all(key in features for split in splits.values() for key in set(split["image_key"]) - {None})


def test_a_mended_image_is_seen_again(mnre, broken, tmp_path):
    encode(mnre, tmp_path / "cache", on_error="skip")
    Image.new("RGB", (64, 48), "red").save(broken)
    splits, _, encoded, reader = encode(mnre, tmp_path / "cache", on_error="skip")
    assert encoded == 1 and not reader.bad and None not in splits["train"]["image_key"]


def test_a_pair_with_a_broken_image_has_no_image(mnre, broken, tmp_path):
    splits, features, _, _ = encode(mnre, tmp_path / "cache", on_error="skip")
    model, processor = build()
    rows = [row for row in splits["train"] if row["image_key"] is None]
    batch = PairCollator(processor, "pixels", features=features)(rows)
    assert "pair_image" not in batch
    mixed = PairCollator(processor, "pixels", features=features)(list(splits["train"])[:9])
    assert sorted(set(mixed["pair_image"].tolist())) == [-1, 0, 1]
    with torch.no_grad():
        inputs = {name: mixed[name] for name in mixed if name not in ("labels", "direction_given")}
        visual = model.vmhan(**inputs).node_mask[:, 2:]
    assert torch.equal(visual.any(dim=1), mixed["pair_image"] >= 0)


# Batches


def test_features_and_pixels_give_the_same_logits(mnre, tmp_path):
    model, processor = build()
    splits, features, _, _ = encode(mnre, tmp_path / "cache")
    opened = add_paths(load(mnre), ImageReader())
    batches = [
        PairCollator(processor, "pixels", features=features)(list(splits["train"])),
        PairCollator(processor, "pixels")(list(opened["train"])),
    ]
    assert "visual_states" in batches[0] and "pixel_values" in batches[1]
    assert len(batches[0]["visual_states"]) == 8
    with torch.no_grad():
        ours, theirs = (model(**batch).logits for batch in batches)
    assert torch.allclose(ours, theirs, atol=2e-3) and ours.std() > 0.01  # half precision rounds


# Boxes by a detector


class ColorDetector:
    """Finds the rectangles of the drawn images: whatever is as green as these are."""

    def __init__(self):
        self.seen = 0

    def detect(self, images):
        self.seen += len(images)
        return [self._of(np.asarray(image).astype(int)) for image in images]

    def _of(self, pixels):
        rows, columns = np.nonzero((abs(pixels[..., 1] - 200) < 12) & (abs(pixels[..., 2] - 40) < 12))
        if not len(rows):
            return []
        box = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
        return [DetectedObject("rectangle", 0.9, tuple(map(float, box)))] * 5


def test_a_detector_gives_the_boxes_once_for_each_image(mnre, tmp_path):
    detector = ColorDetector()

    def detected():
        rows = load(mnre, boxes=None)
        return add_detected_boxes(rows, detector, "colors", tmp_path / "cache", ImageReader(), max_objects=2)

    splits = detected()
    assert detector.seen == DRAWN
    cx, cy, width, height = splits["train"][0]["object_boxes"][0]  # drawn at 0.3, 0.6 with 0.4 x 0.6
    assert (cx, cy, width, height) == pytest.approx((0.3, 0.6, 0.4, 0.6), abs=0.07)
    assert all(len(boxes) <= 2 for boxes in splits["train"]["object_boxes"])
    assert detected()["test"]["object_boxes"] == splits["test"]["object_boxes"] and detector.seen == DRAWN


def test_a_bundled_detector_that_was_trained_anew_looks_anew(mnre, tmp_path, monkeypatch):
    folder = tmp_path / "detector"
    folder.mkdir()
    monkeypatch.setattr("vmhan.bundled_weights.BUNDLED_FOLDER", folder)
    detector = ColorDetector()
    for weights in ("old", "new", "new"):
        (folder / "model.safetensors").write_text(weights)
        rows = load(mnre, boxes=None)
        add_detected_boxes(rows, detector, "bundled", tmp_path / "cache", ImageReader())
    assert detector.seen == 2 * DRAWN


def test_an_image_that_the_detector_cannot_open_is_left_out(mnre, broken, tmp_path):
    reader = ImageReader("skip")
    splits = add_detected_boxes(load(mnre), ColorDetector(), "colors", tmp_path / "cache", reader)
    assert list(reader.bad) == [str(broken)] and splits["train"][0]["object_boxes"] == []
    model, processor = build()
    splits, _ = add_features(splits, ImageEncoder(model.vmhan, processor), tmp_path / "cache", reader)
    assert splits["train"][0]["image_key"] is None


# A run


def without_boxes(words: list[str], detector: str) -> list[str]:
    """The words of the same run with a detector, as in the paper, in place of boxes from a file."""
    place = words.index("--boxes")
    return [*words[:place], *words[place + 4 :], "--detector", detector]


def of_data(folder) -> list[str]:
    return ["--data_dir", str(folder), "--image_dir", str(folder / "images")]


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Folder, words and result of a run on drawn images."""
    folder = tmp_path_factory.mktemp("paper")
    words = [*write_parts(folder), *of_data(write_mnre(folder / "mnre", sentences=8, images=True))]
    return folder, words, run.main(words)


def test_the_papers_setting_trains_and_says_what_it_saw(finished):
    _, _, result = finished
    assert result["visual_setting"] == "pixels" and len(result["data"]["images"]) == 64
    assert result["pictures"]["train"] == {
        "rows": 20,
        "pictures": 8,
        "broken_pictures": 0,
        "rows_without_picture": 0,
    }
    assert result["config"]["model"]["visual_features"] == ["pixels"]
    assert result["config"]["training"]["learning_rate"] == 2e-5
    assert np.isfinite(result["metrics"]["test"]["loss"])


def test_the_finished_model_looks_at_images_without_any_other_file(finished):
    folder, _, _ = finished
    model = VMHANForRelationExtraction.from_pretrained(folder / "run" / "final")
    vgg = tiny_torchvision_vgg().state_dict()
    assert all(torch.equal(tensor, vgg[name]) for name, tensor in model.vmhan.vision_model.state_dict().items())
    extract = pipeline("multimodal-relation-extraction", model=str(folder / "run" / "final"))
    image = next((folder / "mnre" / "images").glob("*.jpg"))
    answer = extract({"text": "Ada met Bob", "entities": ["Ada", "Bob"], "image": str(image)})
    assert [node["label"] for node in answer["pairs"][0]["objects"]] == ["image"]


@pytest.mark.parametrize("control", ["text_only", "shuffled_images", "blank_images", "constant_objects"])
def test_controls_change_what_a_run_sees_of_images(control, finished, tmp_path):
    folder, words, result = finished
    changes = ["--checkpoint", str(folder / "run" / "final"), "--control", control, "--read_test", "false"]
    controlled = run.main([*words, *changes, "--results_dir", str(tmp_path)])
    train = controlled["pictures"]["train"]
    seen = {"text_only": (0, 20), "blank_images": (1, 0)}.get(control, (8, 0))
    assert (train["pictures"], train["rows_without_picture"]) == seen
    assert controlled["metrics"]["validation"]["loss"] != result["metrics"]["validation"]["loss"]


def test_constant_objects_cannot_be_cut_out_while_training(finished):
    _, words, _ = finished
    with pytest.raises(ValueError, match="tune_vision false"):
        run.main([*words, "--control", "constant_objects", "--tune_vision", "true", "--overwrite_output_dir", "true"])


def test_evaluating_the_finished_model_gives_the_numbers_of_the_run(finished, tmp_path):
    folder, words, result = finished
    changes = ["--checkpoint", str(folder / "run" / "final"), "--results_dir", str(tmp_path)]
    again = run.main([*words, *changes])
    assert again["metrics"]["test"]["loss"] == pytest.approx(result["metrics"]["test"]["loss"], rel=1e-6)


def test_a_run_leaves_broken_images_out_and_reports_their_rows(tmp_path):
    mnre = write_mnre(tmp_path / "mnre", sentences=8, images=True)
    path = next((mnre / "images").glob("*_train_0.jpg"))
    path.write_bytes(b"no picture")
    words = [*write_parts(tmp_path), *of_data(mnre), "--read_test", "false"]
    with pytest.raises(BadImage, match="line 1 of train"):
        run.main(words)
    result = run.main([*words, "--on_error", "skip", "--undirected_pairs", "true"])
    assert result["pictures"]["train"]["rows_without_picture"] == 3
    report = (tmp_path / "run" / "bad_lines.jsonl").read_text(encoding="utf-8").splitlines()
    entries = [json.loads(line) for line in report]
    assert [(entry["path"], entry["split"], entry["line"]) for entry in entries] == [
        (str(path), "train", line) for line in (1, 2, 3)
    ]


def test_a_tuned_encoder_changes_in_training(tmp_path):
    words = [*write_parts(tmp_path), *of_data(write_mnre(tmp_path / "mnre", sentences=4, images=True))]
    run.main(
        [*words, "--tune_vision", "true", "--learning_rate", "1e-2", "--warmup_steps", "0", "--read_test", "false"]
    )
    model = VMHANForRelationExtraction.from_pretrained(tmp_path / "run" / "final")
    before = tiny_torchvision_vgg().state_dict()
    assert not torch.equal(model.vmhan.vision_model.classifier[0].weight, before["classifier.0.weight"])


@pytest.mark.parametrize(
    "words, message",
    [
        (["--image_dir", ""], "--image_dir"),
        (["--vision_model", ""], "--vision_model vgg16"),
        (["--visual_features", "text"], "--visual_features pixels"),
        (["--boxes", "detect", "--detector", "yolov3"], "not both"),
        (["--visual_setting", "described", "--detector", "yolov3"], 'detector "yolov3" needs'),
    ],
)
def test_settings_that_do_not_fit_pixels_are_refused(words, message):
    with pytest.raises(ValueError, match=message):
        run.main([PAPER, *words])


@pytest.mark.data
def test_the_papers_setting_runs_on_real_images(tmp_path):
    names = ("MNRE_DIR", "MNRE_IMAGES_DIR")
    if not all(name in os.environ for name in names):
        pytest.skip("set MNRE_DIR and MNRE_IMAGES_DIR to the folders of the MNRE files and pictures")
    data, images = (Path(os.environ[name]) for name in names)
    pictures = {path.stem for path in images.glob("*.jpg")}
    mnre = write_excerpt(data, pictures, tmp_path / "mnre")
    words = [*write_parts(tmp_path), "--data_dir", str(mnre), "--image_dir", str(images)]
    words = without_boxes(words, save_tiny_yolo(tmp_path / "yolo.pt"))
    result = run.main([*words, "--on_missing_image", "none"])
    counts = result["pictures"]
    assert sum(of_split["pictures"] for of_split in counts.values()) == len(pictures)
    assert counts["train"]["rows_without_picture"] == len(load_mnre(mnre)["train"].features["relation"].names)
    assert counts["validation"]["rows_without_picture"] == counts["test"]["rows_without_picture"] == 0
    assert np.isfinite(result["metrics"]["test"]["loss"])


def write_excerpt(data: Path, pictures: set[str], folder: Path) -> Path:
    """MNRE's rows that have one of these images; to train on also a row of each relation, without one."""
    folder.mkdir()
    for split in ("train", "val", "test"):
        kept, relations = [], {}
        with open(data / f"mnre_{split}.txt", encoding="utf-8") as lines:
            for line in lines:
                row = ast.literal_eval(line)
                if row["img_id"].removesuffix(".jpg") in pictures:
                    kept.append(line)
                else:
                    relations.setdefault(row["relation"], line)
        kept += relations.values() if split == "train" else []
        (folder / f"mnre_{split}.txt").write_text("".join(kept), encoding="utf-8")
        for name in (f"detect_{split}.json", f"llavanext_{split}.json"):
            shutil.copy(data / name, folder / name)
    return folder


@pytest.mark.parametrize("detector", [False, True])
def test_an_llm_selects_nodes_of_images_that_the_run_looks_at(tmp_path, monkeypatch, detector):
    class Boxes:
        def detect(self, images):
            return [[DetectedObject("man", 0.9 - i / 10, (i, 1, 20 + i, 30)) for i in range(5)] for _ in images]

    monkeypatch.setattr(visual_steps, "load_detector", lambda name: Boxes())

    def answer(body):
        return '{"objects": [1]}' if asks_for(body) == "objects" else '{"phrases": ["red jersey"]}'

    mnre = write_mnre(tmp_path / "mnre", sentences=4, images=True)
    words = [*write_parts(tmp_path), *of_data(mnre), "--max_objects", "1", "--read_test", "false"]
    if detector:
        words = without_boxes(words, "drawn")
    with ChatServer(answer) as server:
        words += [
            "--selector",
            "words",
            "--visual_selector",
            server.url,
            "--selection_cache",
            str(tmp_path / "answers"),
        ]
        result = run.main(words)
    assert {asks_for(body) for body in server.requests} == {"image", "objects"}
    assert all(body["messages"][0]["content"][0]["type"] == "image_url" for body in server.requests)
    assert server.requests and result["node_selection"]["asked"] and not result["node_selection"]["fell back"]
    assert np.isfinite(result["metrics"]["validation"]["loss"])
