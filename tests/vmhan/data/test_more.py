"""MORE's files, as published, become checked rows; what is wrong with them is named."""

import ast
import json
import logging
import pickle

import pytest
import torch
from more_fixture import RELATIONS, write_more

from vmhan.data.more import load_more, more_checksums
from vmhan.data.parsing import BadLine


@pytest.fixture
def folder(tmp_path):
    return write_more(tmp_path / "more")


def edit_line(path, number, **changes):
    """Changes keys of one line (from 1)."""
    lines = path.read_text(encoding="utf-8").splitlines()
    lines[number - 1] = repr(ast.literal_eval(lines[number - 1]) | changes)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def edit_object(path, image, name, box):
    """Changes, or with None deletes, an object of an image."""
    objects = torch.load(path, weights_only=True)
    objects[image][name] = box
    objects[image] = {name: box for name, box in objects[image].items() if box is not None}
    torch.save(objects, path)


def test_rows_hold_a_head_in_the_text_and_a_tail_among_the_objects(folder):
    data = load_more(folder, image_dir=folder / "img_org")
    assert {split: len(rows) for split, rows in data.items()} == {"train": 60, "validation": 20, "test": 20}
    row = data["train"][6]
    assert row["line"] == 7 and row["image_id"] == "invented-train-0" and row["image"].size == (64, 48)
    assert row["words"][slice(*row["head_span"])] != row["words"][: row["head_span"][1]]
    assert data["train"].features["relation"].int2str(row["relation"]) == "/org/obj/logo_of"
    assert row["tail_object"] == 1 and row["entity_boxes"][1] == pytest.approx([0.75, 0.25, 0.3, 0.4])
    assert row["entity_captions"][1] == "a round blue sign" and row["entity_captions"][4] is None
    assert row["object_boxes"] == row["entity_boxes"] and row["description"] is None and row["object_names"] == []
    assert len(row["mentions"]) == 3 and row["head_span"] in row["mentions"]
    assert "tail_span" not in row


def test_relations_keep_their_ids(folder):
    ids = {"none": 2, "/per/per/self": 0, "/org/obj/logo_of": 3, "/loc/obj/seen_in": 1}
    (folder / "rel2id.json").write_text(json.dumps(ids))
    names = load_more(folder)["test"].features["relation"].names
    assert [ids[name] for name in names] == [0, 1, 2, 3]


def test_what_belongs_to_an_image_is_the_same_in_all_its_rows(folder):
    of_image = {}
    for row in load_more(folder)["train"]:
        known = row["entity_boxes"], row["entity_captions"], row["object_boxes"], row["mentions"]
        assert of_image.setdefault(row["image_id"], known) == known
    assert len(of_image) == 9


def test_an_object_box_may_be_a_tensor_or_a_list(folder):
    rows = load_more(folder)["train"].to_list()
    edit_object(folder / "ent_train_dict.pth", "invented-train-0.jpg", "[OBJ0]", torch.tensor([0.3, 0.6, 0.4, 0.6]))
    edit_object(folder / "ent_train_dict.pth", "invented-train-0.jpg", "[OBJ1]", [0.75, 0.25, 0.3, 0.4])
    assert load_more(folder)["train"].to_list() == rows


def test_what_rounding_put_outside_of_the_image_is_cut_off(folder):
    edit_object(folder / "ent_test_dict.pth", "invented-test-0.jpg", "[OBJ0]", (0.5, 0.5, 1.0005, 1.0))
    assert load_more(folder)["test"][0]["entity_boxes"][0] == [0.5, 0.5, 1.0, 1.0]


@pytest.mark.parametrize(
    "name",
    [
        "txt/valid.txt",
        "ent_test_dict.pth",
        "rel2id.json",
        "caption_dict.json",
    ],
)
def test_a_missing_file_is_named_with_the_fix(folder, name):
    (folder / name).unlink()
    with pytest.raises(FileNotFoundError, match=rf"{name} is missing; (set data_dir|.* turn captions off)"):
        load_more(folder)


def test_captions_can_be_left_out(folder):
    (folder / "caption_dict.json").unlink()
    assert load_more(folder, captions=False)["train"][0]["entity_captions"] == [None] * 5


def test_a_missing_picture_is_named_or_counted(folder, caplog):
    (folder / "img_org/valid/invented-valid-1.jpg").unlink()
    with pytest.raises(FileNotFoundError, match=r'"invented-valid-1.jpg" of line 16 of validation .* set image_dir'):
        load_more(folder, image_dir=folder / "img_org", on_missing_image="raise")
    with caplog.at_level(logging.WARNING, "vmhan"):
        data = load_more(folder, image_dir=folder / "img_org")
    assert data["validation"][15]["image"] is None and "4 of 20 rows of validation have no image" in caplog.text


def test_a_missing_folder_of_pictures_is_named(folder):
    with pytest.raises(FileNotFoundError, match=r"nowhere/train is not a folder; set image_dir"):
        load_more(folder, image_dir=folder / "nowhere")


