"""The grid search: real trainings of a tiny model."""

import json

import pytest
from training_fixture import write_settings

from train.trainer import PairTrainer

optuna = pytest.importorskip("optuna")

from train.search import TRIALS, main  # noqa: E402
from train.search_grid import OPEN_SETTINGS, parse_grid  # noqa: E402

GRID = ["--grid", "kl_weight=0.1,0.001", "num_layers=1,2", "learning_rate=0.001,0.01"]


def search(folder, *words) -> dict:
    storage = f"sqlite:///{folder}/kept/search.db"
    settings = [str(folder / "settings.yaml"), "--num_train_epochs", "1"]
    return main([*settings, "--storage", storage, "--result", str(folder / "search.json"), *GRID, *words])


@pytest.fixture(scope="module")
def searched(tmp_path_factory):
    """Folder and result of a search with two trials, and of each trial what was trained."""
    folder, models = tmp_path_factory.mktemp("search"), []
    write_settings(folder)
    with pytest.MonkeyPatch.context() as patch:
        train = PairTrainer.train

        def watched(self, *args, **kwargs):
            output = train(self, *args, **kwargs)
            assert self.model.config.training_scripts == ["LATIN"]
            models.append((self.model.config.num_layers, self.model.config.kl_weight, self.args.learning_rate))
            return output

        patch.setattr(PairTrainer, "train", watched)
        return folder, search(folder, "--trials", "2"), models


def test_each_trial_trains_what_its_point_of_the_grid_says(searched):
    _, found, models = searched
    told = [
        tuple(trial["settings"][name] for name in ("num_layers", "kl_weight", "learning_rate"))
        for trial in found["trials"]
    ]
    assert told == models and len(set(models)) == 2


def test_result_file_lists_the_trials_and_the_best_on_validation(searched):
    folder, found, _ = searched
    assert json.loads((folder / "search.json").read_text(encoding="utf-8")) == json.loads(json.dumps(found))
    assert found["best"]["validation_f1"] == max(trial["validation_f1"] for trial in found["trials"])
    assert found["points_of_the_grid"] == 8 and found["versions"]["optuna"] == optuna.__version__


def test_checkpoints_of_trials_do_not_stay(searched):
    folder, _, _ = searched
    assert not list((folder / "run").glob("run-*"))


def test_search_goes_on_where_it_stopped_and_tries_the_stopped_trial_again(searched, monkeypatch):
    folder, before, _ = searched
    step = PairTrainer.training_step
    monkeypatch.setattr(PairTrainer, "training_step", lambda *args, **kw: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        search(folder, "--trials", "3")
    study = optuna.load_study(study_name="settings", storage=f"sqlite:///{folder}/kept/search.db")
    stopped = study.trials[-1]
    assert stopped.state.name == "FAIL"
    monkeypatch.setattr(PairTrainer, "training_step", step)
    after = search(folder, "--trials", "3")
    assert after["trials"][:2] == before["trials"] and len(after["trials"]) == 3
    assert after["trials"][2]["settings"] == stopped.params


def test_test_split_changes_nothing(searched, tmp_path):
    _, found, _ = searched
    write_settings(tmp_path)
    path = tmp_path / "mnre" / "mnre_test.txt"
    path.write_text(path.read_text("utf-8").replace("/per/per/couple", "None"), "utf-8")
    scores = [trial["validation_f1"] for trial in search(tmp_path, "--trials", "1")["trials"]]
    assert scores == [found["trials"][0]["validation_f1"]]


def test_storage_of_another_search_is_refused(searched):
    folder, _, _ = searched
    with pytest.raises(ValueError, match="another --name"):
        search(folder, "--seed", "9")


def test_grid_of_unknown_settings_is_refused():
    with pytest.raises(ValueError, match="kl_wait"):
        parse_grid(["kl_wait=1"])
    assert parse_grid(["num_layers=1,2"]) == {"num_layers": [1, 2]}


def test_five_trials_over_what_the_paper_leaves_open_are_the_default():
    assert TRIALS == 5 and set(OPEN_SETTINGS) == {
        "reconstruction_weight",
        "kl_weight",
        "num_layers",
        "num_attention_heads",
    }
