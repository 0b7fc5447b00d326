"""Rows that the processor refuses are found while the data are read, with file and line."""

import ast
import json

import pytest
from mnre_fixture import write_mnre
from more_fixture import write_more
from tiny import tiny_processor
from training_fixture import write_settings

from train import run
from train.data.row_checks import find_faults, leave_out
from train.trainer import PairTrainer
from vmhan.data.mnre import load_mnre
from vmhan.data.more import load_more
from vmhan.data.parsing import BadLine

LONG = ["pneumonoultramicroscopicsilicovolcanoconiosis"] * 3  # a tiny tokenizer reads letters


def read(path) -> list[dict]:
    return [ast.literal_eval(line) for line in path.read_text("utf-8").splitlines()]


def write(path, rows) -> None:
    path.write_text("".join(f"{row!r}\n" for row in rows), encoding="utf-8")


def lengthen(path, line) -> None:
    """Adds words to the end of a line, so that it is a sentence of its own."""
    rows = read(path)
    rows[line - 1]["token"] = [*rows[line - 1]["token"], *LONG]
    write(path, rows)


@pytest.mark.parametrize("markers", ["none", "shared", "pair"])
@pytest.mark.parametrize("split, name", [("train", "train"), ("validation", "val"), ("test", "test")])
def test_a_row_over_the_length_stops_the_run_before_it_trains(tmp_path, monkeypatch, markers, split, name):
    monkeypatch.setattr(PairTrainer, "train", lambda *args, **kwargs: pytest.fail("it has begun to train"))
    settings = write_settings(tmp_path)
    path = tmp_path / "mnre" / f"mnre_{name}.txt"
    lengthen(path, 5)
    pool = "mean" if markers == "none" else "mean_marker"
    with pytest.raises(BadLine, match=r"takes \d+ wordpieces.*at most 100.*on_error") as told:
        run.main([settings, "--entity_markers", markers, "--entity_pool", pool, "--max_length", "100"])
    assert (told.value.path, told.value.line) == (path, 5)


def test_rows_that_are_left_out_are_counted_and_reported_and_the_others_are_scored(tmp_path):
    settings = write_settings(tmp_path)
    for name in ("train", "test"):
        lengthen(tmp_path / "mnre" / f"mnre_{name}.txt", 5)
    rows = len(read(tmp_path / "mnre" / "mnre_test.txt"))
    result = run.main([settings, "--max_length", "100", "--on_error", "skip", "--num_train_epochs", "1"])
    assert result["metrics"]["test"]["rows"] == rows - 1
    report = [json.loads(line) for line in (tmp_path / "run" / "bad_lines.jsonl").read_text("utf-8").splitlines()]
    assert [(entry["path"], entry["line"]) for entry in report] == [
        (str(tmp_path / "mnre" / f"mnre_{name}.txt"), 5) for name in ("train", "test")
    ]
    assert all("wordpieces" in entry["why"] for entry in report)


@pytest.fixture
def untrained(monkeypatch):
    monkeypatch.setattr(PairTrainer, "train", lambda *args, **kwargs: pytest.fail("it has begun to train"))


@pytest.mark.parametrize("content", ["", "\ufeff", "\n \n"], ids=["empty", "a byte order mark", "blank"])
@pytest.mark.parametrize("split, name", [("train", "train"), ("validation", "val"), ("test", "test")])
def test_a_file_without_rows_stops_the_run_before_it_trains(tmp_path, untrained, content, split, name):
    settings = write_settings(tmp_path)
    path = tmp_path / "mnre" / f"mnre_{name}.txt"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(
        ValueError, match=rf"mnre_{name}.txt holds no entity pair.*put the rows of {split} there"
    ) as told:
        run.main([settings])
    assert str(path) in str(told.value) and ("--read_test false" in str(told.value)) == (split == "test")


@pytest.mark.parametrize("fault", ["over the length", "broken"])
@pytest.mark.parametrize("split, name", [("train", "train"), ("validation", "val"), ("test", "test")])
def test_a_split_of_which_all_rows_are_left_out_stops_the_run_before_it_trains(
    tmp_path, untrained, fault, split, name
):
    settings = write_settings(tmp_path)
    path = tmp_path / "mnre" / f"mnre_{name}.txt"
    rows = read(path)
    write(path, [{**row, "token": [*row["token"], *LONG]} if fault == "over the length" else {} for row in rows])
    with pytest.raises(ValueError, match=rf"All {len(rows)} rows of {split} were left out.*mnre_{name}.txt") as told:
        run.main([settings, "--max_length", "100", "--on_error", "skip"])
    assert ("--read_test false" in str(told.value)) == (split == "test")
    assert len((tmp_path / "run" / "bad_lines.jsonl").read_text("utf-8").splitlines()) == len(rows)


@pytest.mark.parametrize("fault", ["empty", "over the length"])
def test_a_test_split_that_is_not_read_may_have_no_rows(tmp_path, fault):
    settings = write_settings(tmp_path)
    path = tmp_path / "mnre" / "mnre_test.txt"
    write(path, [] if fault == "empty" else [{**row, "token": [*row["token"], *LONG]} for row in read(path)])
    words = ["--max_length", "100", "--on_error", "skip", "--num_train_epochs", "1", "--read_test", "false"]
    assert list(run.main([settings, *words])["metrics"]) == ["validation"]


def test_markers_count(tmp_path):
    rows = load_mnre(write_mnre(tmp_path, sentences=4), boxes=None)["train"]
    first = rows.select([0])
    longest = 2 + sum(len(word) for word in first[0]["words"])  # two special tokens, letters for wordpieces
    mentions = len(first[0]["mentions"])
    for markers, tokens in (("none", 0), ("shared", 2 * mentions), ("pair", 4)):
        fits, short = (
            tiny_processor(entity_markers=markers, max_length=longest + tokens - missing) for missing in (0, 1)
        )
        assert find_faults(first, fits) == {} and list(find_faults(first, short)) == [0]


def test_only_the_rows_of_a_mention_that_nothing_is_seen_of_are_left_out(tmp_path):
    folder = write_mnre(tmp_path, sentences=4)
    path = folder / "mnre_train.txt"
    lines = read(path)
    sentence = lines[0]["token"]
    pairs = [row for row in lines if row["token"] == sentence]
    assert len(pairs) == 3
    unseen = pairs[0]["h"]["pos"]
    for row in pairs:  # two of the three pairs have this entity
        row["token"] = [*sentence[: unseen[0]], *["\u200b"] * (unseen[1] - unseen[0]), *sentence[unseen[1] :]]
    write(path, lines)
    try:
        rows = load_mnre(folder, boxes=None)["train"]
    except BadLine:
        pytest.skip("the reader itself refuses such a word")
    processor = tiny_processor(entity_markers="shared")
    faults = find_faults(rows, processor)
    assert len(faults) == 2 and all("no wordpiece" in why for why in faults.values())
    kept = leave_out(rows, faults)
    assert len(kept) == len(rows) - 2 and find_faults(kept, processor) == {}
    assert unseen not in kept[0]["mentions"] and kept.features == rows.features


def test_rows_whose_tail_is_an_object_are_checked_too(tmp_path):
    rows = load_more(write_more(tmp_path / "more", titles=12, images=False))["train"]
    assert find_faults(rows, tiny_processor(entity_markers="shared")) == {}
    shortest = min(2 + sum(map(len, words)) for words in rows["words"])
    assert len(find_faults(rows, tiny_processor(max_length=shortest))) >= len(rows) - 3
