"""A training run that pushes itself to a local Hub."""

import contextlib
import io
import json
import subprocess
from types import SimpleNamespace

import pytest
from local_hub import READER, STRANGER, LocalHub, Repository
from training_fixture import write_settings

from hub import push as hub_push
from hub.connection import HubError
from train import publishing, run
from train.publishing import PushFailed
from train.trainer import PairTrainer

NAME = "ada/vmhan-run"


@pytest.fixture
def hub(monkeypatch, tmp_path):
    """A Hub whose client is this process, and in which the publisher runs its command."""
    with LocalHub() as hub:
        hub.enter(monkeypatch, tmp_path)
        monkeypatch.setattr(publishing, "subprocess", SimpleNamespace(run=run_here))
        yield hub


def run_here(command, **_) -> subprocess.CompletedProcess:
    """Runs `python -m hub.push ...` in this process, where retries wait for nothing."""
    assert command[1:3] == ["-m", "hub.push"]
    output = io.StringIO()
    try:
        with contextlib.redirect_stdout(output):
            hub_push.main(command[3:])
    except HubError as error:
        return subprocess.CompletedProcess(command, 1, output.getvalue(), f"hub.push: {error}")
    return subprocess.CompletedProcess(command, 0, output.getvalue(), "")


def words(folder, *more) -> list[str]:
    return [write_settings(folder), "--push_to_hub", "true", "--hub_model_id", NAME, *more]


def titles(hub) -> list[str]:
    return [commit.title for commit in hub.repository(NAME).commits]


def is_pickle(path: str) -> bool:
    return path.endswith((".bin", ".pt", ".pth", ".pkl"))


def test_run_pushes_its_checkpoints_and_its_result_without_pickles(hub, tmp_path):
    result = run.main(words(tmp_path, "--hub_private_repo", "true"))
    repository = hub.repository(NAME)
    assert repository.private
    assert titles(hub)[1] == "Training in progress, step 2" and titles(hub)[-1] == "End of training"
    paths = {path for commit in repository.commits for path in commit.files}
    assert (tmp_path / "run" / "checkpoint-2" / "training_args.bin").exists(), "there was a pickle to leave out"
    assert not any(map(is_pickle, paths)) and "raw_weights.safetensors" not in paths
    assert {"config.json", "modeling_vmhan.py", "handler.py", "results/run.json"} <= repository.files.keys()
    final = tmp_path / "run" / "final" / "model.safetensors"
    assert repository.files["model.safetensors"].data == final.read_bytes()
    assert json.loads(repository.files["results/run.json"].data) == json.loads(json.dumps(result))
    assert f"{100 * result['metrics']['test']['accuracy']:.1f}" in repository.files["README.md"].data.decode()


@pytest.mark.slow
def test_the_command_runs_in_a_process_of_its_own(hub, tmp_path, monkeypatch):
    monkeypatch.undo()
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    for name, value in hub.environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    publishing.Publisher(NAME, private=True)
    assert hub.repository(NAME).private


def test_end_strategy_pushes_once(hub, tmp_path):
    run.main(words(tmp_path, "--hub_strategy", "end"))
    assert titles(hub)[1:] == ["End of training"]


def test_killed_run_goes_on_pushing_when_it_is_resumed(hub, tmp_path, monkeypatch):
    settings = words(tmp_path)
    step, done = PairTrainer.training_step, []

    def killed(self, *args, **kwargs):
        if len(done) == 3:
            raise KeyboardInterrupt
        done.append(1)
        return step(self, *args, **kwargs)

    monkeypatch.setattr(PairTrainer, "training_step", killed)
    with pytest.raises(KeyboardInterrupt):
        run.main(settings)
    assert titles(hub)[1:] == ["Training in progress, step 2"]
    monkeypatch.setattr(PairTrainer, "training_step", step)
    run.main([*settings, "--resume_from_checkpoint", "last"])
    assert titles(hub)[2] == "Training in progress, step 4" and titles(hub)[-1] == "End of training"


def test_broken_connection_does_not_cost_the_training(hub, tmp_path, caplog):
    hub.cut_after = 0
    with pytest.raises(PushFailed, match=r"connection to the Hub broke.*to push it: python -m hub\.push .* --result"):
        run.main(words(tmp_path))
    assert "The checkpoint of step 2 was not pushed" in caplog.text
    assert (tmp_path / "run" / "final" / "model.safetensors").exists() and (tmp_path / "results" / "run.json").exists()


@pytest.mark.parametrize("there", [False, True], ids=["new", "there already"])
@pytest.mark.parametrize("token", [READER, STRANGER])
def test_missing_rights_are_told_before_the_training(hub, tmp_path, monkeypatch, token, there):
    if there:
        hub.repositories["model", NAME] = Repository("model", NAME)
    hub.enter(monkeypatch, tmp_path, token)
    with pytest.raises(PushFailed, match="may not write"):
        run.main(words(tmp_path))
    assert not (tmp_path / "run").exists()


def test_push_without_a_name_says_what_to_set(tmp_path):
    with pytest.raises(ValueError, match="--hub_model_id user/name"):
        run.main([write_settings(tmp_path), "--push_to_hub", "true"])


def test_token_in_the_settings_is_refused(tmp_path):
    with pytest.raises(ValueError, match="HF_TOKEN"):
        run.main([write_settings(tmp_path), "--hub_token", "hf_secret"])
