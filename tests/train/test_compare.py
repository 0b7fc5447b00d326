"""Several settings with several seeds: which runs there are, and which are left."""

import json
from pathlib import Path

import pytest
from training_fixture import write_settings

from train.arguments import read_config
from train.compare import main, missing_runs, settings_files

COMPARE = Path("train/configs/mnre/compare.yaml")


@pytest.fixture
def folder(tmp_path):
    """Two settings files that extend one beside their folder."""
    base = Path(write_settings(tmp_path))
    folder = base.with_suffix("")
    folder.mkdir()
    (folder / "none.yaml").write_text("extends: ../settings.yaml\nmodel: {structure_encoder: none}")
    (folder / "vhan.yaml").write_text("extends: ../settings.yaml\ntraining: {num_train_epochs: 1}")
    return folder


def test_the_comparison_has_each_combination_and_the_asides():
    files = settings_files([COMPARE])
    assert len(files) == 14 and {"shared-vhan-shuffled", "shared-vhan-boxes"} < set(files)
    for name, file in files.items():
        markers, structure, sees = name.split("-")
        config = read_config([str(file)])
        data, model, training = config.data, config.model, config.training
        assert (model.entity_markers, model.structure_encoder) == (markers, structure)
        assert model.entity_pool == ("mean" if markers == "none" else "mean_marker")
        assert data.visual_setting == ("text_only" if sees == "text_only" else "described")
        assert (data.boxes, model.visual_features) == (
            ("detect", ["text", "box"]) if sees == "boxes" else (None, ["text"])
        )
        assert data.control == ("shuffled_images" if sees == "shuffled" else "none")
        assert training.results_dir == "assets/results/mnre-compare"


def test_a_file_stands_for_the_folder_of_its_name(folder):
    base = folder.with_suffix(".yaml")
    assert (
        settings_files([base])
        == settings_files([folder])
        == {name: folder / f"{name}.yaml" for name in ("none", "vhan")}
    )
    assert settings_files([folder / "none.yaml"]) == {"none": folder / "none.yaml"}


def test_two_files_with_one_name_are_refused(folder, tmp_path):
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "none.yaml").write_text("extends: ../settings.yaml")
    with pytest.raises(ValueError, match=r"other.none\.yaml would write the same results"):
        settings_files([folder, tmp_path / "other"])


def test_what_is_not_there_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        settings_files([tmp_path / "nowhere"])
    with pytest.raises(FileNotFoundError, match="holds no settings"):
        settings_files([tmp_path])


def test_two_parts_share_the_runs_whose_results_are_missing(folder):
    everything = missing_runs([folder], [], [1, 2, 3])
    halves = [missing_runs([folder], [], [1, 2, 3], (number, 2)) for number in (1, 2)]
    assert sorted(map(str, everything)) == sorted(str(command) for half in halves for command in half)
    assert len({command[-1] for command in everything}) == len(everything) == 6, "each has a folder of its own"
    results = folder.parent / "results"
    results.mkdir()
    (results / "none-seed2.json").write_text("{}")
    assert len(missing_runs([folder], [], [1, 2, 3])) == 5
    assert len(missing_runs([folder], ["--results_dir", str(folder)], [1, 2, 3])) == 6


def test_a_stopped_run_goes_on_unless_it_is_to_begin_anew(folder):
    resume = ["--resume_from_checkpoint", "last"]
    for command in missing_runs([folder], [], [1]):
        assert command[command.index(resume[0]) :][:2] == resume
    for overrides in (["--overwrite_output_dir", "true"], ["--resume_from_checkpoint", "elsewhere"]):
        for command in missing_runs([folder], overrides, [1]):
            assert "last" not in command and overrides[1] in command


def test_the_command_runs_each_setting_with_each_seed_and_then_nothing(folder, capsys):
    words = [str(folder), "--seeds", "1", "2", "--max_steps", "1", "--eval_strategy", "no", "--save_strategy", "no"]
    words += ["--load_best_model_at_end", "false", "--read_test", "false"]
    main(words)
    results = {path.stem: json.loads(path.read_text()) for path in (folder.parent / "results").glob("*.json")}
    assert set(results) == {"none-seed1", "none-seed2", "vhan-seed1", "vhan-seed2"}
    for name, result in results.items():
        assert result["config"]["model"]["structure_encoder"] == name.split("-")[0]
        assert f"-seed{result['seed']}" in name and result["config"]["training"]["max_steps"] == 1
    assert "Run 4 of 4" in capsys.readouterr().out
    main(words)
    assert "Run" not in capsys.readouterr().out
