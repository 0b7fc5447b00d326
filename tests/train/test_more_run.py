"""MORE end to end: a run of its settings with tiny encoders, from the files to an answer of the finished model."""

import json
import logging
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from datasets import Image as ImageFeature
from more_fixture import MINI, PAPER, RELATIONS, save_text_encoder, words_of, write_more
from tiny import VISUAL_WIDTH, tiny_model, tiny_processor, tiny_torchvision_vgg
from tiny_detectors import save_tiny_yolo
from transformers import pipeline

from hub.card import make_card
from train import run
from train.data.collator import PairCollator
from train.data.controls import BLANK_DESCRIPTION, apply_control
from train.data.image_reader import seen_boxes
from train.data.side_inputs import clean_inputs
from train.trainer import PairTrainer
from vmhan.data.more import load_more
from vmhan.evaluation.audit import audit

Undecoded = ImageFeature(decode=False)


def save_encoders(folder):
    """A BERT, a VGG of torchvision and a YOLOv3-tiny of ultralytics, all random."""
    save_text_encoder(folder)
    torch.save(tiny_torchvision_vgg().state_dict(), folder / "vgg.pth")
    save_tiny_yolo(folder / "yolo.pt")


@pytest.fixture(scope="module")
def parts(tmp_path_factory):
    """A folder with data and encoders."""
    folder = tmp_path_factory.mktemp("more")
    save_encoders(folder)
    write_more(folder / "more")
    return folder


@pytest.fixture(scope="module")
def paper(parts):
    """Words and result of a run of the paper's setting."""
    words = words_of(parts, PAPER)
    return words, run.main(words)


@pytest.fixture(scope="module")
def mini(parts):
    """Words and result of a run without pixels, long enough to learn something."""
    changes = {"hidden_size": 16, "output_dir": parts / "mini", "num_train_epochs": 16, "learning_rate": 3e-3}
    changes |= {f"{name}_dropout": 0 for name in ("message", "classifier", "word")} | {"head_learning_rate": 1e-2}
    words = words_of(parts, MINI, **changes, warmup_steps=0, lr_scheduler_type="constant")
    words += ["--eval_strategy", "no", "--save_strategy", "no", "--load_best_model_at_end", "false"]
    return words, run.main([*words, "--weight_average", "0", "--per_device_train_batch_size", "8"])


def test_the_papers_setting_trains_and_says_what_it_saw(paper):
    _, result = paper
    settings = result["config"]
    assert settings["data"]["corpus"] == "more" and settings["model"]["no_relation"] == "none"
    training = settings["training"]
    assert (training["learning_rate"], training["weight_decay"]) == (2e-5, 0.01)
    assert training["per_device_train_batch_size"] == 16 and settings["model"]["classifier_dropout"] == 0.6
    assert settings["data"]["max_objects"] == 3 and settings["model"]["visual_features"] == ["pixels"]
    assert result["pictures"]["train"]["pictures"] == 9 and len(result["data"]["images"]) == 64
    assert result["pair_order"] == {} and result["protocol"] == "clean"


@pytest.mark.data
def test_the_papers_setting_runs_on_real_images(parts, tmp_path):
    if "MNRE_IMAGES_DIR" not in os.environ:
        pytest.skip("set MNRE_IMAGES_DIR to the folder of the MNRE pictures")
    folder = write_more(tmp_path / "more", titles=6)  # invented titles, of which each gets a picture
    places = sorted(folder.glob("img_org/*/*.jpg"))
    pictures = sorted(Path(os.environ["MNRE_IMAGES_DIR"]).glob("*.jpg"))
    for place, picture in zip(places, pictures, strict=True):
        shutil.copy(picture, place)
    changes = {"data_dir": folder, "image_dir": folder / "img_org", "output_dir": tmp_path, "results_dir": tmp_path}
    result = run.main(words_of(parts, PAPER, **changes))
    assert sum(of_split["pictures"] for of_split in result["pictures"].values()) == len(pictures) == 12
    assert np.isfinite(result["metrics"]["test"]["loss"])


def test_metrics_leave_none_out_and_ask_for_no_direction(paper):
    test = paper[1]["metrics"]["test"]
    assert test["rows"] == 20 and np.isfinite(test["loss"])
    assert list(test["per_relation"]) == RELATIONS[1:] and "direction_unknown" not in test
    assert sum(of["support"] for of in test["per_relation"].values()) == 5


def test_a_model_learns_which_object_the_tail_is(mini):
    metrics = mini[1]["metrics"]["test"]
    assert metrics["f1"] > 0.6, "the head alone cannot tell the related object from the others"


