"""Own files as other programs write them: encodings, blank lines, JSON, endings of images."""

import ast
import codecs
import json
import logging

import pytest
from mnre_fixture import write_mnre
from more_fixture import write_more
from PIL import Image

from vmhan.data.mnre import load_mnre, mnre_checksums
from vmhan.data.more import load_more


@pytest.fixture
def folder(tmp_path):
    return write_mnre(tmp_path / "mnre", sentences=8, images=True)


def rewrite(folder, change, pattern="mnre_*.txt"):
    """Changes the bytes of the files of a folder."""
    for path in folder.glob(pattern):
        path.write_bytes(change(path.read_bytes()))


def as_json(text: bytes, **how) -> bytes:
    return "".join(json.dumps(ast.literal_eval(line), **how) + "\n" for line in text.decode().splitlines()).encode()


def rows_of(folder, **settings):
    return {split: rows.to_list() for split, rows in load_mnre(folder, **settings).items()}


SAME_ROWS = {
    "a byte order mark": lambda text: codecs.BOM_UTF8 + text,
    "a byte order mark in the middle, as of files put together": lambda text: text.replace(
        b"\n{", b"\n" + codecs.BOM_UTF8 + b"{", 1
    ),
    "line ends of Windows": lambda text: text.replace(b"\n", b"\r\n"),
    "blank lines at the end": lambda text: text + b"\n \t\r\n\n",
    "no last line end": lambda text: text.rstrip(b"\n"),
    "JSON": as_json,
    "JSON with a byte order mark and line ends of Windows": lambda text: (
        codecs.BOM_UTF8 + as_json(text).replace(b"\n", b"\r\n")
    ),
    "JSON with letters as they are": lambda text: as_json(text, ensure_ascii=False),
    "JSON with null, true and false": lambda text: as_json(text).replace(
        b'"relation"', b'"note": null, "checked": true, "old": false, "relation"'
    ),
}


@pytest.mark.parametrize("change", SAME_ROWS.values(), ids=SAME_ROWS.keys())
def test_what_other_programs_write_gives_the_same_rows(folder, change):
    rows = rows_of(folder)
    assert any(word == "🚆" for row in rows["train"] for word in row["words"])
    rewrite(folder, change)
    assert rows_of(folder) == rows


def test_blank_lines_are_no_rows_and_count_as_lines(folder, tmp_path):
    rows = rows_of(folder)
    rewrite(folder, lambda text: b"\n" + text.replace(b"\n", b"\n\r\n"))
    spaced = rows_of(folder, on_error="skip", report_path=tmp_path / "bad.jsonl")
    assert (tmp_path / "bad.jsonl").read_text() == ""
    for split, of_split in spaced.items():
        assert [row.pop("line") for row in of_split] == [2 * row.pop("line") for row in rows[split]]
        assert of_split == rows[split]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_wide_characters_are_named_as_the_fault_of_the_file(folder, encoding):
    rewrite(folder, lambda text: text.decode().encode(encoding), "mnre_val.txt")
    with pytest.raises(ValueError, match=r"mnre_val\.txt is in UTF-16 or UTF-32; save it as UTF-8"):
        load_mnre(folder, on_error="skip")


@pytest.mark.parametrize("key", ["relation", "img_id", "token", "h", "t"])
def test_a_null_where_something_is_needed_is_a_bad_line(folder, key):
    rewrite(folder, lambda text: as_json(text), "mnre_train.txt")
    lines = (folder / "mnre_train.txt").read_text().splitlines()
    lines[2] = json.dumps(json.loads(lines[2]) | {key: None})
    (folder / "mnre_train.txt").write_text("\n".join(lines))
    with pytest.raises(ValueError, match=r"mnre_train\.txt, line 3: .*None"):
        load_mnre(folder)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_json_files_may_be_in_any_encoding_of_json(folder, encoding):
    rows = rows_of(folder)
    rewrite(folder, lambda text: text.decode().encode(encoding), "*.json")
    assert rows_of(folder) == rows


def test_null_says_that_nothing_is_known_of_an_image(folder):
    image = "twitter_invented_train_0"
    for path, key in ((folder / "llavanext_train.json", image), (folder / "detect_train.json", f"{image}.jpg")):
        path.write_text(json.dumps(json.loads(path.read_text()) | {key: None}))
    row = load_mnre(folder)["train"][0]
    assert row["description"] is None and row["object_names"] == row["object_boxes"] == []


