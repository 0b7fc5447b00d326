"""What a run predicted, row by row, and whether it belongs to a result file."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
from mnre_fixture import write_mnre
from tiny import tiny_model
from training_fixture import write_settings

from train import run
from vmhan import VMHANConfig
from vmhan.data.mnre import load_mnre
from vmhan.evaluation.mode_logits import ModeLogits
from vmhan.evaluation.predictions import (
    SUFFIX,
    RunPredictions,
    predictions_of,
    predictions_path,
    read_predictions,
    weights_checksum,
    write_predictions,
)
from vmhan.evaluation.result_checks import differences

RESULTS = Path(__file__).resolve().parents[3] / "assets" / "results"


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    return load_mnre(write_mnre(tmp_path_factory.mktemp("mnre")), boxes=None)["test"]


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A finished run's folder."""
    folder = tmp_path_factory.mktemp("finished")
    run.main([write_settings(folder), "--num_train_epochs", "1"])
    return folder


NAMES = ["None", *"abcdef"]
CONFIG = VMHANConfig(id2label=dict(enumerate(NAMES)), label2id={name: i for i, name in enumerate(NAMES)})


def made(rows, seed=0, config=CONFIG):
    logits = np.random.default_rng(seed).normal(size=(len(rows), 7)).astype(np.float32)
    return logits, predictions_of(rows, ModeLogits(logits), NAMES, config)


def test_predicted_is_the_greatest_logit_whatever_the_order_of_the_rows(rows):
    logits, split = made(rows)
    order = np.random.default_rng(1).permutation(len(rows))
    shuffled = predictions_of(rows.select(order), ModeLogits(logits[order]), NAMES, CONFIG)
    assert split.predicted.tolist() == logits.argmax(axis=-1).tolist() == shuffled.predicted.tolist()
    assert split.line.tolist() == rows["line"] == shuffled.line.tolist()
    assert split.gold.tolist() == rows["relation"]


def test_scores_are_probabilities_to_four_places(rows):
    logits, split = made(rows)
    exact = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    assert np.allclose(split.confidence, exact.max(axis=1), atol=5e-5)
    assert (np.diff(split.scores) <= 0).all() and split.scores.shape == (len(rows), 3)


def test_scores_without_a_direction_are_those_of_the_chosen_one_by_its_temperatures(rows):
    annotated, reverse = (
        np.random.default_rng(seed).normal(size=(len(rows), 7)).astype(np.float32) for seed in (1, 2)
    )
    hot = {"direction_unknown": {"no_relation": 1.0, "relation": 2.0}}
    config = VMHANConfig(id2label=CONFIG.id2label, label2id=CONFIG.label2id, temperatures=hot)
    logits = ModeLogits.choose_direction(annotated, annotated, reverse, 0)
    split = predictions_of(rows, logits, NAMES, config)
    for row, (chosen, turned) in enumerate(zip(logits.chosen, logits.turned, strict=True)):
        best = int(chosen.argmax())
        exact = np.exp(chosen / (2.0 if best else 1.0))
        assert split.unknown_scores[row, 0] == pytest.approx(exact[best] / exact.sum(), abs=1e-4)
        assert split.direction_unknown[row] == split.unknown_top[row, 0] == (len(NAMES) if turned and best else best)
        given = np.exp(annotated[row])
        assert split.confidence[row] == pytest.approx(given.max() / given.sum(), abs=1e-4)


def test_scores_of_the_answers_without_temperatures_are_kept_for_both_modes(rows):
    annotated, reverse = np.random.default_rng(1).normal(size=(2, len(rows), 7)).astype(np.float32)
    hot = {mode: {"no_relation": 3.0, "relation": 2.0} for mode in ("direction_unknown", "direction_given")}
    config = VMHANConfig(id2label=CONFIG.id2label, label2id=CONFIG.label2id, temperatures=hot)
    logits = ModeLogits.choose_direction(annotated, annotated, reverse, 0)
    hot, plain = (predictions_of(rows, logits, NAMES, known) for known in (config, CONFIG))
    assert np.array_equal(hot.uncalibrated, plain.confidence)
    assert np.array_equal(hot.unknown_uncalibrated, plain.unknown_scores[:, 0])
    assert (hot.confidence < hot.uncalibrated).all() and (hot.unknown_scores[:, 0] < hot.unknown_uncalibrated).all()


def test_pairs_of_a_sentence_share_its_number(rows):
    _, split = made(rows)
    keys = [(tuple(words), image) for words, image in zip(rows["words"], rows["image_id"], strict=True)]
    for i, j in [(0, 1), (0, 3), (2, 5), (3, 4)]:
        assert (split.sentence[i] == split.sentence[j]) == (keys[i] == keys[j])
    assert len(set(split.sentence.tolist())) == len(set(keys))