def test_evaluating_the_finished_model_gives_the_numbers_of_the_run(parts, paper, tmp_path):
    words, result = paper
    changes = ["--checkpoint", str(parts / "run" / "final"), "--results_dir", str(tmp_path)]
    again = run.main([*words, *changes])
    assert again["metrics"]["test"]["loss"] == pytest.approx(result["metrics"]["test"]["loss"], rel=1e-5)


def test_the_card_shows_how_to_ask_for_an_object(parts, mini):
    result = json.loads(json.dumps(mini[1]))
    assert "Measured on own data" in make_card(parts / "mini" / "final", "ada/more", result).text
    card = make_card(parts / "mini" / "final", "ada/more", result, dataset_name="MORE")
    assert "[MORE](https://github.com/NJUNLP/MORE)" in card.text and '{"box": [40, 10, 210, 300]}' in card.text
    assert "`description` and `objects` are optional" in card.text and "the `image`, which is needed" in card.text
    assert "both\nways" not in card.text and "without none" in card.content and "widget" not in card.data.to_dict()


@pytest.mark.parametrize("setting", ["paper", "mini"])
def test_the_finished_model_answers_for_an_object(parts, setting, request):
    request.getfixturevalue(setting)
    folder = parts / ("run" if setting == "paper" else "mini") / "final"
    extract = pipeline("multimodal-relation-extraction", model=str(folder))
    entity = {"box": [5, 14, 32, 43], "label": "a woman in a red coat"}
    image = str(parts / "more/img_org/test/invented-test-0.jpg")
    answer = extract({"text": "Mira Oland arrives", "entities": ["Mira Oland", entity], "image": image})
    (pair,) = answer["pairs"]
    assert pair["tail"]["box"] == entity["box"] and set(pair["scores"]) == set(RELATIONS)


def test_what_the_model_sees_of_a_tail_is_what_its_box_holds(parts):
    rows = load_more(parts / "more", captions=False)["train"]
    seen = {}
    for tail in range(5):
        row = next(row for row in rows if row["tail_object"] == tail)
        states = np.arange(6 * VISUAL_WIDTH, dtype=np.float32).reshape(6, VISUAL_WIDTH)
        collate = PairCollator(tiny_processor(), "pixels", features={"a": states})
        batch = collate([{**row, "image_key": "a"}])
        place = 1 + int(batch["tail_object"])
        assert torch.equal(batch["visual_states"][0, place], torch.tensor(states[1 + tail]))
        assert batch["object_boxes"][0, tail].tolist() == pytest.approx(row["entity_boxes"][tail])
        seen[tail] = batch["pair_object_mask"][0].nonzero().flatten().tolist()
    assert seen == {0: [1, 2, 3], 1: [0, 2, 3], 2: [0, 1, 3], 3: [0, 1, 2], 4: [0, 1, 2]}


def test_detected_objects_stand_beside_a_tail_and_are_no_tails(parts):
    row = load_more(parts / "more")["train"][1]
    row["object_boxes"] = [[0.5, 0.5, 0.25, 0.25], row["entity_boxes"][1], row["entity_boxes"][0]]
    batch = PairCollator(tiny_processor(), "described")([row])
    assert len(seen_boxes(row)) == 6 == batch["object_mask"].shape[1] and batch["tail_object"].tolist() == [1]
    assert batch["pair_object_mask"][0].nonzero().flatten().tolist() == [0, 5]


def test_pairs_of_a_title_share_one_encoding_and_one_image(parts):
    rows = load_more(parts / "more")["train"].select(range(15)).to_list()
    batch = PairCollator(tiny_processor(), "described")(rows)
    assert len(batch["input_ids"]) == 1 == len(batch["object_boxes"]) and len(batch["tail_object"]) == 15
    assert batch["tail_object"].tolist() == [row["tail_object"] for row in rows]
    assert batch["labels"].tolist() == [row["relation"] for row in rows]


def test_on_a_blank_image_no_tail_is_told_from_another(parts, tmp_path):
    splits = load_more(parts / "more", image_dir=parts / "more" / "img_org").cast_column("image", Undecoded)
    rows = apply_control(splits, "blank_images", 0, tmp_path)["train"].select(range(5)).to_list()
    assert len({str(row["head_span"]) for row in rows}) == 1 and len({row["tail_object"] for row in rows}) == 5
    assert {row["image"]["path"] for row in rows} == {str(tmp_path / "blank.png")}
    captioned = [{**row, "entity_captions": [BLANK_DESCRIPTION] * 5} for row in rows]  # one of them has none
    model = tiny_model(visual_features=["text", "box"])
    with torch.no_grad():
        logits = model(**PairCollator(tiny_processor(), "described")(captioned)).logits
    torch.testing.assert_close(logits, logits[:1].expand(5, -1))


