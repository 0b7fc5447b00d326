"""The model card says what the files say."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import get_args, get_type_hints

import pytest
from huggingface_hub import ModelCard
from local_hub import LocalHub, Repository
from tiny import save_tiny_checkpoint, tiny_model

from hub.card import make_card
from hub.card_sections import EXAMPLE, OVERLAP, PROTOCOLS, VISUAL_SETTINGS
from hub.connection import HubError
from hub.contents import read_json
from hub.push import collect
from hub.push import main as push_command
from hub.results import folder_checksum
from train.arguments import DataArguments
from vmhan.evaluation.predictions import weights_checksum
from vmhan.evaluation.tables import relation_scores

ROOT = Path(__file__).resolve().parents[2]
BUNDLED = ROOT / "vmhan" / "weights" / "vmhan-mini-mnre"
RESULTS = sorted((ROOT / "assets" / "results" / "mnre-mini").glob("*.json"))
DATASET = "ada/mnre-own"
OWN = next(path for path in RESULTS if path.name == "second-generation-seed2.json")


@pytest.fixture(scope="module")
def card() -> ModelCard:
    """The card of the bundled model."""
    return make_card(BUNDLED, "ada/mini", read_json(OWN), [read_json(path) for path in RESULTS])


def test_card_numbers_equal_the_result_file(card):
    metrics = read_json(OWN)["metrics"]
    written = {(item.dataset_split, item.metric_name.split(" ", 1)[1]): item for item in card.data.eval_results}
    for split, measured in metrics.items():
        unknown = measured["direction_unknown"]
        assert written[split, "accuracy"].metric_value == round(unknown["accuracy"], 4)
        assert written[split, "accuracy, direction given"].metric_value == round(measured["accuracy"], 4)
        assert written[split, "F1, direction given (micro, without None)"].metric_value == round(measured["f1"], 4)
        main = written[split, "F1 (micro, without None)"]
        assert main.metric_value == round(unknown["f1"], 4)
        assert main.dataset_args == {"protocol": "clean", "visual_setting": "described"}
        assert f"| {split} | {measured['rows']:,} | {100 * unknown['f1']:.1f} |" in card.text
    for name, of_relation in metrics["test"]["per_relation"].items():
        assert f"| `{name}` | {of_relation['support']} |" in card.text


def test_cards_need_no_scikit_learn(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.metrics", None)  # importing it fails
    assert "### Beside other runs" in make_card(BUNDLED, "ada/mini", read_json(OWN), [read_json(OWN)]).text


def test_first_number_of_the_card_is_f1_on_test_in_the_mode_that_users_get(card):
    first = card.data.eval_results[0]
    assert (first.dataset_split, first.metric_type) == ("test", "f1") and "given" not in first.metric_name
    assert first.metric_value == round(read_json(OWN)["metrics"]["test"]["direction_unknown"]["f1"], 4)


def test_every_score_of_the_card_says_which_mode_it_is_of(card):
    scores = card.text.split("## What it scores")[1].split("## Data")[0]
    assert "Columns without further words are of pairs whose direction is unknown" in scores
    heads = [line for line in scores.splitlines() if line.startswith(("| split", "| relation |", "| entity markers"))]
    assert len(heads) == 3
    for head in heads:
        columns = [cell.strip() for cell in head.strip("|").split("|")]
        assert any("F1" in column and "direction given" in column for column in columns)
    assert "| validation F1 |" in heads[-1] and "| validation F1, direction given |" in heads[-1]


def relations_result() -> dict:
    result = read_json(OWN)
    known = result["metrics"]["test"]["per_relation"]
    unknown = {name: {**of, "f1": of["f1"] / 2} for name, of in known.items()}
    unknown["/loc/loc/contain"]["f1"] = 0.0
    result["metrics"]["test"]["direction_unknown"]["per_relation"] = unknown
    return result


def test_relation_that_is_found_only_with_the_direction_given_is_a_limit():
    limits = make_card(BUNDLED, "ada/mini", relations_result()).text.split("## Limits")[1]
    assert "`/loc/loc/contain`" in limits


@pytest.mark.parametrize("teachers", [2, 3])
def test_seeds_are_one_line_of_the_comparison(card, teachers):
    of_training = ((result, result["config"]["training"]) for result in map(read_json, RESULTS))
    taught = [
        result
        for result, training in of_training
        if len(training.get("teachers") or []) == teachers and not training.get("checkpoint")
    ]
    mean = sum(100 * result["metrics"]["test"]["direction_unknown"]["f1"] for result in taught) / len(taught)
    (line,) = [
        line
        for line in card.text.splitlines()
        if f", taught by {teachers} models |" in line and "finished" not in line
    ]
    assert f"| {len(taught)} |" in line and f"| {mean:.1f} ±" in line


def test_card_says_what_the_classifier_has_beside_equation_9(card, tmp_path):
    assert "interaction features and a direction classifier beside equation 9" in card.text
    plain = make_card(Path(save_tiny_checkpoint(tmp_path)), "ada/tiny")
    assert "beside equation 9" not in plain.text
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | {"direction_classifier": True}))
    assert "Its classifier has a direction classifier beside" in make_card(tmp_path, "ada/tiny").text


def test_card_says_how_much_of_test_stands_in_train(card):
    (of_test,) = [of for of in read_json(OVERLAP)["overlaps"] if (of["split"], of["in"]) == ("test", "train")]
    limits = card.text.split("## Limits")[1]
    assert f"{of_test['sentence']['different']} test sentences ({of_test['sentence']['rows']} rows" in limits
    assert f"{of_test['stripped_sentence']['different']} ({of_test['stripped_sentence']['rows']} rows)" in limits
    assert f"{of_test['pair']['rows']} of them with the same two entities" in limits
    assert f"{of_test['ordered_names']['rows']} have names of head and tail" in limits


def test_card_has_words_for_every_protocol_and_visual_setting():
    settings = get_args(get_type_hints(DataArguments)["visual_setting"])
    assert {*settings} == VISUAL_SETTINGS.keys() and {"clean", "leaking", "legacy-crops"} == PROTOCOLS.keys()


def test_card_names_data_base_model_size_and_command(card):
    result = read_json(OWN)
    assert card.data.base_model == "sentence-transformers/all-MiniLM-L6-v2" and card.data.license == "apache-2.0"
    assert f"{result['parameters']:,} parameters, stored as F16" in card.text
    assert result["command"] in card.text and result["commit"] in card.text and f"Seed {result['seed']}," in card.text
    assert all(checksum in card.text for checksum in result["data"].values())
    assert card.data.eval_results[0].dataset_name == "MNRE"
    assert card.data.to_dict()["widget"][0]["text"] == EXAMPLE["text"]


@pytest.fixture
def of_hub(tmp_path, monkeypatch):
    """A local Hub with a data set, and the result of a training on it."""
    result = read_json(OWN)
    result["data"] = {"dataset": DATASET, "revision": "0123"}
    result["command"] += f" --dataset {DATASET}"
    (tmp_path / "own.json").write_text(json.dumps(result))
    with LocalHub() as hub:
        hub.enter(monkeypatch, tmp_path)
        hub.repositories["dataset", DATASET] = Repository("dataset", DATASET)
        yield hub, tmp_path / "own.json"


def test_data_set_on_the_hub_is_named_and_linked(of_hub):
    files = collect(BUNDLED, "ada/mini", of_hub[1])
    card = ModelCard(files["README.md"].decode())
    assert card.data.datasets == [DATASET] and f"[{DATASET}](https://huggingface.co/datasets/{DATASET})" in card.text
    assert "MNRE" not in card.text.replace("mnre", "") and f"Of the rights to the data see [{DATASET}]" in card.text
    assert {(item.dataset_type, item.dataset_name) for item in card.data.eval_results} == {(DATASET, DATASET)}
    assert files["results/own.json"] == of_hub[1].read_bytes()


def test_private_data_set_is_named_nowhere(of_hub):
    hub, path = of_hub
    hub.repository(DATASET, "dataset").private = True
    files = collect(BUNDLED, "ada/mini", path)
    card = files["README.md"].decode()
    assert "a private data set on the Hub, revision `0123`" in card and "name: a private data set" in card
    assert "MNRE" not in card
    named = [name for name, content in files.items() if isinstance(content, bytes) and DATASET.encode() in content]
    assert not named


def test_base_model_comes_from_the_settings_that_the_run_names(tmp_path):
    (tmp_path / "config.json").write_bytes((BUNDLED / "config.json").read_bytes())
    (tmp_path / "model.safetensors").symlink_to(BUNDLED / "model.safetensors")
    card = make_card(tmp_path, "ada/mini", read_json(OWN))
    assert card.data.base_model == "sentence-transformers/all-MiniLM-L6-v2"


def test_base_model_may_stand_in_the_settings_that_others_extend(tmp_path):
    (tmp_path / "config.json").write_bytes((BUNDLED / "config.json").read_bytes())
    (tmp_path / "model.safetensors").symlink_to(BUNDLED / "model.safetensors")
    result = read_json(OWN)
    result["command"] = "accelerate launch train/run.py train/configs/mnre/ablations/with_gat.yaml"
    assert make_card(tmp_path, "ada/mini", result).data.base_model == "sentence-transformers/all-MiniLM-L6-v2"


def test_relations_that_were_never_found_are_named_as_a_limit(card):
    relations = relation_scores(read_json(OWN))
    limits = card.text.split("## Limits")[1]
    for name, measured in relations.items():
        assert (f"`{name}`" in limits) == (measured["support"] > 0 and measured["f1"] == 0)


def test_result_of_another_model_is_refused(tmp_path):
    other = save_tiny_checkpoint(tmp_path)
    with pytest.raises(HubError, match="give --result the file that training wrote for this model"):
        make_card(Path(other), "ada/tiny", read_json(OWN))


def test_result_of_another_seed_is_refused():
    with pytest.raises(HubError, match=r"distilled-seed2\.json was measured with other weights"):
        push_command([str(BUNDLED), "ada/mini", "--result", str(OWN.with_name("distilled-seed2.json")), "--dry-run"])


def test_checksum_of_the_files_is_that_of_training(tmp_path):
    model = tiny_model()
    model.half().save_pretrained(tmp_path, max_shard_size="20KB")
    assert len(list(tmp_path.glob("model*.safetensors"))) > 1
    assert folder_checksum(tmp_path) == weights_checksum(model.float())


def test_card_without_a_result_holds_no_numbers(tmp_path):
    card = make_card(Path(save_tiny_checkpoint(tmp_path)), "ada/tiny")
    assert card.data.eval_results is None and "there are no numbers here" in card.text


@pytest.mark.slow
def test_pushed_card_shows_code_that_runs(tmp_path):
    """The bundled model goes to the Hub, and a clean process runs what its card shows."""
    with LocalHub() as hub:
        with pytest.MonkeyPatch.context() as patch:
            hub.enter(patch, tmp_path)
            push_command([str(BUNDLED), "ada/mini", "--result", str(OWN), "--compare", str(OWN.parent)])
        files = hub.repository("ada/mini").files
        assert {f"results/{path.name}" for path in RESULTS} <= files.keys()
        text = files["README.md"].data.decode()
        code = re.search(r"```python\n(.*?)```", text, re.DOTALL)[1]
        head = 'import sys\nsys.modules["vmhan"] = sys.modules["ultralytics"] = None\n'
        environment = hub.environment(tmp_path, token=None)  # it is public
        del environment["PYTHONPATH"]
        finished = subprocess.run(
            [sys.executable, "-c", head + code + "import json; print(json.dumps(answer['pairs']))"],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=600,
        )
    assert finished.returncode == 0, finished.stderr
    *printed, answer = finished.stdout.splitlines()
    from transformers import pipeline

    import vmhan  # noqa: F401

    local = pipeline("multimodal-relation-extraction", model=str(BUNDLED))(EXAMPLE)["pairs"]
    for remote, here in zip(json.loads(answer), local, strict=True):
        assert remote["relation"] == here["relation"] and remote["score"] == pytest.approx(here["score"], abs=1e-4)
    assert len(printed) == 3 and printed[0].startswith("Zinedine Zidane -> Carlo Ancelotti: /per/per/peer")


def test_card_names_every_further_corpus_with_its_terms():
    result = read_json(OWN)
    result["config"]["data"] |= {
        "corpora": [{"path": "main"}, {"path": "data/knowledgenet.jsonl.gz", "licence": "CC BY-SA 4.0"}],
        "mention_corpora": [{"path": "main"}, {"path": "data/ner/btc"}],
    }
    text = make_card(BUNDLED, "ada/mini", result).text
    assert "| knowledgenet | relations | CC BY-SA 4.0 |\n| btc | named entities | not stated |" in text


def test_card_of_one_corpus_has_no_table_of_others(card):
    assert "| corpus | marks | terms |" not in card.text
