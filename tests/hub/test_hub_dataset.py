"""A data set goes to the Hub, comes back whole or as a stream, and a model trains on it."""

from pathlib import Path

import pytest
import yaml
from datasets import load_dataset
from local_hub import READER, STRANGER, File, LocalHub, Repository
from mnre_fixture import write_mnre
from more_fixture import MINI, save_text_encoder, words_of, write_more
from training_fixture import write_parts, write_settings

from hub.connection import HubError
from hub.dataset import main as dataset_command
from hub.dataset_card import RIGHTS
from train import run as training
from train.data.hub_rows import load_hub_dataset
from vmhan.data.mnre import load_mnre
from vmhan.data.more import load_more

ROOT = Path(__file__).resolve().parents[2]
NAME = "ada/mnre-own"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Invented data with pictures, one of which is missing."""
    folder = write_mnre(tmp_path_factory.mktemp("mnre"), sentences=11, images=True)
    (folder / "images" / "twitter_invented_train_0.jpg").unlink()
    return folder


@pytest.fixture
def hub(monkeypatch, tmp_path):
    with LocalHub() as hub:
        hub.enter(monkeypatch, tmp_path)
        monkeypatch.setattr("datasets.config.HF_ENDPOINT", hub.url)
        monkeypatch.setattr("datasets.config.HF_HUB_OFFLINE", False)
        yield hub


def words(folder, *more) -> list[str]:
    return ["mnre", str(folder), NAME, "--images", str(folder / "images"), "--boxes", "detect", *more]


def test_rows_come_back_whole_and_as_a_stream(hub, folder, monkeypatch, tmp_path):
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "datasets")
    dataset_command(words(folder))
    repository = hub.repository(NAME, "dataset")
    assert repository.private and {path for path in repository.files if path.endswith(".parquet")}
    whole, stream = load_dataset(NAME), load_dataset(NAME, split="train", streaming=True)
    local = load_mnre(folder, image_dir=folder / "images", max_objects=10)
    assert {split: len(rows) for split, rows in whole.items()} == {split: len(rows) for split, rows in local.items()}
    assert whole["train"].features["relation"].names == local["train"].features["relation"].names
    for ours, *theirs in zip(local["train"].select(range(4)), whole["train"], stream, strict=False):
        image = ours.pop("image")
        for row in theirs:
            pixel = row["image"].getpixel((0, 0)) if row["image"] else None
            assert pixel == (image.getpixel((0, 0)) if image else None)
            assert {name: row[name] for name in ours} == ours
    assert [row["image"] and row["image"].size for row in stream.take(4)] == [None, None, None, (64, 48)]


def test_card_and_screen_say_whose_responsibility_it_is(hub, folder, capsys):
    dataset_command(words(folder, "--dry-run"))
    assert RIGHTS[None] in capsys.readouterr().out
    dataset_command(words(folder, "--dataset-name", "MNRE"))
    assert RIGHTS["mnre"] in capsys.readouterr().out
    card = hub.repository(NAME, "dataset").files["README.md"].data.decode()
    assert RIGHTS["mnre"] in card and "license: other" in card and "dataset_info" in card
    assert "- `train`: 29 pairs, 10 of 11 images" in card and "mnre_train.txt" in card


def test_second_push_of_the_same_data_sends_nothing(hub, folder, capsys):
    dataset_command(words(folder))
    commits, uploads = len(hub.repository(NAME, "dataset").commits), hub.uploads()
    dataset_command(words(folder))
    assert "was up to date" in capsys.readouterr().out
    assert len(hub.repository(NAME, "dataset").commits) == commits and hub.uploads() == uploads


def test_public_repository_needs_a_word_about_rights(hub, folder, capsys):
    with pytest.raises(HubError, match="--i-may-redistribute"):
        dataset_command(words(folder, "--public"))
    assert not hub.repositories
    dataset_command(words(folder, "--public", "--i-may-redistribute"))
    assert not hub.repository(NAME, "dataset").private
    assert "anyone may see it" in capsys.readouterr().out


def test_private_repository_stays_private_and_is_called_that(hub, folder, capsys):
    dataset_command(words(folder))
    dataset_command(words(folder, "--public", "--i-may-redistribute"))
    assert hub.repository(NAME, "dataset").private
    said = capsys.readouterr().out
    assert "only you may see it" in said and "anyone may" not in said


def test_dry_run_sends_nothing(hub, folder, capsys):
    dataset_command(words(folder, "--dry-run"))
    assert hub.requests == [] and "## Columns" in capsys.readouterr().out


def test_exit_without_login_comes_before_the_data_are_read(hub, monkeypatch, tmp_path):
    hub.enter(monkeypatch, tmp_path, token=None)
    with pytest.raises(HubError, match="hf auth login"):
        dataset_command(["mnre", str(tmp_path / "nothing"), NAME])


def test_push_that_was_cut_goes_on_where_it_stopped(hub, folder):
    hub.cut_after = 1
    with pytest.raises(HubError, match=r"connection to the Hub broke.*same command again"):
        dataset_command(words(folder))
    assert hub.uploads() == 1
    hub.cut_after = None
    dataset_command(words(folder))
    files = hub.repository(NAME, "dataset").files
    assert hub.uploads() == len([path for path in files if path.endswith(".parquet")]) == 3


@pytest.mark.slow
@pytest.mark.parametrize("setting", ["described", "pixels"])
def test_training_from_the_hub_equals_training_from_the_files(hub, folder, monkeypatch, tmp_path, setting):
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "datasets")
    dataset_command(words(folder))
    settings = [write_settings(tmp_path), "--boxes", "detect", "--num_train_epochs", "1"]
    local = ["--data_dir", str(folder)]
    if setting == "pixels":
        (tmp_path / "pixels").mkdir()
        settings = [*write_parts(tmp_path / "pixels"), "--on_missing_image", "none"]
        local += ["--image_dir", str(folder / "images")]
    of_hub = tmp_path / "of_hub.yaml"
    base = str(Path(settings[0]).resolve())
    of_hub.write_text(yaml.safe_dump({"extends": base, "data": {"data_dir": None, "dataset": NAME}}))
    from_hub = training.main([str(of_hub), *settings[1:]])
    from_files = training.main([*settings, *local, "--output_dir", str(tmp_path / "again")])
    assert from_hub["data"] == {"dataset": NAME, "revision": hub.repository(NAME, "dataset").commits[-1].oid}
    assert from_hub["pair_order"] == from_files["pair_order"]
    assert from_hub["metrics"] == from_files["metrics"]


def test_words_about_images_can_be_left_out(hub, folder, more, monkeypatch, tmp_path):
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "datasets")
    dataset_command(words(folder))
    ours, all_of_it = (load_hub_dataset(NAME, descriptions=keep)["train"] for keep in (False, True))
    assert set(ours["description"]) == {None} != set(all_of_it["description"])
    assert not any(ours["object_names"]) and any(all_of_it["object_names"])
    assert ours.features == all_of_it.features and ours["object_boxes"][:] == all_of_it["object_boxes"][:]

    dataset_command(words_of_more(more))
    ours, all_of_it = (load_hub_dataset("ada/more-own", captions=keep)["train"] for keep in (False, True))
    assert not any(map(any, ours["entity_captions"])) and any(map(any, all_of_it["entity_captions"]))
    assert list(map(len, ours["entity_captions"])) == list(map(len, all_of_it["entity_captions"]))


def test_repository_without_what_training_needs_is_refused(hub, folder, monkeypatch, tmp_path):
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "datasets")
    dataset_command(["mnre", str(folder), NAME])
    with pytest.raises(ValueError, match="has no image in 'train'; push it again with --images"):
        load_hub_dataset(NAME, images=True)


def test_other_data_under_the_name_are_not_overwritten(hub, folder):
    taken = hub.repositories["dataset", NAME] = Repository("dataset", NAME, private=True)
    taken.add_commit("other", {"data.csv": File(b"a,b", large=False)}, [])
    with pytest.raises(HubError, match=r"is taken: it holds other data, such as data\.csv"):
        dataset_command(words(folder))


@pytest.mark.parametrize("token", [READER, STRANGER])
def test_token_without_the_right_to_write_is_refused(hub, folder, monkeypatch, tmp_path, token):
    hub.enter(monkeypatch, tmp_path, token)
    with pytest.raises(HubError, match="may not write"):
        dataset_command(words(folder))
    assert not hub.repositories


def test_missing_files_are_named(hub, tmp_path):
    with pytest.raises(HubError, match=r"mnre_train\.txt"):
        dataset_command(["mnre", str(tmp_path), NAME])


@pytest.fixture
def more(tmp_path):
    return write_more(tmp_path / "more")


def words_of_more(folder, *more_words) -> list[str]:
    return ["more", str(folder), "ada/more-own", "--images", str(folder / "img_org"), *more_words]


def test_more_comes_back_with_its_objects_and_pictures(hub, more, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "datasets")
    dataset_command(words_of_more(more, "--dataset-name", "MORE"))
    assert RIGHTS["more"] in capsys.readouterr().out
    card = hub.repository("ada/more-own", "dataset").files["README.md"].data.decode()
    assert "- `train`: 60 pairs, 9 of 9 images" in card and "- `tail_object`: " in card and "rel2id.json" in card
    assert "license_name: mit-except-titles-and-images" in card
    local, loaded = load_more(more, image_dir=more / "img_org"), load_hub_dataset("ada/more-own", images=True)
    for split, rows in local.items():
        assert loaded[split].features["relation"] == rows.features["relation"]
        columns = [name for name in rows.column_names if name != "image"]
        assert loaded[split].select_columns(columns).to_list() == rows.select_columns(columns).to_list()
        assert all(Path(row["image"]["path"]).is_file() for row in loaded[split])


def test_more_without_captions_has_none(hub, more, capsys):
    dataset_command(words_of_more(more, "--descriptions", "none", "--dry-run"))
    out = capsys.readouterr().out
    assert hub.requests == [] and "caption_dict.json" not in out and "ent_train_dict.pth" in out


def test_broken_more_is_named(hub, more):
    (more / "rel2id.json").write_text("{}")
    with pytest.raises(HubError, match="There are no labels"):
        dataset_command(words_of_more(more))


@pytest.mark.slow
def test_training_on_more_from_the_hub_equals_training_from_the_files(hub, more, monkeypatch, tmp_path):
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", tmp_path / "datasets")
    dataset_command(words_of_more(more))
    save_text_encoder(tmp_path)
    words = words_of(tmp_path, MINI, hidden_size=16)
    from_files = training.main(words)
    from_hub = training.main(
        [
            *words,
            "--data_dir",
            "",
            "--dataset",
            "ada/more-own",
            "--run_name",
            "hub",
            "--output_dir",
            str(tmp_path / "hub"),
        ]
    )
    assert from_hub["data"]["dataset"] == "ada/more-own" and from_hub["metrics"] == from_files["metrics"]
