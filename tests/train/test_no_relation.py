"""The negative label of own data is named or found, counts in no F1, and never stands beside an invented one."""

import json
import logging
from pathlib import Path

import numpy as np
import pytest
from mnre_fixture import write_mnre
from more_fixture import write_more
from training_fixture import write_settings

from train import run as training
from train.data.directions import add_undirected, both_ways, count_by_order
from train.data.side_inputs import clean_inputs
from vmhan.data.mnre import load_mnre
from vmhan.data.more import load_more
from vmhan.data.schema import no_relation_of
from vmhan.evaluation.audit import audit
from vmhan.evaluation.metrics import relation_metrics
from vmhan.evaluation.predictions import predictions_path, read_predictions

USUAL = ("none", "NONE", "no_relation", "No Relation", "NO-RELATION", "NoRelation", "NA", "N/A", "n.a.", "Other")


def rename(folder: Path, negative: str, **others: str) -> Path:
    """Writes an invented MNRE with other labels: of what is "None", and by the last part of the others."""
    write_mnre(folder, sentences=8)
    for path in folder.glob("mnre_*.txt"):
        text = path.read_text(encoding="utf-8").replace("'relation': 'None'", f"'relation': {negative!r}")
        for old, new in others.items():
            text = text.replace(f"/per/per/{old}", new)
        path.write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize("name", USUAL)
def test_a_usual_name_is_found_and_logged(tmp_path, caplog, name):
    with caplog.at_level(logging.WARNING, "vmhan"):
        data = load_mnre(rename(tmp_path, name))
    relations = data["train"].features["relation"]
    assert relations.names[0] == name and len(relations.names) == 6 and "None" not in relations.names
    assert no_relation_of(relations) == name and f"{name!r} is taken for the negative one" in caplog.text


def test_mnre_s_own_name_is_found_silently(tmp_path, caplog):
    with caplog.at_level(logging.WARNING, "vmhan"):
        relations = load_mnre(rename(tmp_path, "None"))["train"].features["relation"]
    assert no_relation_of(relations) == relations.names[0] == "None" and not caplog.records


def test_a_label_without_a_usual_name_is_named_by_the_user(tmp_path, caplog):
    folder = rename(tmp_path, "unlinked")
    with pytest.raises(ValueError, match=r"None of the labels looks like the negative .*--no_relation NAME.*unlinked"):
        load_mnre(folder)
    with caplog.at_level(logging.WARNING, "vmhan"):
        relations = load_mnre(folder, no_relation="unlinked")["test"].features["relation"]
    assert relations.names[0] == "unlinked" and len(relations.names) == 6 and not caplog.records
    assert relations.names[1:] == sorted(relations.names[1:])


def test_a_named_label_that_is_none_of_the_data_s_stops(tmp_path):
    with pytest.raises(ValueError, match=r"no_relation is 'NA', which is no label of the data\. .*'no_relation'"):
        load_mnre(rename(tmp_path, "no_relation"), no_relation="NA")


def test_of_several_candidates_the_user_names_one(tmp_path):
    folder = rename(tmp_path, "NA", couple="Other")
    with pytest.raises(ValueError, match=r"mnre_train\.txt: Each of 'NA', 'Other' looks like .*--no_relation"):
        load_mnre(folder)
    relations = load_mnre(folder, no_relation="Other")["train"].features["relation"]
    assert relations.names[0] == no_relation_of(relations) == "Other" and "NA" in relations.names


def test_data_without_unrelated_pairs_get_no_phantom_label(tmp_path):
    with pytest.raises(ValueError, match="None of the labels looks like the negative label"):
        load_mnre(rename(tmp_path, "/org/loc/near"))


def test_a_file_without_pairs_is_named(tmp_path):
    write_mnre(tmp_path)
    (tmp_path / "mnre_train.txt").write_text("")
    with pytest.raises(ValueError, match=r"mnre_train\.txt holds no entity pair"):
        load_mnre(tmp_path)


def test_more_may_call_it_otherwise_too(tmp_path, caplog):
    folder = write_more(tmp_path, images=False)
    for path in (*folder.glob("txt/*.txt"), folder / "rel2id.json"):
        path.write_text(path.read_text().replace("'none'", "'apart'").replace('"none"', '"apart"'))
    with pytest.raises(ValueError, match=r"rel2id\.json: None of the labels looks like"):
        load_more(folder)
    relations = load_more(folder, no_relation="apart")["train"].features["relation"]
    assert no_relation_of(relations) == "apart" and list(json.loads((folder / "rel2id.json").read_text())) == list(
        relations.names
    )


@pytest.fixture(scope="module")
def unlinked(tmp_path_factory):
    """Own data whose negative label has no usual name, while a relation has one."""
    return load_mnre(rename(tmp_path_factory.mktemp("own"), "unlinked", couple="other"), no_relation="unlinked")


def test_the_rows_keep_it_through_what_is_done_to_them(unlinked):
    rows = unlinked["train"]
    changed = add_undirected(rows.map(lambda row: {"description": "x"}).select(range(5)).add_column("n", range(5)))
    assert no_relation_of(changed.sort("line").features["relation"]) == "unlinked"
    swapped = both_ways(rows).select(range(len(rows), 2 * len(rows)))
    assert set(swapped["relation"]) == {rows.features["relation"].str2int("unlinked")}


def test_pairs_are_counted_and_audited_by_it(unlinked):
    rows = unlinked["train"]
    related = sum(name != "unlinked" for name in map(rows.features["relation"].int2str, rows["relation"]))
    counts = count_by_order(rows)
    assert sum(count["related"] for count in counts.values()) == related < len(rows)
    described = [item for item in clean_inputs(unlinked) if item.name == "description"]
    (finding,) = audit(described, unlinked)
    gold = np.array(unlinked["validation"]["relation"])
    assert finding["value"]["none_or_not"]["majority"] == max(np.mean(gold == 0), np.mean(gold != 0))


@pytest.mark.slow
@pytest.mark.parametrize(("name", "words"), [("no_relation", []), ("unlinked", ["--no_relation", "unlinked"])])
def test_a_run_leaves_it_out_of_f1(tmp_path, name, words):
    settings = write_settings(tmp_path)
    rename(tmp_path / "mnre", name, couple="couple" if name == "no_relation" else "other")
    result = training.main([settings, *words, "--num_train_epochs", "1"])
    path = tmp_path / "results" / "run.json"
    assert result["config"]["model"]["no_relation"] == name
    assert json.loads((tmp_path / "run/final/config.json").read_text())["no_relation"] == name
    predictions = read_predictions(predictions_path(path))
    assert predictions.no_relation == name and len(predictions.label_names) == 6
    for split, rows in predictions.splits.items():
        told = result["metrics"][split]
        assert name not in told["per_relation"] and len(told["per_relation"]) == 5
        scored = relation_metrics(rows.predicted, rows.gold, predictions.label_names, name)
        assert {metric: told[metric] for metric in scored} == scored
