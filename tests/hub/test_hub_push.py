"""Pushing a model: the real client against a local Hub."""

import json
import shutil
import sys
from pathlib import Path

import pytest
import torch
from local_hub import READER, STRANGER, File, LocalHub, Repository
from tiny import save_tiny_checkpoint, tiny_model
from tiny_detectors import save_tiny_bundled

from hub.code_files import code_files
from hub.connection import HubError, run_command
from hub.contents import HANDLER, model_contents
from hub.push import main as push_command

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = {"visual_features": ["text", "box"], "entity_markers": "shared", "entity_pool": "mean_marker"}
NAME = "ada/vmhan-tiny"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A finished model, with what a trainer may leave beside it."""
    folder = Path(save_tiny_checkpoint(tmp_path_factory.mktemp("tiny"), **SETTINGS))
    torch.save({"learning_rate": 1e-3}, folder / "training_args.bin")
    (folder / "trainer_state.json").write_text("{}")
    return folder


@pytest.fixture(scope="module")
def sharded(folder, tmp_path_factory):
    """The same model in several files of weights."""
    sharded = tmp_path_factory.mktemp("sharded")
    shutil.copytree(folder, sharded, ignore=shutil.ignore_patterns("*.safetensors"), dirs_exist_ok=True)
    tiny_model(**SETTINGS).save_pretrained(sharded, max_shard_size="20KB")
    return sharded


@pytest.fixture
def hub(monkeypatch, tmp_path):
    with LocalHub() as hub:
        hub.enter(monkeypatch, tmp_path)
        yield hub


@pytest.fixture
def push(capsys):
    """Pushes a folder and returns what was printed."""

    def push(folder, *words, name=NAME) -> str:
        push_command([str(folder), name, *words])
        return capsys.readouterr().out

    return push


def test_the_top_level_of_the_package_is_what_travels_beside_the_weights():
    package = {path.name for path in (ROOT / "vmhan").glob("*.py")} - {"__init__.py", "registrations.py"}
    assert {path.name for path in code_files()} == package


def test_no_file_beside_the_weights_hides_one_of_python():
    """A server may put the folder of the model first on `sys.path`, where `import socket` would find them."""
    names = {path.stem for path in [*code_files(), HANDLER]}
    assert "modeling_vmhan" in names and not names & sys.stdlib_module_names


def test_one_commit_holds_all_that_loading_needs(hub, folder, push):
    assert f"Pushed: {hub.url}/{NAME}/commit/" in push(folder)
    repository = hub.repository(NAME)
    assert len(repository.commits) == 2 and not repository.private
    files = repository.files
    code = {path.name for path in (ROOT / "vmhan").glob("*.py")}
    registered = {"configuration_vmhan.py", "modeling_vmhan.py", "processing_vmhan.py", "pipeline_vmhan.py"}
    assert {"config.json", "model.safetensors", "processor_config.json", "handler.py", "README.md"} <= files.keys()
    assert registered <= files.keys() & code
    assert files["model.safetensors"].data == (folder / "model.safetensors").read_bytes()
    config = json.loads(files["config.json"].data)
    assert config["auto_map"]["AutoModel"] == "modeling_vmhan.VMHANModel"
    assert config["custom_pipelines"]["multimodal-relation-extraction"]["pt"] == ["AutoModelForSequenceClassification"]


def test_the_bundled_detector_goes_along(hub, folder, push, tmp_path, monkeypatch):
    bundled = Path(save_tiny_bundled(tmp_path / "bundled"))
    (bundled / "README.md").write_text("what it was trained on")
    names = {path.name for path in bundled.iterdir()}
    torch.save({}, bundled / "optimizer.pt")
    (bundled / "checkpoints").mkdir()
    monkeypatch.setattr("hub.contents.DETECTOR", bundled)
    push(folder)
    files = hub.repository(NAME).files
    sent = {path.removeprefix("detector/") for path in files if path.startswith("detector/")}
    assert sent == names >= {"config.json", "model.safetensors"}, "and no pickle"
    assert all(files[f"detector/{name}"].data == (bundled / name).read_bytes() for name in names)


def test_no_pickle_and_nothing_of_the_trainer_goes(hub, folder, push):
    printed = push(folder)
    assert not {path for path in hub.repository(NAME).files if path.endswith((".bin", ".pt", ".pth"))}
    assert "trainer_state.json" not in hub.repository(NAME).files
    assert "Left out" in printed and "training_args.bin" in printed


def test_second_push_of_the_same_sends_nothing(hub, folder, push):
    push(folder, "--private")
    before = hub.uploads()
    assert "nothing was sent" in push(folder, "--private")
    assert hub.uploads() == before and len(hub.repository(NAME).commits) == 2
    assert hub.repository(NAME).private


def test_dry_run_lists_the_files_and_needs_no_login(hub, folder, push, monkeypatch, tmp_path):
    hub.enter(monkeypatch, tmp_path, token=None)
    printed = push(folder, "--dry-run")
    assert "model.safetensors" in printed and "modeling_vmhan.py" in printed and "README.md" in printed
    assert hub.requests == []


def test_shards_replace_the_single_file(hub, folder, sharded, push):
    push(folder)
    push(sharded)
    weights = {path for path in hub.repository(NAME).files if "safetensors" in path}
    assert "model.safetensors" not in weights and "model.safetensors.index.json" in weights and len(weights) > 2


def test_folder_that_was_saved_twice_sends_only_what_would_be_read(folder, tmp_path, hub, push):
    twice = tmp_path / "twice"
    shutil.copytree(folder, twice)
    tiny_model(**SETTINGS).save_pretrained(twice, max_shard_size="20KB")
    with pytest.raises(HubError, match=r"holds model\.safetensors and weights in shards, from two savings; remove"):
        push(twice)
    (twice / "model.safetensors").unlink()
    tiny_model(**SETTINGS).save_pretrained(twice)  # which removes the shards, not their index
    push(twice)
    assert (twice / "model.safetensors.index.json").is_file()
    assert [path for path in hub.repository(NAME).files if path.startswith("model.")] == ["model.safetensors"]


def test_exported_folder_holds_what_a_push_sends(folder, tmp_path, hub, push):
    assert f"Written to {tmp_path / 'out'}." in push(folder, "--export", str(tmp_path / "out"))
    assert hub.requests == []
    push(folder)
    exported = {path.relative_to(tmp_path / "out").as_posix(): path for path in (tmp_path / "out").rglob("*")}
    files = hub.repository(NAME).files
    assert {name: path.read_bytes() for name, path in exported.items() if path.is_file()} == {
        name: file.data for name, file in files.items()
    }


def test_missing_login_is_one_line_that_says_how_to_log_in(hub, folder, tmp_path, monkeypatch):
    hub.enter(monkeypatch, tmp_path, token=None)
    monkeypatch.setattr(sys, "argv", ["hub.push", str(folder), NAME])
    with pytest.raises(SystemExit, match=r"^hub\.push: .*hf auth login.*HF_TOKEN[^\n]*$"):  # as a command prints it
        run_command("hub.push", push_command)
    assert not hub.repositories


@pytest.mark.parametrize(
    ("token", "advice"), [(READER, "a token with write access"), (STRANGER, "under your own user")]
)
def test_token_without_the_right_to_write_is_refused(hub, folder, push, monkeypatch, tmp_path, token, advice):
    hub.enter(monkeypatch, tmp_path, token)
    with pytest.raises(HubError, match=f"may not write to '{NAME}'.*{advice}"):
        push(folder)
    assert not hub.repositories


def test_claim_checks_the_right_to_write_where_the_repository_is_there(hub, folder, push, monkeypatch, tmp_path):
    push(folder)
    assert "may be written to" in push(folder, "--claim")
    hub.enter(monkeypatch, tmp_path, READER)
    with pytest.raises(HubError, match="may not write"):
        push(folder, "--claim")


def test_name_that_holds_another_model_is_not_overwritten(hub, folder, push):
    taken = hub.repositories["model", NAME] = Repository("model", NAME)
    taken.add_commit("bert", {"config.json": File(b'{"model_type": "bert"}', large=False)}, [])
    with pytest.raises(HubError, match=r"is taken: it holds a model of type 'bert'\. Choose another name"):
        push(folder)
    assert len(taken.commits) == 2


def test_name_of_what_the_token_may_not_see_is_called_taken(hub, folder, push):
    hub.repositories["model", NAME] = Repository("model", NAME, hidden=True)
    with pytest.raises(HubError, match=r"is taken by a repository that the token may not see .* Choose another name"):
        push(folder)


def test_file_that_is_no_result_is_refused(folder, push, tmp_path):
    (tmp_path / "result.json").write_text('{"metrics": {}}')
    with pytest.raises(HubError, match=r"is no result: it lacks config, data, protocol; name a file that training"):
        push(folder, "--result", str(tmp_path / "result.json"), "--dry-run")


def test_public_repository_is_not_taken_for_a_private_one(hub, folder, push):
    push(folder)
    with pytest.raises(HubError, match="is public"):
        push(folder, "--private")


def test_name_without_a_user_is_refused(hub, folder, push):
    with pytest.raises(HubError, match="user/name"):
        push(folder, name="vmhan-tiny")


def test_push_that_was_cut_goes_on_where_it_stopped(hub, sharded, push):
    hub.cut_after = 1
    with pytest.raises(HubError, match=r"connection to the Hub broke.*same command again"):
        push(sharded)  # after the client's own retries
    assert hub.uploads() == 1 and len(hub.repository(NAME).commits) == 1, "half a model must not be there"
    hub.cut_after = None
    push(sharded)
    weights = [path for path in hub.repository(NAME).files if path.endswith(".safetensors")]
    assert hub.uploads() == len(weights) > 1, "what had arrived is not sent again"


@pytest.mark.parametrize(
    ("missing", "said"),
    [("processor_config.json", "processor.save_pretrained"), ("model.safetensors", "safetensors")],
)
def test_unfinished_folder_is_refused(folder, tmp_path, missing, said):
    broken = tmp_path / "broken"
    shutil.copytree(folder, broken, ignore=shutil.ignore_patterns(missing))
    with pytest.raises(HubError, match=said):
        model_contents(broken)


def test_bundled_model_can_be_pushed(capsys):
    push_command([str(ROOT / "vmhan" / "weights" / "vmhan-mini-mnre"), NAME, "--dry-run"])
    assert "model.safetensors" in capsys.readouterr().out
