import ast
import json
import logging
import os
import pickle
from pathlib import Path

import pytest
from mnre_fixture import write_mnre

from vmhan import NO_RELATION
from vmhan.data.mnre import load_mnre, mnre_checksums
from vmhan.data.parsing import BadLine


@pytest.fixture
def folder(tmp_path):
    return write_mnre(tmp_path / "mnre", sentences=8, images=True)


@pytest.fixture(scope="module")
def real():
    if "MNRE_DIR" not in os.environ:
        pytest.skip("set MNRE_DIR to the folder of the MNRE files")
    return Path(os.environ["MNRE_DIR"])


@pytest.fixture(scope="module")
def published(real):
    return load_mnre(real)


def edit_line(path, number, **changes):
    """Changes keys of one line (from 1) of an MNRE file; a change to `None` drops the key."""
    lines = path.read_text(encoding="utf-8").splitlines()
    row = ast.literal_eval(lines[number - 1]) | changes
    lines[number - 1] = repr({key: value for key, value in row.items() if value is not None})
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def replace_line(path, number, text):
    lines = path.read_bytes().splitlines()
    lines[number - 1] = text
    path.write_bytes(b"\n".join(lines) + b"\n")


def edit_json(path, key, value):
    path.write_text(json.dumps(json.loads(path.read_text(encoding="utf-8")) | {key: value}), encoding="utf-8")


def entity(start, end):
    return {"name": "Vellin", "pos": [start, end]}


BROKEN = {
    "no literal": (b"{'token': ['a'", "not a Python literal"),
    "a call": (b"__import__('os').abort()", "not a Python literal"),
    "too deep": (b"(" * 100_000, "not a Python literal"),
    "no UTF-8": (b"'\xff\xfe'", "not a Python literal"),
    "an unhashable key": (b"{[]: 1}", "not a Python literal"),
    "JSON cut short": (b'{"token": ["a"', "not a Python literal or JSON"),
    "a list": (b"['a']", "not a dict"),
    "no keys": (b"{'token': ['a']}", "no h, t, img_id, relation in it"),
    "no words": ({"token": []}, '"token" is not a list'),
    "a word that is no string": ({"token": ["a", 7]}, '"token" is not a list'),
    "a blank word": ({"token": ["a", " "]}, '"token" is not a list'),
    "half an emoji": ({"token": ["a", "\ud83d"]}, '"token" is not a list'),
    "a path for an image": ({"img_id": "../a.jpg"}, '"img_id" is not a file name'),
    "a relation that is no string": ({"relation": 3}, '"relation" is no string'),
    "no pos": ({"h": {"name": "Vellin"}}, 'head_span is not a "pos"'),
    "a pos of words": ({"t": {"pos": ["a", "b"]}}, 'tail_span is not a "pos"'),
    "an empty span": ({"t": entity(2, 2)}, r"tail_span \(2, 2\) is empty or reversed"),
    "a reversed span": ({"h": entity(3, 1)}, r"head_span \(3, 1\) is empty or reversed"),
    "a span past the end": ({"t": entity(7, 99)}, r"tail_span \(7, 99\) is outside the \d+ words"),
    "a negative span": ({"h": entity(-2, 1)}, r"head_span \(-2, 1\) is outside"),
    "one span twice": ({"h": entity(0, 1), "t": entity(0, 1)}, r"both \(0, 1\)"),
}


@pytest.fixture(params=BROKEN.values(), ids=BROKEN.keys())
def broken(request, folder):
    """A folder whose training file has a bad line 5, and what is wrong with it."""
    fault, why = request.param
    if isinstance(fault, bytes):
        replace_line(folder / "mnre_train.txt", 5, fault)
    else:
        edit_line(folder / "mnre_train.txt", 5, **fault)
    return folder, why


def test_a_bad_line_stops_the_run_and_is_named(broken):
    folder, why = broken
    with pytest.raises(BadLine, match=f"mnre_train.txt, line 5: .*{why}") as error:
        load_mnre(folder)
    assert (error.value.path.name, error.value.line) == ("mnre_train.txt", 5)


