"""Does the audit find what gives the label away, and nothing else?"""

import json
import os
import random
from pathlib import Path

import numpy as np
import pytest
import torch
from datasets import ClassLabel, DatasetDict
from legacy_fixture import is_none, write_legacy
from mnre_fixture import write_mnre
from more_fixture import write_more

from train.audit import main
from train.data.directions import both_ways
from train.data.legacy_crops import read_legacy_crops, words_beyond_names
from train.data.side_inputs import IMAGE, ORDERED_PAIR, PAIR, clean_inputs
from vmhan.data.mnre import load_mnre
from vmhan.evaluation.audit import LEAST_GAIN, LEAST_WORD_GAIN, MOST_WORD_F1, audit, failed_tests, table
from vmhan.evaluation.leakage_tests import SideInput, contradictions, lookup, shape

PADDING, BOX = [0.0] * 4, [0.5, 0.5, 0.2, 0.2]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_mnre(tmp_path_factory.mktemp("mnre"), sentences=60)


@pytest.fixture(scope="module")
def splits(folder):
    return load_mnre(folder)


def of_rows(splits, read, **settings) -> SideInput:
    """An input of what `read` makes of each row."""
    values = {split: [read(row, number) for number, row in enumerate(rows)] for split, rows in splits.items()}
    return SideInput("input", IMAGE, values, **settings)


def finding(splits, item) -> dict:
    return audit([item], splits)[0]


def test_what_belongs_to_another_row_contradicts_its_image(splits):
    per_row = finding(
        splits, of_rows(splits, lambda row, number: [f"{row['image_id']}_{number}.png"] * 3, in_words=False)
    )
    assert per_row["leaks"] == ["a"]
    repeated = per_row["contradictions"]
    assert repeated["contradicting"] == repeated["repeated_keys"] > 0


def test_a_count_that_knows_the_label_leaks_by_its_shape(splits):
    counts = of_rows(splits, lambda row, _: ["crop"] * (2 if is_none(splits, row) else 3), in_words=False)
    found = finding(splits, counts)
    assert "b" in found["leaks"]
    assert found["shape"]["none_or_not"]["accuracy"] == 1
    assert found["shape"]["none_or_not"]["majority"] < 0.7


def test_words_that_know_the_label_leak_by_their_words(splits):
    found = finding(splits, of_rows(splits, lambda row, n: f"{row['image_id']} {n} of kind{row['relation']} things"))
    assert "c" in found["leaks"] and "b" not in found["leaks"]
    assert found["words"]["f1"] > 0.9


def test_padding_that_knows_the_label_leaks_by_its_shape(splits):
    boxes = of_rows(splits, lambda row, _: [BOX, BOX, PADDING if is_none(splits, row) else BOX], in_words=False)
    mask = of_rows(splits, lambda row, _: [1, 1, 0] if is_none(splits, row) else [1, 1, 1], in_words=False)
    for item in (boxes, mask):
        found = finding(splits, item)
        assert "b" in found["leaks"] and found["shape"]["none_or_not"]["accuracy"] == 1


def test_words_that_know_whether_there_is_a_relation_leak_by_their_words(splits):
    found = finding(splits, of_rows(splits, lambda row, _: ["no" if is_none(splits, row) else "yes"]))
    assert "c" in found["leaks"] and found["words"]["f1"] < MOST_WORD_F1
    assert found["words"]["none_accuracy"] == 1
    assert found["shape"]["none_or_not"]["accuracy"] == found["shape"]["none_or_not"]["majority"]


def test_a_code_for_the_label_leaks_by_its_value(splits):
    found = finding(splits, of_rows(splits, lambda row, _: [100 + row["relation"]], in_words=False))
    assert "b" in found["leaks"] and found["value"]["metrics"]["f1"] == 1
    assert found["value"]["entries"] == len(splits["train"].unique("relation"))
    assert found["shape"]["relation"]["accuracy"] == found["shape"]["relation"]["majority"]


