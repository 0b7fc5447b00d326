"""How much of one split stands in another, and that the documents say it."""

import json
import random
import re
from pathlib import Path

import pytest
from datasets import Dataset, DatasetDict
from mnre_fixture import write_mnre

from hub.data_source import MNRE_CHECKSUMS
from train.data.overlap import LINK_OR_HANDLE, count_overlaps, main
from vmhan.evaluation.overlap import in_words

ROOT = Path(__file__).resolve().parents[3]
RESULT = ROOT / "assets" / "results" / "overlap-mnre.json"


def invented(rows: int, seed: int) -> list[dict]:
    """Short sentences of few words, so that many are alike, some with a handle or a link."""
    rng = random.Random(seed)
    made = []
    for _ in range(rows):
        words = [rng.choice("abc") for _ in range(rng.choice((2, 3)))]
        words += rng.sample([".@Ada", "@Bob", "https://t.co/x", "www.x.org"], rng.choice((0, 0, 1)))
        head, tail = rng.sample(range(2), 2)
        made.append({"words": words, "head_span": [head, head + 1], "tail_span": [tail, tail + 1]})
    return [*made, {"words": ["@Ada", "@Bob"], "head_span": [0, 1], "tail_span": [1, 2]}]


def plainly(later: list[dict], earlier: list[dict], alike) -> int:
    """Counts the rows that are like any other one, by looking at all of both."""
    return sum(any(alike(row, other) for other in earlier) for row in later)


def stripped(words):
    return [word for word in words if "@" not in word and "t.co" not in word and "www" not in word]


def names(row):
    return [row["words"][row[span][0]] for span in ("head_span", "tail_span")]


ALIKE = {
    "sentence": lambda one, two: one["words"] == two["words"],
    "stripped_sentence": lambda one, two: stripped(one["words"]) == stripped(two["words"]) != [],
    "pair": lambda one, two: one == two,
    "ordered_names": lambda one, two: names(one) == names(two),
    "unordered_names": lambda one, two: names(one) in (names(two), names(two)[::-1]),
}


@pytest.mark.parametrize("kind", ALIKE)
def test_counts_are_those_of_a_plain_loop(kind):
    rows = {
        name: invented(count, seed)
        for seed, (name, count) in enumerate({"train": 6, "validation": 5, "test": 9}.items())
    }
    overlaps = count_overlaps(DatasetDict({name: Dataset.from_list(of) for name, of in rows.items()}))
    compared = [(overlap["split"], overlap["in"]) for overlap in overlaps]
    assert compared == [("validation", "train"), ("test", "train"), ("test", "validation")]
    for overlap in overlaps:
        later, earlier = rows[overlap["split"]], rows[overlap["in"]]
        assert overlap["rows"] == len(later)
        assert overlap[kind]["rows"] == plainly(later, earlier, ALIKE[kind]) < len(later)
    assert any(overlap[kind]["rows"] for overlap in overlaps)


def test_a_sentence_of_several_rows_is_one():
    rows = [{"words": ["a", "b", "c"], "head_span": [0, 1], "tail_span": [end - 1, end]} for end in (2, 3)]
    splits = DatasetDict({name: Dataset.from_list(rows) for name in ("train", "test")})
    (overlap,) = count_overlaps(splits)
    assert overlap["sentence"] == {"rows": 2, "different": 1} and overlap["pair"] == {"rows": 2, "different": 2}


@pytest.mark.parametrize(
    "word", ["@Ada", ".@Ada", '"-@Ada', "http://x.org", "https", "(https://t.co/x", "t.co/x", "www.x.org"]
)
def test_links_and_handles_are_left_out(word):
    assert LINK_OR_HANDLE.match(word)


@pytest.mark.parametrize("word", ["@", "@$1.50", "a@b", "Ada", "httpd", "t", ".", "scott.com"])
def test_other_words_are_kept(word):
    assert not LINK_OR_HANDLE.match(word)


def test_the_command_writes_what_it_counts(tmp_path, capsys):
    folder = write_mnre(tmp_path / "mnre")
    (folder / "mnre_test.txt").write_bytes((folder / "mnre_train.txt").read_bytes())
    result = main([str(folder), "--results_dir", str(tmp_path)])
    assert json.loads((tmp_path / "overlap-mnre.json").read_text()) == result
    of_test = result["overlaps"][1]
    assert of_test["in"] == "train" and of_test["pair"]["rows"] == of_test["rows"] > 0
    assert set(result["data"]) == {"mnre_train.txt", "mnre_val.txt", "mnre_test.txt"} and result["versions"]
    assert "| test (" in capsys.readouterr().out


def test_the_result_file_is_of_the_published_files_and_its_words_of_its_numbers():
    result = json.loads(RESULT.read_text(encoding="utf-8"))
    assert set(result["data"].values()) == MNRE_CHECKSUMS
    numbers = [re.findall(r"\d[\d,]*", text) for text in (result["in_words"], in_words(result["overlaps"]))]
    assert numbers[0] == numbers[1], "the record may have other words"