BROKEN = {
    "no literal": (None, "not a Python literal"),
    "an unknown relation": ({"relation": "/per/obj/owns"}, r"the relation '/per/obj/owns' is not in rel2id.json"),
    "an unknown object": ({"t": {"name": "[OBJ9]"}}, r"the tail '\[OBJ9\]' is none of the objects .* of \"invented"),
    "a tail without a name": ({"t": {"pos": [0.5, 0.5, 0.1, 0.1]}}, "the tail None is none of the objects"),
    "a tail that is no dict": ({"t": "[OBJ0]"}, "the tail None is none of the objects"),
    "an unhashable name": ({"t": {"name": ["[OBJ0]"]}}, "is none of the objects"),
    "an unknown image": ({"img_id": "other.jpg"}, 'the image "other.jpg" is not in ent_train_dict.pth'),
    "a head past the end": ({"h": {"name": "x", "pos": [0, 99]}}, r"head_span \(0, 99\) is outside"),
    "no words": ({"token": []}, '"token" is not a list'),
}


@pytest.mark.parametrize("fault, why", BROKEN.values(), ids=BROKEN.keys())
def test_a_bad_line_is_named_or_left_out(folder, tmp_path, fault, why):
    path = folder / "txt/train.txt"
    if fault is None:
        path.write_text(path.read_text().replace("{", "[", 1))
        line = 1
    else:
        edit_line(path, line := 3, **fault)
    with pytest.raises(BadLine, match=rf"train.txt, line {line}: .*{why}"):
        load_more(folder)
    data = load_more(folder, on_error="skip", report_path=tmp_path / "bad.jsonl")
    assert len(data["train"]) == 59 and json.loads((tmp_path / "bad.jsonl").read_text())["line"] == line


@pytest.mark.parametrize(
    "box, why",
    [
        ((0.9, 0.5, 0.4, 0.5), "reaches out of the image"),
        ((30.0, 20.0, 10.0, 10.0), "reaches out of the image"),
        ((0.5, 0.5, float("nan"), 0.5), "reaches out of the image"),
        ((0.5, 0.5, 0.5), "is not four numbers"),
        ("0.5 0.5 0.5 0.5", "is not four numbers"),
    ],
)
def test_a_wrong_box_is_named_with_its_object_and_line(folder, box, why):
    edit_object(folder / "ent_train_dict.pth", "invented-train-1.jpg", "[OBJ1]", box)
    with pytest.raises(BadLine, match=rf'line 16: .*"\[OBJ1\]" of "invented-train-1.jpg" in ent_train.* {why}'):
        load_more(folder)
    assert len(load_more(folder, on_error="skip")["train"]) == 56


class Bomb:
    def __reduce__(self):
        return (pytest.fail, ("a pickle was loaded",))


@pytest.mark.parametrize("save", [torch.save, lambda value, path: path.write_bytes(pickle.dumps(value))])
def test_pickles_are_never_loaded(folder, save):
    save({"invented-train-0.jpg": Bomb()}, folder / "ent_train_dict.pth")
    with pytest.raises(ValueError, match=r"ent_train_dict.pth cannot be read safely .* save it again"):
        load_more(folder)


@pytest.mark.parametrize("content", [b"", b"no archive", b"{}"])
def test_a_dictionary_that_is_none_is_named(folder, content):
    (folder / "ent_valid_dict.pth").write_bytes(content)
    with pytest.raises(ValueError, match=r"ent_valid_dict.pth cannot be read safely"):
        load_more(folder)


def test_a_dictionary_of_something_else_is_named(folder):
    torch.save([1, 2], folder / "ent_valid_dict.pth")
    with pytest.raises(ValueError, match=r"ent_valid_dict.pth is not a dict of the objects"):
        load_more(folder)


@pytest.mark.parametrize(
    "name, content, why",
    [
        ("rel2id.json", [], "is not one JSON object"),
        ("rel2id.json", {"none": 0, "/a": 2}, "does not number its 2 relations from 0"),
        ("rel2id.json", {"/a": 0, "/b": 1}, "None of the labels looks like the negative label"),
        ("caption_dict.json", {"invented-train-0.jpg": "a dog"}, "not a caption for each object"),
        ("caption_dict.json", {"invented-train-0.jpg": {"[OBJ0]": 3}}, "not a caption for each object"),
    ],
)
def test_a_json_file_of_another_shape_is_refused(folder, name, content, why):
    (folder / name).write_text(json.dumps(content))
    with pytest.raises(ValueError, match=why):
        load_more(folder)


def test_limit_keeps_the_first_rows_and_all_mentions(folder):
    data = load_more(folder, limit=2)
    assert len(data["train"]) == 2 and len(data["train"][0]["mentions"]) == 3
    assert data["train"].features["relation"].names == RELATIONS


def test_checksums_cover_what_is_read(folder):
    names = {f"{split}.txt" for split in ("train", "valid", "test")} | {"rel2id.json"}
    names |= {f"ent_{split}_dict.pth" for split in ("train", "valid", "test")}
    before = more_checksums(folder, captions=False)
    assert set(before) == names
    edit_line(folder / "txt/test.txt", 1, relation="none")
    after = more_checksums(folder, image_dir=folder / "img_org")
    assert set(after) == names | {"caption_dict.json", "images"}
    assert {name for name in before if before[name] != after[name]} == {"test.txt"}
    (folder / "img_org/test/invented-test-1.jpg").write_bytes(b"another picture")
    assert more_checksums(folder, image_dir=folder / "img_org")["images"] != after["images"]
