"""Data are named on cards only where checksums, the Hub or whoever pushes say what they are."""

import json
from pathlib import Path

import pytest
from huggingface_hub import ModelCard
from local_hub import LocalHub
from mnre_fixture import write_mnre
from tiny import save_tiny_checkpoint

from hub.card import make_card
from hub.connection import HubError
from hub.contents import read_json
from hub.data_source import MNRE_CHECKSUMS, find_source
from hub.dataset import main as dataset_command
from hub.push import main as push_command

ROOT = Path(__file__).resolve().parents[2]
BUNDLED = ROOT / "vmhan" / "weights" / "vmhan-mini-mnre"
RESULT = ROOT / "assets" / "results" / "mnre-mini" / "second-generation-seed2.json"
NAMED = ("MNRE", "github.com/thecharm", "states no licence", "is also in the training split")


def own_result(**changes: str) -> dict:
    """The result of the bundled model, as if the files of that name had been others."""
    result = read_json(RESULT)
    result["data"] |= changes or dict.fromkeys(result["data"], "0" * 64)
    return result


def named(card: ModelCard) -> list[str]:
    """What of a card is of MNRE, apart from the model's own name and result files."""
    content = card.content.replace("vmhan-mini-mnre", "")
    return [words for words in NAMED if words in content]


def push(folder, tmp_path, capsys, *words) -> ModelCard:
    """The card of an exported model."""
    push_command([str(folder), "ada/own", "--export", str(tmp_path / "out"), *map(str, words)])
    capsys.readouterr()
    return ModelCard.load(tmp_path / "out" / "README.md")


@pytest.fixture
def bare(tmp_path):
    """The bundled model without its card, as a training leaves one."""
    folder = tmp_path / "final"
    folder.mkdir()
    for path in BUNDLED.iterdir():
        if path.name != "README.md":
            (folder / path.name).symlink_to(path)
    return folder


def test_published_files_are_known_by_their_checksums(bare):
    card = make_card(bare, "ada/own", read_json(RESULT))
    assert named(card) == list(NAMED) and card.data.language == "en"
    assert {(item.dataset_type, item.dataset_name) for item in card.data.eval_results} == {("mnre", "MNRE")}
    assert "the files have the checksums of the published ones" in card.text


def test_published_files_may_have_other_names():
    assert find_source({f"file {number}": sum for number, sum in enumerate(MNRE_CHECKSUMS)}).name == "MNRE"


@pytest.mark.parametrize("file", ["mnre_train.txt", "mnre_val.txt", "mnre_test.txt"])
def test_one_other_file_makes_them_own_data(bare, file):
    card = make_card(bare, "ada/own", own_result(**{file: "0" * 64}))
    assert named(card) == [] and "Measured on own data" in card.text
    assert f"`{file}`: sha256 `{'0' * 64}`" in card.text


def test_own_data_are_called_that_and_listed_with_checksums(bare):
    result = own_result()
    card = make_card(bare, "ada/own", result)
    assert named(card) == [] and card.data.language is None and card.data.datasets is None
    assert {(item.dataset_type, item.dataset_name) for item in card.data.eval_results} == {("own-data", "own data")}
    assert all(f"`{name}`: sha256 `{sum}`" in card.text for name, sum in result["data"].items())
    assert "Nothing is known here of the rights to the data." in card.text


def test_whoever_pushes_may_name_them(bare, tmp_path, capsys):
    words = ["--dataset-name", "Our news", "--dataset-url", "https://example.org/news"]
    card = push(bare, tmp_path, capsys, *words)
    assert "Trained on [Our news](https://example.org/news), as whoever pushed it says." in card.text
    assert "Of the rights to the data see [Our news](https://example.org/news)." in card.text and named(card) == []
    scored = make_card(bare, "ada/own", own_result(), dataset_name="Our news")
    assert {(of.dataset_type, of.dataset_name) for of in scored.data.eval_results} == {("our-news", "Our news")}
    assert "Measured on Our news" in scored.text and named(scored) == []