ENDINGS = (".jpg", ".JPG", ".jpeg", ".JPEG", ".png", ".PNG", ".webp", ".WebP", ".bmp", ".gif", ".tif", ".TIFF")


@pytest.mark.parametrize("full", [False, True], ids=["img_id without ending", "img_id with ending"])
@pytest.mark.parametrize("ending", ENDINGS)
def test_images_descriptions_and_boxes_are_found_with_any_ending(folder, ending, full):
    rows = rows_of(folder)["train"]
    image = "twitter_invented_train_0"
    (folder / "images" / f"{image}.jpg").unlink()
    Image.new("RGB", (5, 7)).save(folder / "images" / f"{image}{ending}")
    for name in ("llavanext_train", "detect_train"):
        entries = json.loads((folder / f"{name}.json").read_text())
        value = entries.pop(image, None) or entries.pop(f"{image}.jpg")
        (folder / f"{name}.json").write_text(json.dumps(entries | {image + ending: value}))
    rewrite(folder, lambda text: text.replace(f"{image}.jpg".encode(), (image + ending * full).encode()))
    row = load_mnre(folder, image_dir=folder / "images", on_missing_image="raise")["train"][0]
    assert row["image"].size == (5, 7)
    assert row["description"] == rows[0]["description"] and row["object_boxes"] == rows[0]["object_boxes"] != []


def test_of_several_images_of_one_name_the_same_is_always_taken_and_logged(folder, caplog):
    images = folder / "images"
    for side, ending in enumerate((".webp", ".png", ".PNG", ".JPG"), start=1):
        Image.new("RGB", (side, side)).save(images / f"twitter_invented_train_1{ending}")
    with caplog.at_level(logging.WARNING, "vmhan"):
        data = load_mnre(folder, image_dir=images)["train"]
    assert data[3]["image"].size == (64, 48)
    assert f"1 images have several names in {images}: twitter_invented_train_1.jpg is taken, not " in caplog.text
    (images / "twitter_invented_train_1.jpg").unlink()
    assert load_mnre(folder, image_dir=images)["train"][3]["image"].size == (4, 4)
    (images / "twitter_invented_train_1.JPG").unlink()
    assert load_mnre(folder, image_dir=images)["train"][3]["image"].size == (2, 2)


def test_a_full_name_gets_that_very_image(folder, caplog):
    images, image = folder / "images", "twitter_invented_train_1"
    Image.new("RGB", (2, 2)).save(images / f"{image}.png")
    rewrite(folder, lambda text: text.replace(f"{image}.jpg".encode(), f"{image}.png".encode()))
    with caplog.at_level(logging.WARNING, "vmhan"):
        assert load_mnre(folder, image_dir=images)["train"][3]["image"].size == (2, 2)
    assert "several names" not in caplog.text


def test_images_in_folders_below_are_not_found(folder):
    images = folder / "images"
    (images / "below").mkdir()
    (images / "twitter_invented_train_1.jpg").rename(images / "below" / "twitter_invented_train_1.jpg")
    with pytest.raises(FileNotFoundError, match=r'"twitter_invented_train_1.jpg" of line 4 of train .*another ending'):
        load_mnre(folder, image_dir=images, on_missing_image="raise")


def test_images_with_any_ending_are_in_the_checksum(folder):
    before = mnre_checksums(folder, image_dir=folder / "images")["images"]
    Image.new("RGB", (2, 2)).save(folder / "images" / "twitter_invented_train_0.WEBP", "WEBP")
    assert mnre_checksums(folder, image_dir=folder / "images")["images"] != before


def test_more_finds_images_objects_and_captions_with_any_ending(tmp_path):
    folder = write_more(tmp_path)
    rows = load_more(folder)["train"].to_list()
    (folder / "img_org/train/invented-train-0.jpg").rename(folder / "img_org/train/invented-train-0.JPEG")
    captions = json.loads((folder / "caption_dict.json").read_text())
    captions["invented-train-0.png"] = captions.pop("invented-train-0.jpg")
    captions["invented-train-1.jpg"] = None
    (folder / "caption_dict.json").write_text(json.dumps(captions))
    text = (folder / "txt/train.txt").read_text()
    (folder / "txt/train.txt").write_text(text.replace("invented-train-0.jpg", "invented-train-0"))
    read = load_more(folder, image_dir=folder / "img_org", on_missing_image="raise")["train"]
    assert read[0]["image"].size == (64, 48) and read[0]["entity_captions"] == rows[0]["entity_captions"]
    assert read[0]["entity_boxes"] == rows[0]["entity_boxes"] and read[15]["entity_captions"] == [None, None]