def test_a_skipped_bad_line_is_counted_logged_and_reported(broken, tmp_path, caplog):
    folder, _ = broken
    report = tmp_path / "bad.jsonl"
    with caplog.at_level(logging.WARNING, "vmhan"):
        data = load_mnre(folder, on_error="skip", report_path=report)
    assert 5 not in data["train"]["line"] and len(data["train"]) == 19
    assert "1 bad lines left out" in caplog.text and "mnre_train.txt:5" in caplog.text
    (entry,) = map(json.loads, report.read_text(encoding="utf-8").splitlines())
    assert entry["path"] == str(folder / "mnre_train.txt") and entry["line"] == 5 and entry["why"]


def test_an_empty_report_says_that_no_line_was_bad(folder, tmp_path):
    (tmp_path / "bad.jsonl").write_text("of the last run")
    load_mnre(folder, on_error="skip", report_path=tmp_path / "bad.jsonl")
    assert (tmp_path / "bad.jsonl").read_text() == ""


@pytest.mark.parametrize("split", ["val", "test"])
def test_a_relation_without_training_rows_is_a_bad_line(folder, split):
    edit_line(folder / f"mnre_{split}.txt", 2, relation="/per/per/rival")
    with pytest.raises(BadLine, match=r"line 2.*in no training row: '/per/per/rival'"):
        load_mnre(folder)


def test_a_row_holds_its_line(folder):
    data = load_mnre(folder)
    raw = [ast.literal_eval(line) for line in (folder / "mnre_val.txt").read_text(encoding="utf-8").splitlines()]
    relation = data["validation"].features["relation"]
    for number, (row, line) in enumerate(zip(data["validation"], raw, strict=True), start=1):
        assert row["line"] == number
        assert row["words"] == line["token"]
        assert (row["head_span"], row["tail_span"]) == (line["h"]["pos"], line["t"]["pos"])
        assert relation.int2str(row["relation"]) == line["relation"]
        assert row["image_id"] + ".jpg" == line["img_id"]


def test_the_span_counts_not_the_name(folder):
    edit_line(folder / "mnre_train.txt", 1, h={"name": "somebody else", "pos": [0, 2]})
    assert load_mnre(folder)["train"][0]["head_span"] == [0, 2]


def test_overlapping_spans_are_allowed(folder):
    edit_line(folder / "mnre_train.txt", 1, h=entity(0, 3), t=entity(2, 4))
    assert load_mnre(folder)["train"][0]["tail_span"] == [2, 4]


def test_only_a_newline_ends_a_line(folder):
    edit_line(folder / "mnre_train.txt", 1, token=["a\u2028b", "c", "d", "e"], h=entity(0, 1), t=entity(1, 2))
    text = (folder / "mnre_train.txt").read_text(encoding="utf-8").replace("\\u2028", "\u2028")
    (folder / "mnre_train.txt").write_text(text, encoding="utf-8")
    assert load_mnre(folder)["train"][0]["words"][0] == "a\u2028b"


def test_mentions_are_the_spans_of_all_rows_of_the_sentence_and_image(folder):
    data = load_mnre(folder)["train"]
    first, second, third = data.select(range(3))
    spans = [first["head_span"], first["tail_span"], third["tail_span"]]
    assert first["mentions"] == second["mentions"] == third["mentions"] == sorted(spans)
    assert load_mnre(folder, limit=1)["train"][0]["mentions"] == first["mentions"]


def test_the_same_words_with_another_image_share_no_mentions(folder):
    edit_line(folder / "mnre_train.txt", 3, img_id="twitter_other.jpg")
    data = load_mnre(folder)["train"]
    assert data[0]["mentions"] == sorted([data[0]["head_span"], data[0]["tail_span"], data[1]["tail_span"]])
    assert data[2]["mentions"] == sorted([data[2]["head_span"], data[2]["tail_span"]])


def test_relation_names_do_not_depend_on_the_limit(folder):
    names = load_mnre(folder)["train"].features["relation"].names
    assert names[0] == NO_RELATION and names[1:] == sorted(names[1:]) and len(names) == 6
    limited = load_mnre(folder, limit=2)
    assert [len(limited[split]) for split in limited] == [2, 2, 2]
    assert all(limited[split].features["relation"].names == names for split in limited)