def test_noise_passes(splits):
    """Counts that are drawn anew for each image, from the same few in all splits."""
    for seed in range(5):
        draw = random.Random(seed)
        counts = {row["image_id"]: draw.randrange(1, 4) for rows in splits.values() for row in rows}
        noise = of_rows(splits, lambda row, _, counts=counts: ["crop"] * counts[row["image_id"]], in_words=False)
        assert {len(value) for value in noise.values["train"]} == {len(value) for value in noise.values["validation"]}
        assert finding(splits, noise)["leaks"] == []


def test_the_same_for_everyone_passes(splits):
    for value in (["a", "b"], "words", None, []):
        assert finding(splits, of_rows(splits, lambda row, _, value=value: value))["leaks"] == []


def test_what_the_task_gives_is_reported_but_cannot_fail(splits):
    order = clean_inputs(splits)[-1]
    assert order.name == "order of head and tail"
    assert finding(splits, SideInput("input", IMAGE, order.values, in_words=False, of_task=True))["leaks"] == []


def test_keys_are_compared_over_all_their_columns(splits):
    per_pair = of_rows(splits, lambda row, _: [str(row["head_span"]), str(row["tail_span"])])
    assert contradictions(per_pair, splits["validation"], per_pair.values["validation"])["contradicting"] > 0
    per_pair.key = ("image_id", "head_span", "tail_span")
    assert contradictions(per_pair, splits["validation"], per_pair.values["validation"])["contradicting"] == 0


def test_a_selection_that_knows_the_order_contradicts_its_pair(splits):
    turned = DatasetDict({"train": splits["train"], "validation": both_ways(splits["validation"])})
    order = of_rows(turned, lambda row, _: [str(min(row["head_span"], row["tail_span"])), str(row["head_span"])])
    free = of_rows(turned, lambda row, _: sorted([str(row["tail_span"]), str(row["head_span"])]))
    for item, key, wrong in ((order, PAIR, True), (order, ORDERED_PAIR, False), (free, PAIR, False)):
        item.key = key
        found = contradictions(item, turned["validation"], item.values["validation"])
        assert bool(found["contradicting"]) is wrong
        assert bool(found["repeated_keys"]) is (key == PAIR)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, (-1, 0, 0)),
        ([], (0, 0, 0)),
        ("", (0, 0, 0)),
        (["a"], (1, 1, 1)),
        ("two words", (2, 2, 2)),
        (["a man", " ", None], (3, 1, 2)),
        ([BOX, PADDING], (2, 1, 0)),
        ([1, 1, 0, False], (4, 2, 0)),
        ([["a dog", BOX], [[]]], (2, 1, 2)),
    ],
)
def test_the_shape_counts_items_what_they_hold_and_words(value, expected):
    assert shape(value) == expected and hash(shape(value)) == hash(expected)


def test_own_data_name_their_negative_label(tmp_path):
    folder = write_mnre(tmp_path / "mnre")
    main([str(folder), "--results_dir", str(tmp_path / "of_mnre")])
    for path in folder.glob("mnre_*.txt"):
        path.write_text(path.read_text(encoding="utf-8").replace("'None'", "'unlinked'"), encoding="utf-8")
    words = [str(folder), "--results_dir", str(tmp_path)]
    with pytest.raises(ValueError, match="--no_relation"):
        main(words)
    main([*words, "--no_relation", "unlinked"])
    own, of_mnre = (json.loads((at / "audit-mnre.json").read_text()) for at in (tmp_path, tmp_path / "of_mnre"))
    assert own["findings"] == of_mnre["findings"]


def test_what_no_training_row_has_gets_the_most_frequent_label():
    relations, seen, asked = ClassLabel(names=["None", "a", "b"]), np.array([0, 0, 1]), np.array([0, 1])
    found = lookup(["x", "x", "y"], seen, ["z", "y"], asked, relations)
    assert found["relation"]["accuracy"] == 1 and found["entries"] == 2


