"""What the shared crops are worth, in one table with print."""

import json

import pytest
from finished_fixture import cells, finished_run

from train.report import write as report
from train.report.legacy_tables import METRICS, legacy_table
from vmhan.evaluation.paper_tables import MAIN_MNRE

AUDIT = json.loads((report.RESULTS / "audit-mnre.json").read_text(encoding="utf-8"))
FOUND = {finding["name"]: finding for finding in AUDIT["findings"]["test"]}
CROPS = FOUND["legacy crops"]


def legacy_result(seed=1, hits=360):
    return {**finished_run("legacy_crops", seed, hits).result, "protocol": "legacy-crops"}


def clean_result():
    return finished_run("legacy_crops_clean", 1, 300).result


def test_look_ups_runs_and_print_stand_below_each_other():
    table = legacy_table([legacy_result(), clean_result()], AUDIT)
    first = [line.strip("| ").split(" |")[0] for line in table.splitlines()[2:]]
    assert first[:3] == ["look-up table of 9 entries", "look-up table of 4 entries", "linear model"]
    assert first[3:5] == ["VM-HAN here, `clean`", "VM-HAN here, `legacy-crops`"]
    assert first[5:] == [
        f"{name}, in print" for name in ("HVPNet", "MKGformer", "MOREformer", "TMR", "HVFormer", "CAMIM", "VM-HAN")
    ]
    words = FOUND["legacy phrases"]["words"]
    assert cells(table, "linear model")[3] == f"{100 * words['f1']:.1f}"
    beyond = ["words of the phrases beyond the names of the entities", "", "86.6", "87.5", "85.6", "94.3", "99.1"]
    assert cells(table, "look-up table of 9 entries")[1:8] == beyond
    assert cells(table, "look-up table of 4 entries")[1:8] == [
        *("number of crops", ""),
        *(f"{100 * CROPS['shape']['metrics'][name]:.1f}" for name in METRICS),
    ]
    assert cells(table, "VM-HAN, in print")[3:7] == [
        f"{x:.2f}" for x in (MAIN_MNRE[-1].f1, MAIN_MNRE[-1].precision, MAIN_MNRE[-1].recall, MAIN_MNRE[-1].accuracy)
    ]
    assert cells(table, "HVFormer, in print")[6] == ""


def test_runs_stand_beside_print_with_the_direction_given_and_the_mode_of_users_has_columns_of_its_own():
    result = legacy_result()
    test, result["metrics"]["validation"] = result["metrics"]["test"], {"f1": 0.5, "direction_unknown": {"f1": 0.4}}
    table = legacy_table([result], AUDIT)
    columns, found = cells(table, "system"), cells(table, "VM-HAN here, `legacy-crops`")
    assert all(column.endswith(", direction given") for column in columns[3:8])
    assert found[3] == f"{100 * test['f1']:.1f}"
    assert columns[8:] == ["test F1", "validation F1", "validation F1, direction given"]
    assert found[8:] == [f"{100 * test['direction_unknown']['f1']:.1f}", "40.0", "50.0"]
    assert cells(table, "VM-HAN, in print")[8:] == cells(table, "linear model")[8:] == ["", "", ""]


def test_what_has_not_been_run_is_left_out():
    assert "VM-HAN here" not in legacy_table([], AUDIT)
    table = legacy_table([legacy_result(1, 350), legacy_result(2, 360)], None)
    assert "look-up" not in table and "`clean`" not in table
    assert cells(table, "VM-HAN here, `legacy-crops`")[2] == "2"


def test_a_run_of_another_protocol_is_not_shown_as_clean():
    leaking = {**clean_result(), "protocol": "leaking"}
    with pytest.raises(ValueError, match="legacy_crops_clean are not of the protocol 'clean'"):
        legacy_table([leaking], AUDIT)