def test_descriptions_and_names_are_joined_by_image(folder):
    edit_json(folder / "llavanext_train.json", "twitter_invented_train_1", None)
    edit_json(folder / "llavanext_train.json", "twitter_invented_train_2", " \n")
    data = load_mnre(folder)["train"]
    assert data[0]["description"] == "A man in a red jersey holding a football."
    assert data[0]["object_names"] == ["man", "red jersey", "football"]
    assert data[3]["description"] is None and data[6]["description"] is None and data[3]["object_names"] == []
    assert load_mnre(folder, max_objects=1)["train"][0]["object_names"] == ["man"]
    assert load_mnre(folder, descriptions=None)["train"][0]["description"] is None


def test_boxes_are_joined_by_image(folder):
    data = load_mnre(folder)["train"]
    assert [len(row["object_boxes"]) for row in data.select([0, 3, 6, 19])] == [1, 2, 3, 0]
    assert data[0]["object_boxes"][0] == pytest.approx([0.3, 0.6, 0.4, 0.6])
    assert len(load_mnre(folder, max_objects=2)["train"][6]["object_boxes"]) == 2
    assert load_mnre(folder, boxes=None)["train"][0]["object_boxes"] == []


def test_a_box_that_rounding_pushed_out_is_clipped(folder):
    edit_json(folder / "detect_train.json", "twitter_invented_train_0.jpg", [[0.5, 0.5, 1.0005, 1]])
    assert load_mnre(folder)["train"][0]["object_boxes"] == [[0.5, 0.5, 1.0, 1.0]]


@pytest.mark.parametrize(
    "value, why",
    [
        ([[0.5, 0.5, 0.5]], "is not four numbers"),
        ([[0.5, 0.5, 0.5, "1"]], "is not four numbers"),
        ([[0.5, 0.5, 0.5, True]], "is not four numbers"),
        ([[0.5, 0.5, 1.2, 0.5]], "reaches out"),
        ([[0.9, 0.5, 0.4, 0.5]], "reaches out"),
        ([[0.5, 0.5, float("nan"), 0.5]], "reaches out"),
        ({"box": 1}, "not a list of boxes"),
    ],
)
def test_a_wrong_box_names_file_and_key(folder, value, why):
    edit_json(folder / "detect_test.json", "twitter_invented_test_1.jpg", value)
    with pytest.raises(ValueError, match=f'detect_test.json, key "twitter_invented_test_1.jpg": .*{why}'):
        load_mnre(folder)


def test_a_wrong_description_names_file_and_key(folder):
    edit_json(folder / "llavanext_val.json", "twitter_invented_val_1", ["a dog"])
    with pytest.raises(ValueError, match=r'llavanext_val.json, key "twitter_invented_val_1"'):
        load_mnre(folder)


@pytest.mark.parametrize("content, why", [(b"{", "is not JSON"), (b"[]", "is not one JSON object")])
def test_a_json_file_of_another_shape_is_named(folder, content, why):
    (folder / "detect_train.json").write_bytes(content)
    with pytest.raises(ValueError, match=f"detect_train.json {why}"):
        load_mnre(folder)


def test_images_are_paths_until_they_are_looked_at(folder):
    (folder / "images/twitter_invented_train_0.jpg").write_bytes(b"no picture")
    data = load_mnre(folder, image_dir=folder / "images")["train"]
    assert data[3]["image"].size == (64, 48)
    # ultralytics, once imported, has Pillow ask for a HEIF reader that may not be installed
    with pytest.raises((OSError, ModuleNotFoundError), match=r"cannot identify image|pi_heif"):
        data[0]


def test_missing_pictures_are_none_and_counted(folder, caplog):
    (folder / "images/twitter_invented_train_1.jpg").unlink()
    with caplog.at_level(logging.WARNING, "vmhan"):
        data = load_mnre(folder, image_dir=folder / "images")
    assert data["train"][3]["image"] is None and data["train"][0]["image"] is not None
    assert '3 of 20 rows of train have no image: image "twitter_invented_train_1.jpg" of line 4' in caplog.text