def judged(gain=0.0, most_permuted=0.0, words=None, **changes):
    """The letters that a finding fails: of look-ups with a gain over a majority of 0.5, and of words."""
    flat = {"accuracy": 0.5, "majority": 0.5, "most_permuted": 0.5}
    part = {**flat, "accuracy": 0.5 + gain, "most_permuted": most_permuted}
    tables = {"shape": {"relation": flat, "none_or_not": flat}, "value": {"relation": flat, "none_or_not": flat}}
    tables = {name: {**labels, **changes.get(name, {})} for name, labels in tables.items()}
    tables["shape"]["relation"] = part
    return failed_tests({"contradictions": {"contradicting": 0}, "words": words, **tables})


def test_a_look_up_fails_from_the_threshold_and_only_if_chance_does_not_reach_it():
    assert judged(LEAST_GAIN + 0.001) == ["b"]
    assert judged(LEAST_GAIN - 0.001) == []
    assert judged(LEAST_GAIN + 0.001, most_permuted=0.5 + LEAST_GAIN + 0.001) == []
    assert judged(0.4, most_permuted=0.95) == []
    better = {"accuracy": 0.6, "majority": 0.5, "most_permuted": 0.55}
    assert judged(value={"none_or_not": better}) == judged(shape={"none_or_not": better}) == ["b"]


def test_words_fail_from_either_threshold():
    for f1, gain, failed in (
        (MOST_WORD_F1, 0, ["c"]),
        (MOST_WORD_F1 - 0.001, LEAST_WORD_GAIN - 0.001, []),
        (0, LEAST_WORD_GAIN + 0.001, ["c"]),
    ):
        assert judged(words={"f1": f1, "none_accuracy": 0.5 + gain}) == failed


