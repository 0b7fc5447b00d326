"""Training for real on a few rows: results, resuming, evaluation."""

import ast
import json
import runpy
import sys

import pytest
from training_fixture import write_settings
from transformers import pipeline

from train import run
from train.data.collator import PairCollator
from train.trainer import PairTrainer
from vmhan import VMHANConfig

OVERWRITE = ("--overwrite_output_dir", "true")


def scores(result):
    """What a run scored, without how long it took."""
    return {
        split: {name: value for name, value in metrics.items() if not name.endswith(("runtime", "per_second"))}
        for split, metrics in result["metrics"].items()
    }


def test_result_file_says_how_its_numbers_came_about(finished_run):
    folder, result = finished_run
    written = json.loads((folder / "results" / "run.json").read_text(encoding="utf-8"))
    assert written == json.loads(json.dumps(result))
    assert "train/run.py" in written["command"]
    assert written["config"]["model"]["training_scripts"] == ["LATIN"]
    assert written["seed"] == 3 and written["versions"]["torch"] and written["config"]["model"]["num_layers"] == 2
    assert all(len(checksum) == 64 for checksum in written["data"].values())
    assert set(written["metrics"]) == {"validation", "test"} and 0 <= written["metrics"]["test"]["f1"] <= 1


def test_a_run_is_called_clean_only_if_its_inputs_pass_the_audit(tmp_path):
    settings = [write_settings(tmp_path), "--num_train_epochs", "0", "--read_test", "false", *OVERWRITE]
    assert run.main(settings)["protocol"] == "clean"
    for split in ("train", "val", "test"):  # one pair an image: in these data its description tells which relation
        path = tmp_path / "mnre" / f"mnre_{split}.txt"
        rows = {row["img_id"]: row for row in map(ast.literal_eval, reversed(path.read_text("utf-8").splitlines()))}
        path.write_text("".join(f"{row!r}\n" for row in rows.values()), "utf-8")
    result = run.main(settings)
    assert result["protocol"] == "leaking" and result["audit"]["description"] == ["c"]
    blind = run.main([*settings, "--visual_setting", "text_only"])
    assert blind["protocol"] == "clean" and blind["audit"] == {}


def test_trained_model_answers_through_the_pipeline(finished_run):
    folder, _ = finished_run
    extract = pipeline("multimodal-relation-extraction", model=str(folder / "run" / "final"))
    answer = extract({"text": "Ada met Bob", "entities": ["Ada", "Bob"], "description": "A man waves."})
    assert len(answer["pairs"]) == 1 and answer["pairs"][0]["objects"]


def test_test_split_is_read_once_after_training(tmp_path, monkeypatch):
    read = []
    predict, train = PairTrainer.predict, PairTrainer.train
    monkeypatch.setattr(
        PairTrainer,
        "predict",
        lambda self, rows, **kw: read.append(kw["metric_key_prefix"]) or predict(self, rows, **kw),
    )
    monkeypatch.setattr(PairTrainer, "train", lambda self, **kw: (train(self, **kw), read.append("trained")))
    run.main([write_settings(tmp_path), "--num_train_epochs", "1"])
    assert read == ["trained", "validation", "test"]


def test_checkpoint_that_is_kept_is_the_best_where_the_direction_is_unknown(tmp_path, monkeypatch):
    """The two modes are made to disagree about which checkpoint is best."""
    from train import model_factory as building

    scores = iter([(0.9, 0.1), (0.2, 0.8), (0.3, 0.2), (0.1, 0.3)] * 9)

    def make(*args):
        return lambda evaluation: dict(zip(("f1", "direction_unknown_f1"), next(scores), strict=True))

    monkeypatch.setattr(building, "make_compute_metrics", make)
    result = run.main([write_settings(tmp_path), "--metric_for_best_model", "direction_unknown_f1"])
    assert [entry["step"] for entry in result["history"] if entry["step"] == result["best_step"]] == [4]