def test_missing_pictures_stop_the_run_on_request(folder):
    (folder / "images/twitter_invented_train_1.jpg").unlink()
    with pytest.raises(FileNotFoundError, match=r'"twitter_invented_train_1.jpg" of line 4 of train .* set image_dir'):
        load_mnre(folder, image_dir=folder / "images", on_missing_image="raise")


def test_without_an_image_folder_there_is_no_image_column(folder):
    assert "image" not in load_mnre(folder)["train"].column_names


def test_all_splits_have_the_same_features(folder):
    data = load_mnre(folder, image_dir=folder / "images")
    assert data["train"].features == data["validation"].features == data["test"].features


@pytest.mark.parametrize("name", ["mnre_val.txt", "llavanext_test.json", "detect_train.json"])
def test_a_missing_file_is_named_with_the_fix(folder, name):
    (folder / name).unlink()
    with pytest.raises(FileNotFoundError, match=f"{name} .* is missing; set data_dir"):
        load_mnre(folder)


def test_a_missing_image_folder_is_named_with_the_fix(folder):
    with pytest.raises(FileNotFoundError, match="nowhere is not a folder; set image_dir"):
        load_mnre(folder, image_dir=folder / "nowhere")


def test_upstream_s_name_of_the_validation_file_is_read(folder):
    rows = load_mnre(folder)["validation"].to_list()
    (folder / "mnre_val.txt").rename(folder / "mnre_val .txt")
    assert load_mnre(folder)["validation"].to_list() == rows


def test_an_edited_file_is_seen_at_once(folder):
    before, checksums = load_mnre(folder)["train"], mnre_checksums(folder)
    edit_line(folder / "mnre_train.txt", 1, relation="None")
    edit_json(folder / "llavanext_train.json", "twitter_invented_train_1", "A dog.")
    after = load_mnre(folder)["train"]
    assert before[0]["relation"] != 0 and after[0]["relation"] == 0
    assert after[3]["object_names"] == ["dog"]
    changed = {name for name, checksum in mnre_checksums(folder).items() if checksum != checksums[name]}
    assert changed == {"mnre_train.txt", "llavanext_train.json"}


def test_checksums_cover_the_files_in_use(folder):
    assert set(mnre_checksums(folder, descriptions=None, boxes=None)) == {
        "mnre_train.txt",
        "mnre_val.txt",
        "mnre_test.txt",
    }
    with_images = mnre_checksums(folder, image_dir=folder / "images")
    assert len(with_images) == 10
    (folder / "images/twitter_invented_train_1.jpg").write_bytes(b"another picture")
    assert mnre_checksums(folder, image_dir=folder / "images")["images"] != with_images["images"]


class Bomb:
    def __reduce__(self):
        return (pytest.fail, ("a pickle was loaded",))


@pytest.mark.parametrize("name", ["mnre_train.txt", "llavanext_train.json", "detect_train.json"])
def test_pickles_are_never_loaded(folder, name):
    (folder / name).write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(ValueError, match=name):
        load_mnre(folder)


@pytest.mark.parametrize(
    "wrong", [{"on_error": "ignore"}, {"on_missing_image": "skip"}, {"max_objects": -1}, {"limit": 0}]
)
def test_a_wrong_argument_is_refused(folder, wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        load_mnre(folder, **wrong)


@pytest.mark.data
def test_published_counts(published):
    splits = [published[split] for split in ("train", "validation", "test")]
    assert [len(rows) for rows in splits] == [12_247, 1_624, 1_614]
    assert [rows["relation"][:].count(0) for rows in splits] == [7_744, 1_000, 974]
    assert splits[0].features["relation"].num_classes == 23


@pytest.mark.data
def test_every_published_image_has_a_description_and_most_have_names_and_boxes(published):
    test = published["test"]
    assert None not in test["description"][:]
    assert sum(map(bool, test["object_names"])) > 0.98 * len(test)
    assert sum(map(bool, test["object_boxes"])) > 0.95 * len(test)
    assert all(row["head_span"] in row["mentions"] and row["tail_span"] in row["mentions"] for row in test)


@pytest.mark.data
def test_the_longer_descriptions_load_too(real):
    assert load_mnre(real, descriptions="minicpm", limit=5)["train"][0]["description"]
