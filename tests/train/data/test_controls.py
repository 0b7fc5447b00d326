"""Controls: what is taken from the rows, in each setting, and what a run makes of it."""

import pytest
import torch
from datasets import Image as ImageFeature
from mnre_fixture import write_mnre
from PIL import Image
from tiny import tiny_image_processor, tiny_model, tiny_processor, tiny_torchvision_vgg, tiny_vgg_config

from train import run
from train.data.collator import PairCollator
from train.data.constant_objects import add_features_with_constant_objects
from train.data.controls import BLANK_DESCRIPTION, apply_control, reference_row, same_objects
from train.data.image_reader import ImageReader
from train.data.visual_features import ImageEncoder, add_features
from vmhan.data.mnre import load_mnre

KNOWN = ("description", "object_names", "object_boxes")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_mnre(tmp_path_factory.mktemp("mnre"), sentences=8, images=True)


@pytest.fixture(scope="module")
def splits(folder):
    return load_mnre(folder, image_dir=folder / "images").cast_column("image", ImageFeature(decode=False))


def what_rows_know(rows) -> set[str]:
    return {str([row[name] for name in KNOWN]) for row in rows.select_columns(list(KNOWN))}


@pytest.mark.parametrize("control", ["none", "text_only", "shuffled_images", "blank_images", "constant_objects"])
def test_a_control_leaves_sentences_pairs_and_relations_alone(control, splits, tmp_path):
    changed = apply_control(splits, control, seed=0, folder=tmp_path)
    for name, rows in splits.items():
        assert changed[name].features == rows.features
        for column in ("line", "words", "mentions", "head_span", "tail_span", "relation", "image_id"):
            assert changed[name][column] == rows[column]


def test_text_only_knows_nothing_of_images_and_scores_as_without_any(splits, tmp_path):
    hidden = apply_control(splits, "text_only", 0, tmp_path)["train"]
    assert what_rows_know(hidden) == {str([None, [], []])} and set(hidden["image"]) == {None}
    model, processor = tiny_model(), tiny_processor()
    rows, plain = list(hidden), list(splits["train"])
    with torch.no_grad():
        logits = [
            model(**PairCollator(processor, setting)(of)).logits
            for setting, of in (("described", rows), ("text_only", plain), ("described", plain))
        ]
    torch.testing.assert_close(logits[0], logits[1])
    assert not torch.allclose(logits[0], logits[2])


def test_blank_images_are_all_the_same_image_and_words(splits, tmp_path):
    blank = apply_control(splits, "blank_images", 0, tmp_path / "new")
    for rows in blank.values():
        assert what_rows_know(rows) == {str([BLANK_DESCRIPTION, [], []])}
        (path,) = {image["path"] for image in rows["image"]}
    assert len(Image.open(path).getcolors()) == 1
    described = load_mnre(splits["train"][0]["image"]["path"].rsplit("/", 2)[0])
    apply_control(described, "blank_images", 0, tmp_path / "unused")
    assert not (tmp_path / "unused").exists(), "a picture that nobody looks at"


def test_constant_objects_are_those_of_one_image_and_descriptions_stay(splits):
    reference = reference_row(splits["train"])
    row = splits["train"][reference]
    counts = [len(other["object_names"]) + len(other["object_boxes"]) for other in splits["train"]]
    assert counts[reference] == max(counts) and reference == counts.index(max(counts))
    for name, rows in same_objects(splits, row).items():
        assert all(names == row["object_names"] for names in rows["object_names"])
        assert all(boxes == row["object_boxes"] for boxes in rows["object_boxes"])
        assert rows["description"] == splits[name]["description"]


def test_constant_objects_of_pixels_come_out_of_one_image(splits, tmp_path):
    model = tiny_model(visual_features=["pixels"], vision_config=tiny_vgg_config())
    model.vmhan.vision_model.load_state_dict(tiny_torchvision_vgg().state_dict(), strict=False)
    processor = tiny_processor(image_processor=tiny_image_processor())
    encoder, reader = ImageEncoder(model.vmhan, processor), ImageReader()
    reference = reference_row(splits["train"])
    key = "image_key"
    named, features = add_features(splits, encoder, tmp_path, reader)
    same = same_objects(splits, splits["train"][reference])
    constant, of_constant = add_features_with_constant_objects(same, reference, encoder, tmp_path, reader)
    expected = torch.tensor(features[named["train"][reference][key]][1:])
    assert len(expected) == len(splits["train"][reference]["object_boxes"]) > 0
    for split, rows in constant.items():
        for row, before in zip(rows, named[split], strict=True):
            values = torch.tensor(of_constant[row[key]])
            torch.testing.assert_close(values[1:], expected)
            torch.testing.assert_close(values[0], torch.tensor(features[before[key]][0]), rtol=0, atol=1e-2)
            assert row["object_boxes"] == splits["train"][reference]["object_boxes"]
    batch = PairCollator(processor, "pixels", features=of_constant)(list(constant["train"]))
    assert batch["visual_states"].shape[1] == 1 + len(expected)


def test_each_control_is_a_flag_of_a_run_and_stands_in_its_result(finished_words, tmp_path):
    words = finished_words(tmp_path, "--read_test", "false", "--overwrite_output_dir", "true")
    losses = {}
    for control in ("none", "text_only", "shuffled_images", "blank_images", "constant_objects"):
        result = run.main([*words, "--control", control])
        assert result["control"] == result["config"]["data"]["control"] == control
        assert result["protocol"] == "clean"
        losses[control] = result["metrics"]["validation"]["loss"]
    blind = run.main([*words, "--visual_setting", "text_only"])
    assert losses.pop("text_only") == pytest.approx(blind["metrics"]["validation"]["loss"])
    assert len(set(losses.values())) == 4
