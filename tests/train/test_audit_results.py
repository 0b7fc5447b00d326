"""Audits of finished runs: the same as training makes, and none that says too much."""

import json
import shutil

import pytest
from training_fixture import write_settings

from train import run
from train.audit_results import is_audited, main
from train.report.figures import RESULTS

SELECTED = {"selected phrases of the text", "selected phrases of the image", "selected objects"}
SELECT = ["--selector", "words", "--max_objects", "1"]


@pytest.fixture(scope="module")
def audited_once(tmp_path_factory):
    """The folder of two runs, one of them with selected nodes and pairs turned round."""
    folder = tmp_path_factory.mktemp("audited")
    words = [write_settings(folder), "--num_train_epochs", "0", "--read_test", "false"]
    run.main([*words, "--run_name", "plain"])
    run.main(
        [*words, *SELECT, "--undirected_pairs", "true", "--run_name", "selected", "--overwrite_output_dir", "true"]
    )
    return folder


@pytest.fixture
def finished(audited_once, tmp_path):
    """A copy of them, and the copied result files, which name the copied data."""
    folder = shutil.copytree(audited_once, tmp_path / "copy")
    paths = [folder / "results" / f"{name}.json" for name in ("plain", "selected")]
    for path in paths:
        path.write_text(path.read_text("utf-8").replace(str(audited_once), str(folder)), "utf-8")
    return folder, paths


def read(path) -> dict:
    return json.loads(path.read_text(encoding="utf-8"))


def change(path, **entries) -> dict:
    """Rewrites a result file; None takes an entry away."""
    result = {name: value for name, value in (read(path) | entries).items() if entries.get(name, "there") is not None}
    path.write_text(json.dumps(result), encoding="utf-8")
    return result


def test_the_audit_of_a_finished_run_is_that_of_training(finished, capsys):
    _, paths = finished
    trained = [read(path) for path in paths]
    assert [is_audited(result) for result in trained] == [True, True]
    assert trained[1]["audit"].keys() == trained[0]["audit"].keys() | SELECTED
    change(paths[0], audit=None)
    change(paths[1], audit={name: [] for name in trained[0]["audit"]})  # of code that did not see what is selected
    assert main([str(path) for path in paths]) == 0
    for path, before in zip(paths, trained, strict=True):
        after = read(path)
        later = after.pop("audited_later")
        assert after == before
        assert later["command"].startswith("python -m train.audit_results") and set(later) >= {"commit", "versions"}
    assert main([str(path) for path in paths]) == 0
    assert capsys.readouterr().out.count("audited already") == 2


def test_runs_with_the_same_inputs_are_audited_once(finished, monkeypatch):
    from train import audit_results

    _, paths = finished
    load, calls = audit_results.prepare_audited_inputs, []
    monkeypatch.setattr(audit_results, "prepare_audited_inputs", lambda *of: calls.append(of) or load(*of))
    another = paths[0].with_name("another.json")
    another.write_bytes(paths[0].read_bytes())
    change(another, seed=9)
    assert main([*map(str, [*paths, another]), "--again"]) == 0
    assert len(calls) == 2 and read(another)["audited_later"]


def test_a_file_is_not_left_clean_if_its_inputs_leak(finished, monkeypatch):
    from vmhan.evaluation import audit

    _, (plain, _) = finished
    monkeypatch.setattr(audit, "MOST_WORD_F1", 0.0)  # whatever words say is too much now
    assert main([str(plain), "--again"]) == 1
    after = read(plain)
    assert after["protocol"] == "leaking" and "c" in after["audit"]["description"]
    assert after["audited_later"]["protocol_before"] == "clean"


def test_other_data_or_settings_are_refused(finished):
    folder, (plain, selected) = finished
    moved = (folder / "mnre").rename(folder / "moved")
    with pytest.raises(FileNotFoundError, match="is missing"):
        main([str(plain), "--again"])
    assert main([str(plain), "--again", "--data_dir", str(moved)]) == 0
    before = plain.read_bytes()
    with open(moved / "llavanext_test.json", "a", encoding="utf-8") as file:
        file.write("\n")
    with pytest.raises(
        ValueError, match=r"plain\.json: These data are not those of the run: llavanext_test\.json differ"
    ):
        main([str(plain), "--again", "--data_dir", str(moved)])
    settings = read(selected)["config"]
    change(selected, audit=None, config={**settings, "data": {**settings["data"], "crop_lists": "x"}})
    with pytest.raises(ValueError, match="no settings crop_lists any more"):
        main([str(selected)])
    assert plain.read_bytes() == before


@pytest.mark.parametrize("path", sorted(RESULTS.glob("*/*.json")), ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_every_clean_result_says_what_was_audited(path):
    result = read(path)
    if result.get("protocol") == "clean":  # plain sentences have none
        assert is_audited(result), "run `python -m train.audit_results` on it"
        assert not any(result["audit"].values())
