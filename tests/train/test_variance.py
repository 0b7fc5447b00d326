"""Whether variance tells right answers from wrong ones: how that is measured, and what may be said of it."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from mnre_fixture import write_mnre
from sklearn.metrics import roc_auc_score
from tiny import save_tiny_checkpoint
from transformers import pipeline

from train import variance
from train.data.collator import character_spans
from train.variance import Answers, measure
from vmhan.data.mnre import load_mnre
from vmhan.data.schema import SYMMETRIC

ROOT = Path(__file__).resolve().parents[2]
MEASURED = ROOT / "assets" / "results" / "variance-mnre.json"


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return write_mnre(tmp_path_factory.mktemp("mnre"), sentences=24)


@pytest.fixture(scope="module")
def splits(folder):
    return load_mnre(folder, boxes=None)


@pytest.fixture(scope="module")
def model(tmp_path_factory, splits) -> str:
    names = splits["train"].features["relation"].names
    labels = {"id2label": dict(enumerate(names)), "label2id": {name: i for i, name in enumerate(names)}}
    return save_tiny_checkpoint(tmp_path_factory.mktemp("model"), seed=2, initializer_range=0.5, **labels)


@pytest.fixture(scope="module")
def result(folder, model, tmp_path_factory) -> dict:
    results = tmp_path_factory.mktemp("results")
    told = variance.main(["--data_dir", str(folder), "--model", model, "--results_dir", str(results)])
    assert json.loads((results / "variance-mnre.json").read_text()) == told
    return told


def asked_of_the_pipeline(model: str, rows, direction: str) -> tuple[list[float], list[bool]]:
    """Variance of each row, and whether it is answered right, by the pipeline that users call."""
    extract, names = pipeline("multimodal-relation-extraction", model=model), rows.features["relation"].names
    variances, right = [], []
    for row in rows:
        head, tail = character_spans(row["words"], [row["head_span"], row["tail_span"]])
        request = {"text": " ".join(row["words"]), "entities": [head, tail], "description": row["description"]}
        (pair,) = extract(request, direction=direction)["pairs"]
        as_annotated = (pair["head"]["start"], pair["head"]["end"]) == head
        gold = names[row["relation"]]
        holds = as_annotated or pair["relation"] in {*SYMMETRIC, "None"}
        variances.append(pair["variance"])
        right.append(holds and pair["relation"] == gold)
    return variances, right


@pytest.mark.parametrize(("mode", "direction"), [("direction_unknown", "best"), ("direction_given", "given")])
def test_answers_are_those_of_the_pipeline(mode, direction, result, model, splits):
    variances, right = asked_of_the_pipeline(model, splits["test"], direction)
    told = result["measured"]["test"][mode]
    assert 0 < sum(right) < len(right), "a test that says something"
    assert told["rows"] == len(right) and told["right"] == pytest.approx(sum(right) / len(right))
    assert told["auroc_right"]["variance"] == pytest.approx(roc_auc_score(right, -np.array(variances)), abs=1e-3)


def test_result_file_tells_what_it_was_made_from(result, folder, model):
    assert result["command"].startswith("python -m train.variance --data_dir") and result["model"] == model
    assert {"mnre_test.txt", "mnre_val.txt", "llavanext_test.json"} <= result["data"].keys()
    assert len(result["weights"]) == 64 and {"commit", "versions"} <= result.keys()
    assert {"scikit-learn", "scipy", "torch"} <= result["versions"].keys()


def answers(variances, right, confidence=(0.9, 0.8, 0.7, 0.6)) -> Answers:
    """Of two labels, with these probabilities of the first."""
    first = np.array(confidence)
    return Answers(np.log(np.stack([first, 1 - first], axis=1)), np.array(variances), np.array(right))


def test_low_variance_of_right_answers_is_an_area_of_one():
    measured = measure(answers([1.0, 2.0, 3.0, 4.0], [True, True, False, False]))
    assert measured["auroc_right"] == {"variance": 1, "entropy": 1, "score": 1}
    assert measured["right"] == 0.5 and measured["spearman_variance_entropy"] == pytest.approx(1)


def test_variance_that_goes_against_the_answers_is_told_from_the_score():
    measured = measure(answers([4.0, 3.0, 2.0, 1.0], [True, True, False, False]))
    assert measured["auroc_right"] == {"variance": 0, "entropy": 1, "score": 1}
    assert measured["spearman_variance_entropy"] == pytest.approx(-1)


@pytest.mark.parametrize("right", [True, False])
def test_where_all_answers_are_alike_there_is_no_area(right):
    measured = measure(answers([1.0] * 4, [right] * 4))
    assert set(measured["auroc_right"].values()) == {None} and measured["spearman_variance_entropy"] is None


def test_a_model_without_variance_is_refused(folder, tmp_path, splits):
    names = splits["train"].features["relation"].names
    labels = {"id2label": dict(enumerate(names)), "label2id": {name: i for i, name in enumerate(names)}}
    plain = save_tiny_checkpoint(tmp_path, variational=False, **labels)
    with pytest.raises(ValueError, match="keeps no variance"):
        variance.main(["--data_dir", str(folder), "--model", plain, "--results_dir", str(tmp_path)])


# What is said of it

_OF_VARIANCE = re.compile(r"\b(varian\w*|curves?|gaussians?|wider?)\b", re.IGNORECASE)
_OF_CERTAINTY = re.compile(r"\b((un)?certain(ty|ly)?|(un)?sure|doubts?|confiden\w*)\b", re.IGNORECASE)
_DENIED = re.compile(r"\bno measure of\b|\bnot been found to\b", re.IGNORECASE)


def sentences_about_variance_and_certainty(text: str) -> list[str]:
    text = re.sub(r"^(from|import) .*$", "", text, flags=re.MULTILINE)  # names of functions say nothing
    sentences = re.split(r"(?<=[.;:!?])\s|\n\s*\n", text)
    return [
        " ".join(sentence.split())
        for sentence in sentences
        if _OF_VARIANCE.search(sentence) and _OF_CERTAINTY.search(sentence) and not _DENIED.search(sentence)
    ]


def texts() -> list[Path]:
    """What a reader of the project, of a card or of the page meets."""
    code = [path for folder in ("vmhan", "page", "hub", "train") for path in (ROOT / folder).rglob("*.py")]
    told = [ROOT / name for name in ("README.md", "CHANGELOG.md", "CITATION.cff", "pyproject.toml", "app.py")]
    return [*code, *told, *(ROOT / "assets").glob("*/README.md"), *(ROOT / "docs").rglob("*.md")]


@pytest.mark.parametrize("path", texts(), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_text_calls_variance_certainty(path):
    assert sentences_about_variance_and_certainty(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "said",
    [
        "The wider a curve, the less certain.",
        "How uncertain the model is of the two entities: their Gaussians as curves.",
    ],
)
def test_sentences_that_stood_here_would_be_found(said):
    assert sentences_about_variance_and_certainty(said.replace(":", "")) != []


def test_what_the_page_and_the_readme_say_of_the_variance_is_what_was_measured():
    """If a model earns the word one day, this fails, and the texts have to be written anew."""
    measured = json.loads(MEASURED.read_text(encoding="utf-8"))["measured"]
    for split in ("validation", "test"):
        areas = measured[split]["direction_unknown"]["auroc_right"]
        assert abs(areas["variance"] - 0.5) < 0.1 < abs(areas["score"] - 0.5)
    assert "not been found to tell right answers from wrong ones" in " ".join((ROOT / "README.md").read_text().split())