def test_finished_model_holds_the_temperatures_that_validation_gave(finished_run):
    folder, result = finished_run
    config = VMHANConfig.from_pretrained(folder / "run" / "final")
    assert set(config.temperatures) == {"direction_unknown", "direction_given"}
    unknown = result["metrics"]["validation"]["direction_unknown"]
    assert set(unknown["per_relation"]) == set(result["metrics"]["validation"]["per_relation"])


@pytest.mark.parametrize("words", [["--descriptions", "none"], ["--descriptions", ""], []])
def test_descriptions_are_switched_off_and_names_of_objects_with_them(tmp_path, monkeypatch, words):
    settings = write_settings(tmp_path)
    for path in (tmp_path / "mnre").glob("llavanext_*"):
        path.unlink()
    if not words:
        (tmp_path / "off.yaml").write_text("extends: settings.yaml\ndata: {descriptions: null}", encoding="utf-8")
        settings = str(tmp_path / "off.yaml")
    told, call = [], PairCollator._image
    monkeypatch.setattr(PairCollator, "_image", lambda self, row: told.append(call(self, row)) or told[-1])
    result = run.main([settings, *words, "--num_train_epochs", "1"])
    assert result["config"]["data"]["descriptions"] is None and "llavanext_train.json" not in result["data"]
    assert {str(image) for image in told if image} == {"{'description': None, 'objects': []}"}


def test_splits_may_differ_in_size(tmp_path):
    settings = write_settings(tmp_path)
    path = tmp_path / "mnre" / "mnre_test.txt"
    path.write_text("".join(path.read_text("utf-8").splitlines(keepends=True)[:-4]), "utf-8")
    metrics = run.main([settings, "--num_train_epochs", "0"])["metrics"]
    assert metrics["validation"]["rows"] == metrics["test"]["rows"] + 4


@pytest.mark.parametrize("last_step", [1, 3, 5])
def test_killed_and_resumed_run_ends_with_the_same_metrics(finished_run, tmp_path, monkeypatch, last_step):
    settings = write_settings(tmp_path)
    step = PairTrainer.training_step
    done = []

    def killed(self, *args, **kwargs):
        if len(done) == last_step:
            raise KeyboardInterrupt
        done.append(1)
        return step(self, *args, **kwargs)

    monkeypatch.setattr(PairTrainer, "training_step", killed)
    with pytest.raises(KeyboardInterrupt):
        run.main([settings])
    monkeypatch.setattr(PairTrainer, "training_step", step)
    resumed = run.main([settings, "--resume_from_checkpoint", "last"])
    _, uninterrupted = finished_run
    assert scores(resumed) == scores(uninterrupted)
    assert resumed["history"][-1]["eval_loss"] == uninterrupted["history"][-1]["eval_loss"]


def test_checkpoint_with_other_relations_is_refused(finished_run, tmp_path):
    from tiny import save_tiny_checkpoint

    folder, _ = finished_run
    other = save_tiny_checkpoint(tmp_path / "other")
    with pytest.raises(ValueError, match="the data have"):
        run.main([str(folder / "settings.yaml"), "--checkpoint", other, *OVERWRITE])


def test_run_without_a_text_encoder_says_what_to_give(finished_run):
    folder, _ = finished_run
    with pytest.raises(ValueError, match="--text_model"):
        run.main([str(folder / "settings.yaml"), "--text_model", "", *OVERWRITE])


@pytest.mark.parametrize(
    "words", [[], ["--seed", "1"], ["nowhere.yaml"], ["train/configs/mnre/mini.yaml", "--sead", "1"]]
)
def test_settings_that_cannot_be_read_end_the_command_in_one_line(words, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["train/run.py", *words])
    monkeypatch.setattr(sys, "path", list(sys.path))
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(run.__file__, run_name="__main__")
    assert ended.value.code == 2
    assert capsys.readouterr().err.startswith("train/run.py: error: ")
