"""Protocol legacy-crops: what the nodes say, that they reach the model, and that a run says that it leaks."""

import json
import logging

import pytest
import torch
from legacy_fixture import write_legacy
from mnre_fixture import write_mnre
from tiny import tiny_model, tiny_processor
from training_fixture import write_settings

from train import run
from train.arguments import read_config
from train.data.collator import PairCollator
from train.data.directions import both_ways
from train.data.legacy_crops import read_legacy_crops
from train.data.legacy_nodes import add_legacy_nodes, legacy_phrases
from vmhan.data.mnre import load_mnre
from vmhan.hypergraph import VISUAL_PHRASE

LEGACY, CLEAN = (f"train/configs/mnre/{name}.yaml" for name in ("legacy_crops", "legacy_crops_clean"))


@pytest.fixture(scope="module")
def splits(tmp_path_factory):
    return load_mnre(write_mnre(tmp_path_factory.mktemp("mnre"), sentences=12))


@pytest.fixture(scope="module")
def legacy(splits, tmp_path_factory):
    return read_legacy_crops(write_legacy(tmp_path_factory.mktemp("legacy"), splits))


@pytest.mark.parametrize(
    ("crops", "phrase", "nodes"),
    [
        (2, "RollingStone Trump", ["2 crops", "RollingStone Trump"]),
        (3, "Bill Cosby Show person", ["3 crops", "Bill Cosby Show person", "person"]),
        (4, "Cam Dam location location", ["4 crops", "Cam Dam location location", "location location"]),
        (0, "", ["0 crops"]),
    ],
)
def test_nodes_tell_the_number_of_crops_the_phrase_and_its_last_words(crops, phrase, nodes):
    assert legacy_phrases(["crop.png"] * crops, phrase) == nodes


def test_each_row_has_the_nodes_of_its_line(splits, legacy):
    for name, rows in add_legacy_nodes(splits, legacy).items():
        for row in rows:
            of_line = legacy[name]["crops"][row["line"] - 1], legacy[name]["phrases"][row["line"] - 1]
            assert row["selection"]["visual_phrases"] == legacy_phrases(*of_line)
            assert row["selection"]["objects"] is None and row["selection"]["text_phrases"] == []


def test_a_limited_or_turned_row_keeps_its_own_nodes(splits, legacy):
    rows = add_legacy_nodes(splits, legacy)["train"]
    part = add_legacy_nodes({"train": splits["train"].select([7, 3])}, legacy)["train"]
    assert part["selection"] == rows.select([7, 3])["selection"]
    assert list(both_ways(rows)["selection"]) == list(rows["selection"]) * 2


def test_pairs_of_one_image_differ_and_the_model_sees_how_many_crops_there_are(splits, legacy):
    rows = add_legacy_nodes(splits, legacy)["train"]
    sentence = [row for row in rows if row["words"] == rows[0]["words"]]
    assert len({len(row["selection"]["visual_phrases"]) for row in sentence}) == 2
    model, processor = tiny_model(), tiny_processor()
    batch = PairCollator(processor)(sentence)
    with torch.no_grad():
        output = model(**batch)
        nodes = output.node_mask[:, output.node_types == VISUAL_PHRASE].sum(dim=1).tolist()
        assert nodes == [len(row["selection"]["visual_phrases"]) for row in sentence]
        # the same pair, with the count alone changed
        row = sentence[0]
        more = {**row, "selection": {**row["selection"], "visual_phrases": ["9 crops"]}}
        less = {**row, "selection": {**row["selection"], "visual_phrases": ["2 crops"]}}
        logits = [model(**PairCollator(processor)([changed])).logits for changed in (more, less)]
    assert not torch.allclose(*logits)


def test_config_and_its_twin_differ_in_the_crops_alone():
    ours, twin = (
        [vars(part) for part in (config.data, config.model, config.training)]
        for config in (read_config([path]) for path in (LEGACY, CLEAN))
    )
    differing = [
        name
        for one, other in zip(ours, twin, strict=True)
        for name, value in one.items()
        if value != other[name] and name != "distributed_state"  # of the process, compared by identity
    ]
    assert differing == ["legacy_crops"]
    assert ours[1]["image_dropout"] == ours[1]["description_dropout"] == 0 and ours[1]["visual_features"] == ["text"]


def test_a_run_with_them_says_loudly_that_it_leaks_and_is_no_clean_run(tmp_path, caplog):
    settings = write_settings(tmp_path)
    splits = load_mnre(tmp_path / "mnre")
    (tmp_path / "legacy").mkdir()
    folder = write_legacy(tmp_path / "legacy", splits)
    words = [settings, "--num_train_epochs", "0", "--read_test", "false"]
    with caplog.at_level(logging.WARNING):
        result = run.main([*words, "--legacy_crops", str(folder)])
    assert "PROTOCOL legacy-crops: THE INPUTS OF THIS RUN LEAK THE GOLD LABEL" in caplog.text
    assert result["protocol"] == "legacy-crops"
    assert "a" in result["audit"]["legacy crops"] and "a" in result["audit"]["legacy phrases"]
    assert result["config"]["data"]["legacy_crops"] == str(folder)
    assert {"mre_train_dict.pth", "phrase_text_test.json"} < set(result["data"])
    written = json.loads((tmp_path / "results" / "run.json").read_text(encoding="utf-8"))
    assert written["protocol"] == "legacy-crops"
    caplog.clear()
    with caplog.at_level(logging.WARNING):
        clean = run.main([*words, "--overwrite_output_dir", "true"])
    assert clean["protocol"] == "clean" and "legacy" not in caplog.text
    assert clean["metrics"]["validation"]["loss"] != result["metrics"]["validation"]["loss"]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--visual_setting", "text_only"], "nodes of an image"),
        (["--control", "shuffled_images"], "belong to rows"),
        (["--selector", "words"], "take the place of selected phrases"),
    ],
)
def test_what_cannot_stand_beside_the_crops_is_refused(words, why):
    with pytest.raises(ValueError, match=why):
        run.main([LEGACY, *words])
