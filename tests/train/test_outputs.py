"""What an earlier run has left is not written over unasked, and a run leaves its model whatever breaks after it."""

import json
import shutil
import subprocess
import sys

import pytest
from training_fixture import write_settings

from train import run
from train.outputs import LOCK, lock_output
from train.trainer import PairTrainer

OVERWRITE = ("--overwrite_output_dir", "true")


@pytest.fixture
def folder(finished_run, tmp_path, monkeypatch):
    """A copy of a finished run, which trains no further: these tests are about what happens before."""

    def trained(*args, **kwargs):
        raise AssertionError("it has begun to train")

    monkeypatch.setattr(PairTrainer, "train", trained)
    return shutil.copytree(finished_run[0], tmp_path / "copy")


def words(folder, *settings) -> list[str]:
    places = ["--output_dir", str(folder / "run"), "--results_dir", str(folder / "results")]
    return [str(folder / "settings.yaml"), *places, *settings]


def content(folder) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


@pytest.mark.parametrize("left", ["run/final", "run/checkpoint-4", "results/run.json"])
def test_what_an_earlier_run_has_left_is_not_written_over_unasked(folder, left):
    kept = folder.parent / "kept"
    shutil.move(folder / left, kept)
    shutil.rmtree(folder / "run")
    shutil.rmtree(folder / "results")
    (folder / left).parent.mkdir(exist_ok=True)
    shutil.move(kept, folder / left)
    before = content(folder)
    with pytest.raises(
        ValueError, match=rf"left .*{left}; choose another --output_dir.*--overwrite_output_dir true"
    ) as told:
        run.main(words(folder))
    assert ("--resume_from_checkpoint last" in str(told.value)) == ("checkpoint" in left)
    assert content(folder) == before


def test_another_output_folder_or_resuming_or_asking_for_it_begins(folder):
    for settings in (
        ["--run_name", "other", "--output_dir", str(folder / "other")],
        ["--resume_from_checkpoint", "last"],
    ):
        with pytest.raises(AssertionError, match="begun to train"):
            run.main(words(folder, *settings))
    assert (folder / "run" / "final").is_dir() and list((folder / "run").glob("checkpoint-*"))
    with pytest.raises(AssertionError, match="begun to train"):
        run.main(words(folder, *OVERWRITE))
    left = [*(folder / "run").glob("checkpoint-*"), *(folder / "run").glob("final")]
    assert left == [], "an old checkpoint would be taken for a new one"


def test_resuming_without_a_checkpoint_does_not_write_over_a_finished_model(folder):
    for path in (folder / "run").glob("checkpoint-*"):
        shutil.rmtree(path)
    with pytest.raises(ValueError, match=r"no checkpoint to resume from, but an earlier run has left .*final"):
        run.main(words(folder, "--resume_from_checkpoint", "last"))


def test_going_on_and_beginning_anew_at_once_is_refused(folder):
    with pytest.raises(ValueError, match="Choose: --resume_from_checkpoint"):
        run.main(words(folder, "--resume_from_checkpoint", "last", *OVERWRITE))


HOLDER = """
import sys, time
from filelock import FileLock
with FileLock(sys.argv[1]).acquire(timeout=0):
    print("locked", flush=True)
    time.sleep(600)
"""


def test_a_second_run_in_the_same_folder_is_refused_while_the_first_one_lives(folder):
    output = folder / "run"
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(output / LOCK)], stdout=subprocess.PIPE, text=True
    ) as first:
        assert first.stdout.readline() == "locked\n"
        before = content(folder)
        with pytest.raises(ValueError, match=rf"Another run is writing to {output} now.*--output_dir"):
            run.main(words(folder, *OVERWRITE))
        assert content(folder) == before
        run.main(words(folder, "--checkpoint", str(output / "final"), "--run_name", "meanwhile"))
        first.kill()
    with pytest.raises(AssertionError, match="begun to train"):
        run.main(words(folder, *OVERWRITE))
    assert not (output / LOCK).exists()


def test_a_lock_leaves_no_folder_behind_that_it_has_made(tmp_path):
    with pytest.raises(KeyError), lock_output(tmp_path / "a" / "run"):
        raise KeyError
    assert not (tmp_path / "a" / "run").exists()


def test_an_evaluation_does_not_write_over_the_result_of_the_training(folder):
    checkpoint = ["--checkpoint", str(folder / "run" / "final")]
    before = content(folder)
    with pytest.raises(ValueError, match=r"left .*run\.json; choose another --run_name"):
        run.main(words(folder, *checkpoint))
    assert content(folder) == before
    run.main(words(folder, *checkpoint, "--run_name", "again"))
    assert (folder / "results" / "again.json").is_file()
    with pytest.raises(ValueError, match=r"no result file nowhere\.json to complete"):
        run.main(words(folder, *checkpoint, "--complete_result", "nowhere.json"))


def test_a_run_that_breaks_while_test_is_scored_keeps_model_and_validation(finished_run, tmp_path, monkeypatch):
    predict, first = PairTrainer.predict, {}

    def broken(self, rows, **kwargs):
        assert (tmp_path / "run" / "final" / "model.safetensors").is_file(), "it is saved before anything is scored"
        first.update(first or read_config(tmp_path))
        if kwargs["metric_key_prefix"] == "test":
            raise RuntimeError("the power failed")
        return predict(self, rows, **kwargs)

    settings = [write_settings(tmp_path)]
    monkeypatch.setattr(PairTrainer, "predict", broken)
    with pytest.raises(RuntimeError, match="the power failed") as told:
        run.main(settings)
    final, path = tmp_path / "run" / "final", tmp_path / "results" / "run.json"
    assert f"--checkpoint {final} --complete_result {path}" in " ".join(told.value.__notes__)
    assert set(json.loads(path.read_text("utf-8"))["metrics"]) == {"validation"}
    config = read_config(tmp_path)
    assert config.pop("temperatures") and not first.pop("temperatures", None), (
        "fitted on validation, after the first save"
    )
    assert config == first

    monkeypatch.setattr(PairTrainer, "predict", predict)
    run.main([*settings, "--checkpoint", str(final), "--complete_result", str(path)])
    ours, theirs = (
        json.loads((place / "results" / "run.json").read_text("utf-8")) for place in (tmp_path, finished_run[0])
    )
    for split in ("validation", "test"):
        assert ours["metrics"][split]["per_relation"] == theirs["metrics"][split]["per_relation"]


def read_config(folder) -> dict:
    return json.loads((folder / "run" / "final" / "config.json").read_text("utf-8"))