def test_shuffled_images_leave_a_tail_its_box_and_show_another_image_in_it(parts, tmp_path):
    splits = load_more(parts / "more", image_dir=parts / "more" / "img_org").cast_column("image", Undecoded)
    shuffled = apply_control(splits, "shuffled_images", 0, tmp_path)
    for name, rows in shuffled.items():
        for row, before in zip(rows, splits[name], strict=True):
            assert row["image"]["path"] != before["image"]["path"]
            assert (row["entity_boxes"], row["tail_object"]) == (before["entity_boxes"], before["tail_object"])
            of_other = next(rows for rows in splits[name] if rows["image"]["path"] == row["image"]["path"])
            assert set(row["entity_captions"]) <= set(of_other["entity_captions"])
            assert len(row["entity_captions"]) == len(row["entity_boxes"])


@pytest.mark.parametrize("settings", [PAPER, MINI])
@pytest.mark.parametrize("control", ["shuffled_images", "blank_images"])
def test_controls_are_flags_of_a_run(parts, tmp_path, settings, control):
    places = {"output_dir": tmp_path / "run", "results_dir": tmp_path, "read_test": "false"}
    result = run.main(words_of(parts, settings, control=control, **places))
    assert result["control"] == control and np.isfinite(result["metrics"]["validation"]["loss"])


def test_a_split_without_rows_stops_the_run_before_it_trains(parts, tmp_path, monkeypatch):
    monkeypatch.setattr(PairTrainer, "train", lambda *args, **kwargs: pytest.fail("it has begun to train"))
    write_more(tmp_path / "more")
    changes = {"data_dir": tmp_path / "more", "image_dir": tmp_path / "more/img_org", "on_error": "skip"}
    changes |= {"output_dir": tmp_path / "run", "results_dir": tmp_path / "results"}
    for picture in (tmp_path / "more" / "img_org" / "test").iterdir():
        picture.write_bytes(b"")
    with pytest.raises(
        ValueError, match=r"All \d+ rows of test were left out.*test\.txt.*bad_lines.*--read_test false"
    ):
        run.main(words_of(parts, PAPER, **changes))
    del changes["image_dir"]
    for split in ("test", "train"):
        (tmp_path / "more" / "txt" / f"{split}.txt").write_text("")
        with pytest.raises(ValueError, match=rf"txt.{split}\.txt holds no entity pair.*rows of {split} there"):
            run.main(words_of(parts, MINI, **changes))


def test_rows_whose_image_is_broken_are_left_out_on_request(parts, tmp_path, caplog):
    folder = write_more(tmp_path / "more")
    (folder / "img_org/valid/invented-valid-1.jpg").write_bytes(b"no picture")
    words = words_of(parts, PAPER, data_dir=folder, image_dir=folder / "img_org", detector="", read_test="false")
    words += ["--output_dir", str(tmp_path / "run"), "--results_dir", str(tmp_path), "--on_error", "skip"]
    with caplog.at_level(logging.WARNING, "train"):
        result = run.main(words)
    assert result["metrics"]["validation"]["rows"] == 16 and "4 of 20 rows of validation are left out" in caplog.text
    assert len((tmp_path / "run" / "bad_lines.jsonl").read_text().splitlines()) == 4


@pytest.mark.parametrize(
    "settings, changes, why",
    [
        (MINI, {"visual_setting": "text_only"}, "visual_setting text_only .* there is no tail"),
        (MINI, {"control": "text_only"}, "control text_only .* blank_images takes away"),
        (MINI, {"control": "constant_objects"}, "control constant_objects .* is the tail"),
        (MINI, {"undirected_pairs": "true"}, "undirected_pairs .* head is in the text"),
        (MINI, {"selector": "words"}, "selector .* two entities of the text"),
        (MINI, {"boxes": "detect"}, "boxes .* bring their own"),
        (PAPER, {"on_missing_image": "none"}, "on_missing_image none .* needs its image"),
        (MINI, {"data_dir": "nowhere"}, r"nowhere/txt/train.txt is missing"),
    ],
)
def test_settings_that_do_not_fit_tails_that_are_objects_are_refused(parts, settings, changes, why):
    with pytest.raises((ValueError, FileNotFoundError), match=why):
        run.main(words_of(parts, settings, overwrite_output_dir="true", **changes))


def test_the_audit_asks_for_the_words_about_a_tail_and_not_for_what_the_task_gives(tmp_path):
    splits = load_more(write_more(tmp_path / "more", titles=30, images=False))
    findings = {item["name"]: item for item in audit(clean_inputs(splits), splits)}
    of_task = {name for name, item in findings.items() if item["of_task"]}
    assert of_task == {"boxes of the objects", "place of the tail"}
    words = findings["caption of the tail"]
    assert words["words"]["f1"] < 0.7 and words["leaks"] == [] and words["contradictions"]["contradicting"] == 0
