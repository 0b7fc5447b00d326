"""Runs that learn from further corpora beside the main one."""

import gzip
import json

import pytest
from training_fixture import write_settings

from train.run import main as train
from train.settings_parser import SettingsError
from vmhan import VMHANForRelationExtraction

NAMES = ["Ada", "Bob", "Cem", "Dora", "Emil", "Fay"]


def write_corpus(path) -> str:
    """Writes sixty sentences of two labels, of which the main corpus lacks one."""
    with gzip.open(path, "wt", encoding="utf-8") as file:
        for number in range(60):
            relation, verb = ("/per/per/friend", "likes") if number % 2 else ("/per/per/couple", "married")
            words = [f"{NAMES[number % 6]}{number}", verb, f"{NAMES[number // 6 % 6]}{number}", "."]
            raw = {"token": words, "h": {"pos": [0, 1]}, "t": {"pos": [2, 3]}, "relation": relation}
            file.write(json.dumps(raw) + "\n")
    return str(path)


def write_entities(folder):
    """Writes a corpus of named entities under the name of one that there is a reader for."""
    folder.mkdir()
    sentence = "{name}\tB-person\nin\tO\nRome\tB-location\n\n"
    text = "".join(sentence.format(name=name) for name in NAMES)
    for name in ("wnut17train.conll", "emerging.dev.conll", "emerging.test.annotated"):
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def settings(tmp_path_factory) -> list[str]:
    """The words of a run with a further corpus and two styles."""
    folder = tmp_path_factory.mktemp("corpora")
    corpus = json.dumps({"path": write_corpus(folder / "further.jsonl.gz"), "weight": 0.5, "licence": "MIT"})
    copy = json.dumps({"path": "main", "loss_weight": 0.3})
    entities = [json.dumps({"path": str(write_entities(folder / "wnut17"))}), json.dumps({"path": "main"})]
    styles = ["--annotation_styles", "general", "mnre", "--annotation_style", "mnre"]
    kinds = ["--mention_kinds", "person", "place", "organization", "other"]
    corpora = ["--corpora", corpus, copy, "--mention_corpora", *entities]
    words = [*corpora, *styles, *kinds, "--undirected_pairs", "true", "--num_train_epochs", "1"]
    return [write_settings(folder), *words]


@pytest.fixture(scope="module")
def result(settings):
    return train(settings)


def test_model_knows_the_labels_of_all_corpora_and_both_styles(settings, result):
    model = VMHANForRelationExtraction.from_pretrained(result_folder(settings))
    assert list(model.config.id2label.values())[-1] == "/per/per/friend"
    assert model.config.annotation_styles == ["general", "mnre"]


def test_result_names_the_corpora_with_their_terms_and_checksums(result):
    further, copy = result["config"]["data"]["corpora"]
    assert further["licence"] == "MIT" and copy == {"path": "main", "loss_weight": 0.3}
    assert len(result["data"]["further.jsonl.gz"]) == 64


def test_held_out_documents_are_scored_by_corpus_and_together(result):
    scores = result["metrics"]["validation"]["corpora"]
    assert scores.keys() == {"further", "together"}
    assert scores["together"]["rows"] == scores["further"]["rows"] > 0
    assert 0 <= scores["together"]["direction_unknown"]["f1"] <= 1


def test_found_entities_are_scored_by_corpus_and_as_recall_of_the_main_one(result):
    scores = result["metrics"]["test"]["mention_corpora"]
    assert scores.keys() == {"wnut17", "main"}
    assert 0 <= scores["wnut17"]["f1_lower_case"] <= 1 and 0 <= scores["main"]["recall"] <= 1


def test_corpora_of_entities_need_a_model_that_finds_them(settings):
    with pytest.raises(SettingsError, match="mention_kinds"):
        train([*settings, "--mention_kinds", "--overwrite_output_dir", "true"])


def test_unknown_corpus_of_entities_is_refused_with_those_that_there_are(settings):
    with pytest.raises(SettingsError, match=r"conll03.* ends with none of main, btc, wnut17"):
        train([*settings, "--mention_corpora", '{"path": "conll03"}', "--overwrite_output_dir", "true"])


def test_checkpoint_is_evaluated_in_the_style_that_is_named(settings, result):
    checkpoint = ["--checkpoint", str(result_folder(settings)), "--run_name", "evaluated", "--read_test", "false"]
    words = [*settings, "--annotation_styles", "--mention_kinds", *checkpoint]  # the checkpoint says which it knows
    mnre = train([*words, "--annotation_style", "mnre"])["metrics"]["validation"]
    assert mnre["f1"] == result["metrics"]["validation"]["f1"]
    with pytest.raises(SettingsError, match="'tacred'"):
        train([*words, "--annotation_style", "tacred", "--overwrite_output_dir", "true"])


def test_unknown_style_is_refused_before_the_training(settings):
    with pytest.raises(SettingsError, match="'tacred'"):
        train([*settings, "--annotation_style", "tacred", "--overwrite_output_dir", "true"])


def result_folder(settings):
    from train.arguments import read_config
    from train.outputs import final_folder

    return final_folder(read_config(settings).training)