def test_written_file_reads_back_and_is_the_same_bytes_again(rows, tmp_path):
    predictions = RunPredictions(["None", "a"], {"file": "0" * 64}, "f" * 64, {"test": made(rows)[1]})
    for name in ("one", "two"):
        write_predictions(tmp_path / name, predictions)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    read = read_predictions(tmp_path / "one")
    assert read.label_names == ["None", "a"] and read.weights == "f" * 64
    assert np.array_equal(read.splits["test"].scores, predictions.splits["test"].scores)


def test_no_word_of_the_data_is_in_the_file(rows, tmp_path):
    write_predictions(tmp_path / "file", RunPredictions(["None"], {}, "", {"test": made(rows)[1]}))
    text = gzip.decompress((tmp_path / "file").read_bytes()).decode()
    assert not any(word in text for words in rows["words"] for word in words if len(word) > 4 and word.isalpha())


def test_missing_and_broken_files_say_what_to_do(tmp_path):
    with pytest.raises(FileNotFoundError, match="--complete_result"):
        read_predictions(predictions_path(tmp_path / "run.json"))
    for content in (b"no gzip", gzip.compress(b"[]"), gzip.compress(b'{"splits": {"test": {"line": [1]}}}')):
        (tmp_path / "broken").write_bytes(content)
        with pytest.raises(ValueError, match="broken is no predictions file"):
            read_predictions(tmp_path / "broken")


def test_checksum_tells_weights_apart_and_not_copies():
    assert weights_checksum(tiny_model(seed=0)) == weights_checksum(tiny_model(seed=0))
    assert weights_checksum(tiny_model(seed=0)) != weights_checksum(tiny_model(seed=1))


def test_run_writes_predictions_that_score_what_its_result_says(finished):
    path = finished / "results" / "run.json"
    predictions = read_predictions(predictions_path(path))
    assert set(predictions.splits) == {"validation", "test"}
    assert list(differences(predictions, json.loads(path.read_text("utf-8")))) == []


def evaluate_for(finished, result, *settings) -> None:
    checkpoint = str(finished / "run" / "final")
    run.main(
        [str(finished / "settings.yaml"), "--checkpoint", checkpoint, "--complete_result", str(result), *settings]
    )


def test_predictions_made_anew_are_those_of_the_run_and_nothing_else_is_written(finished):
    path = finished / "results" / "run.json"
    before, result = predictions_path(path).read_bytes(), path.read_bytes()
    predictions_path(path).unlink()
    evaluate_for(finished, path)
    assert predictions_path(path).read_bytes() == before and path.read_bytes() == result
    assert sorted(file.name for file in path.parent.iterdir()) == ["run.json", f"run{SUFFIX}"]


def test_a_split_that_was_not_read_is_read_later(finished, tmp_path):
    path = finished / "results" / "run.json"
    whole = json.loads(path.read_text("utf-8"))
    metrics = {"validation": whole["metrics"]["validation"]}
    (tmp_path / "chosen.json").write_text(json.dumps({**whole, "metrics": metrics}))
    evaluate_for(finished, tmp_path / "chosen.json")
    completed = json.loads((tmp_path / "chosen.json").read_text("utf-8"))
    later = completed.pop("read_later")
    assert completed == whole
    assert later["splits"] == ["test"] and "--checkpoint" in later["command"]
    assert predictions_path(tmp_path / "chosen.json").read_bytes() == predictions_path(path).read_bytes()


def test_predictions_of_another_evaluation_are_refused(finished, tmp_path):
    result = json.loads((finished / "results" / "run.json").read_text("utf-8"))
    result["metrics"]["test"]["f1"] += 0.01
    (tmp_path / "other.json").write_text(json.dumps(result))
    with pytest.raises(ValueError, match="f1 of test is"):
        evaluate_for(finished, tmp_path / "other.json")
    assert not predictions_path(tmp_path / "other.json").exists()


def test_completing_a_result_needs_a_checkpoint(finished):
    with pytest.raises(ValueError, match="--checkpoint"):
        run.main([str(finished / "settings.yaml"), "--complete_result", "x.json"])


def test_scores_with_the_direction_unknown_are_checked_too(finished):
    path = finished / "results" / "run.json"
    result, predictions = json.loads(path.read_text("utf-8")), read_predictions(predictions_path(path))
    result["metrics"]["test"]["direction_unknown"]["recall"] += 0.01
    (told,) = differences(predictions, result)
    assert told.startswith("recall of test, direction unknown, is ")
    del result["metrics"]["test"]["direction_unknown"]
    assert any("accuracy of test, direction unknown" in told for told in differences(predictions, result))


@pytest.mark.parametrize("path", sorted(RESULTS.glob(f"*/*{SUFFIX}")), ids=lambda path: path.name)
def test_our_predictions_score_what_our_results_say(path):
    result = json.loads(path.with_name(path.name.replace(SUFFIX, ".json")).read_text("utf-8"))
    assert list(differences(read_predictions(path), result)) == []
    assert path.stat().st_size < 100_000
