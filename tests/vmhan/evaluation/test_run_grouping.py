"""Which runs are one group, and the labels that tell groups apart."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from train.arguments import read_config
from train.compare import settings_files
from train.report.write import RESULTS
from train.results import describe_settings
from vmhan.evaluation.run_grouping import group_results, variant, variants_apart
from vmhan.evaluation.run_settings import recipe
from vmhan.evaluation.runs import Run, group_runs
from vmhan.evaluation.tables import comparison_table

CONFIGS = Path("train/configs/mnre")
SPECIAL = [CONFIGS / "ablations", CONFIGS / "legacy_crops.yaml", CONFIGS / "legacy_crops_clean.yaml"]
COMMITTED = sorted(RESULTS.glob("mnre-*/*.json"))


def result_of(path, seed=1, *words, named=True) -> dict:
    """The result file that `train.compare` would write, with invented scores."""
    name = ["--run_name", f"{path.stem}-seed{seed}"] if named else []
    config = read_config([str(path), "--seed", str(seed), *name, *words])
    data, of_model = config.data, SimpleNamespace(**vars(config.model), no_relation="None")
    split = {"f1": 0.6, "precision": 0.6, "recall": 0.6, "accuracy": 0.7, "rows": 10}
    result = {
        "seed": seed,
        "protocol": "legacy-crops" if data.legacy_crops else "clean",
        "visual_setting": data.visual_setting,
        "control": data.control,
        "config": describe_settings(config, of_model),
        "data": {"mnre_train.txt": "0"},
        "metrics": {"validation": split, "test": split},
    }
    return json.loads(json.dumps(result))


def test_every_settings_file_is_a_group_whatever_the_seed():
    paths = settings_files(SPECIAL).values()
    results = [result_of(path, seed) for seed in (1, 2) for path in paths]
    assert len(paths) == 16
    assert group_results(results) == [[one, two] for one, two in zip(results[:16], results[16:], strict=True)]


def test_every_settings_file_of_the_comparison_is_a_group():
    paths = settings_files([CONFIGS / "compare.yaml", CONFIGS / "mini.yaml", CONFIGS / "mini_distilled.yaml"])
    assert len(group_results([result_of(path) for path in paths.values()])) == len(paths)


def test_committed_results_are_grouped_by_markers_structure_and_sight():
    """Among them are old files, which do not name every setting of today."""
    for folder in {path.parent for path in COMMITTED} - {RESULTS / "mnre-ablations", RESULTS / "mnre-legacy"}:
        results = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))]
        expected = {}
        for result in results:
            expected.setdefault(variant(result), []).append(result)
        assert group_results(results) == list(expected.values())


@pytest.mark.parametrize(
    ("words", "same"),
    [
        (["--output_dir", "elsewhere", "--use_cpu", "true", "--per_device_eval_batch_size", "7"], True),
        (["--no_relation", "None"], True),
        (["--text_model", "data/all-MiniLM-L6-v2", "--data_dir", "elsewhere"], True),
        (["--eval_strategy", "epoch"], True),
        (["--num_train_epochs", "3"], False),
        (["--bf16", "true", "--use_cpu", "true"], False),
        (["--teachers", "a", "b"], False),
        (["--kl_weight", "0"], False),
        (["--selector", "words"], False),
        (["--max_objects", "2"], False),
    ],
)
def test_only_what_changes_the_learning_counts(words, same):
    path = CONFIGS / "compare" / "shared-vhan-described.yaml"
    assert len(group_results([result_of(path), result_of(path, 2, *words)])) == 2 - same


def test_when_it_is_evaluated_counts_where_the_best_is_kept():
    best = ["--load_best_model_at_end", "true", "--save_strategy", "epoch", "--eval_strategy", "epoch"]
    steps = [*best[:2], "--save_strategy", "steps", "--eval_strategy", "steps", "--eval_steps", "100"]
    path = CONFIGS / "compare" / "shared-vhan-described.yaml"
    assert len(group_results([result_of(path, 1, *best), result_of(path, 2, *steps)])) == 2


def test_temperatures_which_differ_from_seed_to_seed_make_no_groups():
    path = CONFIGS / "mini.yaml"
    results = [result_of(path, seed) for seed in (1, 2)]
    for number, result in enumerate(results, start=1):
        result["config"]["model"]["temperatures"] = {"direction_given": {"relation": number, "no_relation": 1.0}}
    assert group_results(results) == [results]


def test_other_data_are_another_group():
    one, two = (result_of(CONFIGS / "mini.yaml", seed) for seed in (1, 2))
    two["data"] = {"mnre_train.txt": "1"}
    assert len(group_results([one, two])) == 2


def test_evaluations_of_one_model_are_told_apart_by_what_it_sees_not_by_unused_settings():
    one, two, three = (
        result_of(CONFIGS / "mini.yaml", 1, "--checkpoint", "x", *words)
        for words in ([], ["--learning_rate", "1"], ["--visual_setting", "text_only"])
    )
    assert group_results([one, two, three]) == [[one, two], [three]]


def test_groups_that_read_the_same_are_called_by_their_settings_files():
    full, without = ([result_of(CONFIGS / "ablations" / f"{name}.yaml")] for name in ("full", "without_kl"))
    seen = [label.visual_input for label in variants_apart([full, without])]
    assert seen == ["descriptions, full", "descriptions, without kl"]
    assert [label.visual_input for label in variants_apart([full])] == ["descriptions"]
    assert "descriptions, without kl |" in comparison_table([*full, *without])


def test_groups_of_one_settings_file_are_told_apart_by_what_was_overridden():
    folder, longer = CONFIGS / "ablations", ("--num_train_epochs", "3")
    groups = [
        [result_of(folder / "full.yaml")],
        [result_of(folder / "full.yaml", 2, *longer)],
        [result_of(folder / "without_kl.yaml")],
    ]
    seen = [label.visual_input.removeprefix("descriptions, ") for label in variants_apart(groups)]
    assert seen == ["full, num_train_epochs 2.0", "full, num_train_epochs by default", "without kl"]
    table = comparison_table([result for group in groups for result in group])
    assert "descriptions, full, num_train_epochs 2.0 |" in table and "descriptions, without kl |" in table
    runs = [Run(f"mnre-ablations/{number}", group[0], None) for number, group in enumerate(groups)]
    assert {group.name for group in group_runs(runs)} == {None, "without_kl"}


def test_without_the_names_of_files_the_settings_say_it():
    path = CONFIGS / "ablations" / "full.yaml"
    groups = [[result_of(path, named=False)], [result_of(path, 1, "--kl_weight", "0", named=False)]]
    seen = [label.visual_input for label in variants_apart(groups)]
    assert seen == ["descriptions, kl_weight 0.001", "descriptions, kl_weight 0.0"]
    assert "descriptions, kl_weight 0.0 |" in comparison_table([result for group in groups for result in group])


def test_a_variant_says_that_the_label_is_given_away():
    leaking = result_of(CONFIGS / "legacy_crops.yaml")
    assert variant(leaking).visual_input == "descriptions, protocol legacy-crops: the label is given away"


def test_recipe_leaves_out_what_is_seen():
    described, text_only, boxes, other = (
        recipe(result_of(CONFIGS / "compare" / f"{name}.yaml"))
        for name in ("shared-vhan-described", "shared-vhan-text_only", "shared-vhan-boxes", "shared-none-described")
    )
    assert described == text_only == boxes != other