@pytest.mark.parametrize("name", ["MNRE", "MORE"])
def test_known_names_bring_their_address_but_no_counts(bare, name):
    card = make_card(bare, "ada/own", own_result(), dataset_name=name)
    assert f"Measured on [{name}](https://github.com/" in card.text
    assert "is also in the training split" not in card.text
    assert ("MNRE states no licence" in card.text) == (name == "MNRE")


def test_without_a_result_file_nothing_is_named(tmp_path, capsys):
    card = push(save_tiny_checkpoint(tmp_path / "tiny"), tmp_path, capsys)
    assert named(card) == [] and "the data that it was trained on are not named here" in card.text
    assert card.data.language is None


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--dataset-name", " "], "--dataset-name is blank"),
        (["--dataset-url", "https://example.org"], "add --dataset-name"),
        (["--dataset-name", "x", "--dataset-url", "example.org"], "begins with https://"),
    ],
)
def test_words_that_name_nothing_are_refused(words, said):
    with pytest.raises(HubError, match=said):
        push_command([str(BUNDLED), "ada/own", "--dry-run", *words])


def test_claims_about_people_are_named_by_the_relations_that_the_model_has(tmp_path, bare):
    tiny = make_card(Path(save_tiny_checkpoint(tmp_path / "tiny")), "ada/own")
    assert "- Do not decide anything about people with it." in tiny.text
    assert "- Relations such as nationality, religion and race are claims" in make_card(bare, "ada/own").text


@pytest.fixture
def own(tmp_path):
    """Own data in MNRE's form, whose negative label has a name of its own."""
    folder = write_mnre(tmp_path / "own", sentences=8)
    for path in folder.glob("mnre_*.txt"):
        path.write_text(path.read_text(encoding="utf-8").replace("'None'", "'unlinked'"), encoding="utf-8")
    return folder


def test_a_data_set_of_own_files_is_not_called_mnre(own, capsys):
    dataset_command(["mnre", str(own), "ada/own", "--no-relation", "unlinked", "--dry-run"])
    printed = capsys.readouterr().out
    assert "Own data in the form of MNRE: a row" in printed and "MNRE states" not in printed
    assert "github.com/thecharm" not in printed and 'and `no_relation: "unlinked"`.' in printed
    words = ["--no-relation", "unlinked", "--dataset-name", "Our news", "--dry-run"]
    dataset_command(["mnre", str(own), "ada/own", *words])
    assert "Our news, as whoever made this repository says: a row" in capsys.readouterr().out


def test_the_negative_label_comes_back_from_the_hub_when_it_is_named(own, monkeypatch, tmp_path):
    from train.data.hub_rows import load_hub_dataset
    from vmhan.data.schema import no_relation_of

    with LocalHub() as hub:
        hub.enter(monkeypatch, tmp_path)
        monkeypatch.setattr("datasets.config.HF_ENDPOINT", hub.url)
        monkeypatch.setattr("datasets.config.HF_HUB_OFFLINE", False)
        monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "datasets")
        dataset_command(["mnre", str(own), "ada/own", "--no-relation", "unlinked"])
        readme = hub.repository("ada/own", "dataset").files["README.md"].data.decode()
        assert "id: unlinked" not in readme and "language" not in readme
        with pytest.raises(ValueError, match="None of the labels looks like the negative label"):
            load_hub_dataset("ada/own")
        rows = load_hub_dataset("ada/own", no_relation="unlinked")["train"]
    assert no_relation_of(rows.features["relation"]) == "unlinked" == rows.features["relation"].names[0]


@pytest.mark.parametrize("name", ["push", "space", "dataset"])
def test_usage_shows_what_to_type(name, capsys):
    from importlib import import_module

    with pytest.raises(SystemExit):
        import_module(f"hub.{name}").main(["--help"])
    assert capsys.readouterr().out.startswith(f"usage: python -m hub.{name} ")


def test_the_checksums_are_those_of_the_results_here():
    assert set(json.loads(RESULT.read_text())["data"].values()) >= MNRE_CHECKSUMS