def test_the_inputs_of_more_are_audited_too(tmp_path, capsys):
    folder = write_more(tmp_path / "more", titles=30, images=False)
    assert main([str(folder), "--corpus", "more", "--results_dir", str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    assert "| caption of the tail | tail |" in shown and "| boxes of the objects | image |" in shown
    result = json.loads((tmp_path / "audit-more.json").read_text())
    assert "caption_dict.json" in result["data"] and len(result["findings"]["test"]) == 3
    with pytest.raises(SystemExit):
        main([str(folder), "--corpus", "more", "--legacy", "somewhere"])
    assert "are of MNRE" in capsys.readouterr().err


def test_clean_inputs_alone_exit_with_0(folder, tmp_path, capsys):
    assert main([str(folder), "--results_dir", str(tmp_path)]) == 0
    shown = capsys.readouterr().out
    assert "Nothing leaks" in shown and "An input fails (a) by one contradiction; (b)" in shown


def test_optional_files_that_are_missing_are_told_and_left_out(tmp_path, capsys):
    folder = write_mnre(tmp_path / "mnre", sentences=60)
    for path in folder.glob("detect_*.json"):
        path.unlink()
    assert main([str(folder), "--results_dir", str(tmp_path)]) == 0
    assert "No boxes: " in capsys.readouterr().out
    result = json.loads((tmp_path / "audit-mnre.json").read_text(encoding="utf-8"))
    names = [item["name"] for item in result["findings"]["test"]]
    assert names == ["description", "object names", "order of head and tail"] and len(result["data"]) == 6
    assert main([str(folder), "--boxes", "none", "--descriptions", "none", "--results_dir", str(tmp_path)]) == 0
    assert "No boxes" not in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main([str(folder), "--boxes", "detect", "--results_dir", str(tmp_path)])
    assert "--boxes none leaves the boxes out" in capsys.readouterr().err
    (folder / "llavanext_val.json").unlink()  # one of three is no choice but an accident
    with pytest.raises(SystemExit):
        main([str(folder), "--results_dir", str(tmp_path)])
    assert "has no llavanext_val.json; --descriptions none" in capsys.readouterr().err


def test_shared_crops_fail_beside_clean_inputs_that_show_their_scores(folder, splits, tmp_path, capsys):
    legacy = write_legacy(tmp_path, splits)
    assert main([str(folder), "--legacy", str(legacy), "--results_dir", str(tmp_path)]) == 1
    shown = capsys.readouterr().out
    assert "| legacy crops | image |" in shown and "legacy phrases" in shown
    result = json.loads((tmp_path / "audit-mnre.json").read_text(encoding="utf-8"))
    leaks = {item["name"]: item["leaks"] for item in result["findings"]["validation"]}
    assert leaks["legacy words beyond the names"]
    assert leaks["legacy crops"] == ["a", "b"] and {"a", "b"} <= set(leaks["legacy phrases"])
    assert leaks["object boxes"] == []
    assert len(result["data"]) == 9 + 6
    assert table(result["findings"]["validation"]) in shown


def test_a_pickle_with_code_is_not_read(tmp_path, splits):
    write_legacy(tmp_path, splits)
    torch.save({0: print}, tmp_path / "mre_val_dict.pth")
    with pytest.raises(Exception, match=r"[Ww]eights"):
        read_legacy_crops(tmp_path)


def test_a_missing_or_partial_list_is_named(tmp_path, splits):
    write_legacy(tmp_path, splits)
    torch.save({0: [], 2: []}, tmp_path / "mre_train_dict.pth")
    with pytest.raises(ValueError, match=r"mre_train_dict\.pth does not map"):
        read_legacy_crops(tmp_path)
    (tmp_path / "mre_train_dict.pth").unlink()
    with pytest.raises(FileNotFoundError, match=r"mre_train_dict\.pth is missing"):
        read_legacy_crops(tmp_path)


def test_words_beyond_the_names_are_as_many_as_crops_beyond_two():
    assert words_beyond_names(["x.png"] * 4, "Cam Dam person location") == ["person", "location"]
    assert words_beyond_names(["x.png"] * 2, "Cam Dam") == words_beyond_names([], "") == []


@pytest.fixture
def real() -> tuple[str, str]:
    """The folders of MNRE and of the crops that the field shares."""
    if "MNRE_DIR" not in os.environ:
        pytest.skip("set MNRE_DIR to the folder of the MNRE files")
    folder = Path(os.environ["MNRE_DIR"])
    legacy = Path(os.environ.get("MNRE_LEGACY_DIR", folder.with_name("mnre_legacy_crops")))
    if not legacy.is_dir():
        pytest.skip("set MNRE_LEGACY_DIR to the folder of the shared crop lists and phrases")
    return str(folder), str(legacy)


@pytest.mark.data
def test_published_inputs_pass_and_the_shared_crops_give_the_label_away(real, tmp_path):
    folder, legacy = real
    assert main([folder, "--results_dir", str(tmp_path)]) == 0
    assert main([folder, "--legacy", legacy, "--results_dir", str(tmp_path)]) == 1
    result = json.loads((tmp_path / "audit-mnre.json").read_text(encoding="utf-8"))
    for split in ("validation", "test"):
        results = {item["name"]: bool(item["leaks"]) for item in result["findings"][split]}
        assert results == {name: name.startswith("legacy") for name in results}
    found = {item["name"]: item for item in result["findings"]["test"]}
    assert found["legacy crops"]["shape"]["none_or_not"]["accuracy"] == pytest.approx(0.9913, abs=5e-5)
    beyond = found["legacy words beyond the names"]["value"]
    told = {"accuracy": 0.9430, "precision": 0.8754, "recall": 0.8562, "f1": 0.8657}
    assert beyond["entries"] == 9
    assert {name: beyond["metrics"][name] for name in told} == pytest.approx(told, abs=5e-5)
