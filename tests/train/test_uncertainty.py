"""What a model's answers are worth: how that is measured, and what may be said of the variance."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from mnre_fixture import write_mnre
from sklearn.metrics import roc_auc_score
from tiny import save_tiny_checkpoint
from transformers import pipeline

from train import uncertainty
from train.answers import ScoredAnswers
from train.data.collator import character_spans
from train.settings_parser import SettingsError
from train.uncertainty import average, format_result, measure
from vmhan.data.mnre import load_mnre
from vmhan.data.schema import SYMMETRIC
from vmhan.evaluation.uncertainty import Answers

ROOT = Path(__file__).resolve().parents[2]
MEASURED = ROOT / "assets" / "results" / "uncertainty-mnre.json"


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return write_mnre(tmp_path_factory.mktemp("mnre"), sentences=48)


@pytest.fixture(scope="module")
def splits(folder):
    return load_mnre(folder, boxes=None)


@pytest.fixture(scope="module")
def model(tmp_path_factory, splits) -> str:
    names = splits["train"].features["relation"].names
    labels = {"id2label": dict(enumerate(names)), "label2id": {name: i for i, name in enumerate(names)}}
    return save_tiny_checkpoint(tmp_path_factory.mktemp("model"), seed=4, initializer_range=0.5, **labels)


@pytest.fixture(scope="module")
def result(folder, model, tmp_path_factory) -> dict:
    results = tmp_path_factory.mktemp("results")
    told = uncertainty.main(["--data_dir", str(folder), "--model", model, "--results_dir", str(results)])
    assert json.loads((results / "uncertainty-mnre.json").read_text()) == told
    return told


class Asked:
    """What the pipeline that users call answers to the rows of a split, counted row by row."""

    def __init__(self, model: str, rows, direction: str):
        extract, names = pipeline("multimodal-relation-extraction", model=model), rows.features["relation"].names
        self.variance, self.confidence, self.named, self.gold, self.found = [], [], [], [], []
        for row in rows:
            head, tail = character_spans(row["words"], [row["head_span"], row["tail_span"]])
            request = {"text": " ".join(row["words"]), "entities": [head, tail], "description": row["description"]}
            (pair,) = extract(request, direction=direction)["pairs"]
            as_annotated = (pair["head"]["start"], pair["head"]["end"]) == head
            holds = as_annotated or pair["relation"] in {*SYMMETRIC, "None"}
            self.variance.append(pair["variance"])
            self.confidence.append(pair["score"])
            self.named.append(pair["relation"] != "None")
            self.gold.append(names[row["relation"]])
            self.found.append(pair["relation"] if holds else "wrong direction")
        self.right = [found == gold for found, gold in zip(self.found, self.gold, strict=True)]

    def f1(self, relation=None) -> float:
        """Of one relation, or over all of them."""
        hits = sum(
            ok and gold != "None" and relation in (None, gold) for ok, gold in zip(self.right, self.gold, strict=True)
        )
        total = sum(
            (name == relation if relation else name != "None") for names in (self.gold, self.found) for name in names
        )
        return 2 * hits / total if total else 0.0

    def macro_f1(self) -> float:
        occurring = {*self.gold, *self.found} - {"None", "wrong direction"}
        return sum(map(self.f1, occurring)) / len(occurring)

    def calibration_error(self) -> float:
        """Of the relations, by fifteen bins."""
        error, rows = 0.0, sum(self.named)
        for bin in range(15):
            kept = [
                (confidence, ok)
                for confidence, ok, named in zip(self.confidence, self.right, self.named, strict=True)
                if named and bin / 15 < confidence <= (bin + 1) / 15
            ]
            error += abs(sum(confidence for confidence, _ in kept) - sum(ok for _, ok in kept)) / rows
        return error


@pytest.mark.parametrize(("mode", "direction"), [("direction_unknown", "best"), ("direction_given", "given")])
def test_every_number_is_that_of_the_answers_of_the_pipeline(mode, direction, result, model, splits):
    asked, told = Asked(model, splits["test"], direction), result["measured"]["test"][mode]["mean"]
    right, named = np.array(asked.right), np.array(asked.named)
    assert 0 < right.sum() < len(right) and 0 < right[named].sum() < named.sum(), "a test that says something"
    assert told["rows"] == len(right) and told["right"] == pytest.approx(right.mean())
    assert told["f1"] == pytest.approx(asked.f1()) and told["macro_f1"] == pytest.approx(asked.macro_f1())
    assert told["expected_calibration_error"]["relations"] == pytest.approx(asked.calibration_error(), abs=1e-4)
    for name, score in (("confidence", asked.confidence), ("pair_variance", [-value for value in asked.variance])):
        areas = told["auroc_right"][name]
        assert areas["all"] == pytest.approx(roc_auc_score(right, score), abs=1e-3)
        assert areas["relations"] == pytest.approx(roc_auc_score(right[named], np.array(score)[named]), abs=1e-3)


def test_result_file_tells_what_it_was_made_from(result, model):
    assert result["command"].startswith("python -m train.uncertainty --data_dir")
    assert list(result["weights"]) == [model] and len(result["weights"][model]) == 64
    assert {"mnre_test.txt", "mnre_val.txt", "llavanext_test.json"} <= result["data"].keys()
    assert {"commit", "versions"} <= result.keys() and result["annotation_style"] is None
    assert {"scikit-learn", "scipy", "torch"} <= result["versions"].keys()


def test_validation_alone_leaves_test_unread_and_says_what_the_variance_adds(folder, model, tmp_path):
    told = uncertainty.main(
        [
            *("--data_dir", str(folder), "--results_dir", str(tmp_path), "--model", model),
            *("--validation_only", "--name", "tried"),
        ]
    )
    assert list(told["measured"]) == ["validation"] and (tmp_path / "uncertainty-tried.json").is_file()
    measured = told["measured"]["validation"]["direction_unknown"]
    assert measured["added"].keys() == {"pair_variance"}
    assert measured["added"]["pair_variance"].keys() == {"all", "relations"}
    assert "adds" in format_result(told) or measured["added"]["pair_variance"]["all"] is None


def test_several_models_are_averaged(folder, model, tmp_path, splits):
    names = splits["train"].features["relation"].names
    labels = {"id2label": dict(enumerate(names)), "label2id": {name: i for i, name in enumerate(names)}}
    other = save_tiny_checkpoint(tmp_path / "other", seed=19, initializer_range=0.5, **labels)
    told = uncertainty.main(["--data_dir", str(folder), "--model", model, other, "--results_dir", str(tmp_path)])
    measured = told["measured"]["test"]["direction_given"]
    first, second = measured["runs"]
    assert first["f1"] != second["f1"] and measured["mean"]["f1"] == pytest.approx((first["f1"] + second["f1"]) / 2)
    assert list(told["weights"]) == [model, other]


def scored(variances, right, confidence=(0.9, 0.8, 0.7, 0.6)) -> ScoredAnswers:
    """Answers of two labels, with these probabilities of the first."""
    first, rows = np.array(confidence), np.arange(len(right))
    answers = Answers(
        np.stack([first, 1 - first], axis=1),
        np.array(right),
        np.ones(len(rows), dtype=bool),
        rows,
        {"variance": np.array(variances)},
    )
    return ScoredAnswers(answers, dict.fromkeys(("f1", "macro_f1", "precision", "recall"), 0.5))


def test_low_variance_of_right_answers_is_an_area_of_one():
    measured = measure(scored([1.0, 2.0, 3.0, 4.0], [True, True, False, False]))
    assert {name: areas["all"] for name, areas in measured["auroc_right"].items()} == {
        "variance": 1,
        "entropy": 1,
        "confidence": 1,
    }
    assert measured["right"] == 0.5 and measured["spearman_with_entropy"]["variance"] == pytest.approx(1)


def test_variance_that_goes_against_the_answers_is_told_from_the_confidence():
    measured = measure(scored([4.0, 3.0, 2.0, 1.0], [True, True, False, False]))
    assert measured["auroc_right"]["variance"]["all"] == 0 and measured["auroc_right"]["confidence"]["all"] == 1
    assert measured["spearman_with_entropy"]["variance"] == pytest.approx(-1)


@pytest.mark.parametrize("right", [True, False])
def test_where_all_answers_are_alike_there_is_no_area(right):
    measured = measure(scored([1.0] * 4, [right] * 4))
    assert {areas["all"] for areas in measured["auroc_right"].values()} == {None}
    assert measured["spearman_with_entropy"]["variance"] is None


def test_averages_go_through_the_form_and_keep_what_is_undefined():
    assert average([{"a": {"b": 1.0, "c": None}}, {"a": {"b": 2.0, "c": 0.5}}]) == {"a": {"b": 1.5, "c": None}}


def test_a_model_without_variance_is_refused(folder, tmp_path, splits):
    names = splits["train"].features["relation"].names
    labels = {"id2label": dict(enumerate(names)), "label2id": {name: i for i, name in enumerate(names)}}
    plain = save_tiny_checkpoint(tmp_path, variational=False, **labels)
    options = ["--data_dir", str(folder), "--model", plain, "--results_dir", str(tmp_path)]
    with pytest.raises(SettingsError, match="keeps no variance"):
        uncertainty.main(options)
    with pytest.raises(SettingsError, match="no output mutual_information"):
        uncertainty.main([*options, "--doubts", "mutual_information"])


# What is said of it

_OF_VARIANCE = re.compile(r"\b(varian\w*|curves?|gaussians?|wider?)\b", re.IGNORECASE)
_OF_CERTAINTY = re.compile(r"\b((un)?certain(ty|ly)?|(un)?sure|doubts?|confiden\w*)\b", re.IGNORECASE)
_DENIED = re.compile(r"\bno measure of\b|\bnot been found to\b", re.IGNORECASE)


def sentences_about_variance_and_certainty(text: str) -> list[str]:
    text = re.sub(r"^(from|import|\|) .*$", "", text, flags=re.MULTILINE)  # names of functions and numbers say nothing
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
        areas = measured[split]["direction_unknown"]["mean"]["auroc_right"]
        assert abs(areas["pair_variance"]["all"] - 0.5) < 0.1 < abs(areas["confidence"]["all"] - 0.5)
    assert "not been found to tell right answers from wrong ones" in " ".join((ROOT / "README.md").read_text().split())
