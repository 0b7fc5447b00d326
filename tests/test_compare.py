"""The comparison: which runs there are, and which are left."""

import json

from training_fixture import write_settings

from train.compare import main, missing_runs, variants


def test_each_combination_and_the_asides_are_runs():
    names = set(variants())
    assert len(names) == 14 and {"shared-vhan-shuffled", "shared-vhan-boxes"} < names
    assert {name.split("-")[0] for name in names} == {"none", "shared", "pair"}


def test_two_parts_share_the_runs_whose_results_are_missing(tmp_path):
    settings = [write_settings(tmp_path)]
    everything = missing_runs(settings, [1, 2], (1, 1))
    halves = [missing_runs(settings, [1, 2], (number, 2)) for number in (1, 2)]
    assert sorted(map(str, everything)) == sorted(str(command) for half in halves for command in half)
    assert len({command[-1] for command in everything}) == len(everything) == 28, "each has a folder of its own"
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "pair-none-text_only-seed2.json").write_text("{}")
    assert len(missing_runs(settings, [1, 2], (1, 1))) == 27


def test_runs_differ_in_what_their_names_say(tmp_path):
    settings, wanted = write_settings(tmp_path), ["pair-none-described", "shared-vhan-boxes", "shared-vhan-shuffled"]
    (tmp_path / "results").mkdir()
    for name in set(variants()) - set(wanted):
        (tmp_path / "results" / f"{name}-seed1.json").write_text("{}")
    main([settings, "--seeds", "1", "--num_train_epochs", "1"])
    results = [json.loads((tmp_path / "results" / f"{name}-seed1.json").read_text()) for name in wanted]
    models = [result["config"]["model"] for result in results]
    assert [model["entity_markers"] for model in models] == ["pair", "shared", "shared"]
    assert [model["structure_encoder"] for model in models] == ["none", "vhan", "vhan"]
    assert [model["visual_features"] for model in models] == [["text"], ["text", "box"], ["text"]]
    assert [result["config"]["data"]["boxes"] for result in results] == [None, "detect", None]
    assert [result["control"] for result in results] == ["none", "none", "shuffled_images"]
