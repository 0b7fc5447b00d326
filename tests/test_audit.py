"""Does the audit find what gives the label away, and nothing else?"""

import json

import pytest
import torch
from legacy_fixture import is_none, write_legacy
from mnre_fixture import write_mnre

from train.audit import audit, contradictions, main, size, table
from train.legacy_crops import read_legacy_crops
from train.side_inputs import IMAGE, SideInput, clean_inputs
from vmhan.mnre import load_mnre


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
    per_row = finding(splits, of_rows(splits, lambda row, number: [f"crop_{number}.png"] * 3, in_words=False))
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
    found = finding(splits, of_rows(splits, lambda row, _: f"a picture of kind{row['relation']} things"))
    assert "c" in found["leaks"] and "b" not in found["leaks"]
    assert found["words"]["f1"] > 0.9


def test_noise_passes(splits):
    noise = of_rows(splits, lambda row, _: ["crop"] * (len(row["image_id"]) * 7919 % 5), in_words=False)
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


def test_nothing_known_differs_from_nothing_there():
    assert [size(value) for value in (None, [], "", ["a"], "two words")] == [-1, 0, 0, 1, 2]


def test_shared_crops_fail_beside_clean_inputs_that_show_their_scores(folder, splits, tmp_path, capsys):
    legacy = write_legacy(tmp_path, splits)
    assert main([str(folder), "--legacy", str(legacy), "--results_dir", str(tmp_path)]) == 1
    shown = capsys.readouterr().out
    assert "| legacy crops | image |" in shown and "legacy phrases" in shown
    result = json.loads((tmp_path / "audit-mnre.json").read_text(encoding="utf-8"))
    leaks = {item["name"]: item["leaks"] for item in result["findings"]["validation"]}
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
