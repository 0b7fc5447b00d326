"""Does the audit see all that a model sees, as the model sees it?"""

import pytest
from legacy_fixture import write_legacy
from mnre_fixture import write_mnre
from training_fixture import write_text_encoder

from train.arguments import DataArguments, ModelArguments, RunArguments, RunConfig
from train.data import visual_steps
from train.data.inputs import prepare_audited_inputs, protocol_of
from train.data.side_inputs import PAIR, as_annotated, inputs_made_for_run, seen_by_run, selected_objects
from vmhan.data.mnre import load_mnre
from vmhan.evaluation.leakage_tests import key_columns
from vmhan.object_detection import DetectedObject

DESCRIBED = {"description", "object names"}
SELECTED = {"selected phrases of the text", "selected phrases of the image", "selected objects"}


class Detector:
    """Finds one thing, whose place is the color of a corner: a function of the image."""

    def detect(self, images):
        return [[DetectedObject("thing", 0.9, (0, 0, 1 + image.getpixel((0, 0))[1] % 16, 9))] for image in images]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = write_mnre(tmp_path_factory.mktemp("mnre"), sentences=24, images=True)
    (folder / "legacy").mkdir()
    write_legacy(folder / "legacy", load_mnre(folder))
    write_text_encoder(folder / "text")
    return folder


@pytest.fixture
def audited(folder, tmp_path, monkeypatch):
    """The inputs of a run with these settings of the data."""
    monkeypatch.setattr(visual_steps, "load_detector", lambda name: Detector())

    def load(**settings):
        data = DataArguments(data_dir=str(folder), feature_cache=str(tmp_path), **settings)
        text = str(folder / "text")
        training = RunArguments(output_dir=str(tmp_path), text_model=text, use_cpu=True, read_test=False, report_to=[])
        return prepare_audited_inputs(RunConfig(data, ModelArguments(), training)), data

    return load


@pytest.mark.parametrize(
    ("settings", "names"),
    [
        ({}, DESCRIBED),
        ({"boxes": "detect"}, DESCRIBED | {"object boxes"}),
        ({"visual_setting": "text_only"}, set()),
        ({"visual_setting": "text_only", "boxes": "detect"}, set()),
        ({"visual_setting": "text_only", "selector": "words"}, {"selected phrases of the text"}),
        ({"visual_setting": "object_names"}, {"object names"}),
        ({"selector": "words"}, DESCRIBED | SELECTED),
        ({"selector": "words", "undirected_pairs": True, "boxes": "detect"}, DESCRIBED | SELECTED | {"object boxes"}),
        ({"selector": "words", "control": "shuffled_images"}, DESCRIBED | SELECTED),
        ({"selector": "words", "control": "text_only"}, DESCRIBED | SELECTED),
        ({"visual_setting": "pixels"}, {"whether there is a picture"}),
        ({"visual_setting": "pixels", "detector": "any"}, {"whether there is a picture", "detected boxes"}),
        (
            {"visual_setting": "pixels", "detector": "any", "control": "shuffled_images", "selector": "words"},
            {"whether there is a picture", "detected boxes"} | SELECTED,
        ),
        (
            {"visual_setting": "pixels", "detector": "any", "control": "constant_objects"},
            {"whether there is a picture", "detected boxes"},
        ),
    ],
)
def test_the_audit_of_a_run_names_every_side_input(audited, folder, settings, names):
    if settings.get("visual_setting") == "pixels":
        settings = {**settings, "image_dir": str(folder / "images")}
    run, data = audited(**settings)
    assert run.leaks.keys() == names == seen_by_run(data, run.splits["train"].column_names)
    assert not any("a" in failed for failed in run.leaks.values()), "rows agree in their keys, whatever the control"
    assert run.protocol in ("clean", "leaking")


def test_the_shared_crops_are_audited_too(audited, folder):
    run, _ = audited(legacy_crops=str(folder / "legacy"))
    legacy = {"legacy crops", "legacy phrases", "legacy words beyond the names"}
    assert run.leaks.keys() == DESCRIBED | legacy and run.protocol == "legacy-crops"
    assert all(run.leaks[name] for name in legacy)


def test_nothing_is_called_clean_that_was_not_audited(audited):
    run, data = audited(selector="words")
    del run.leaks["selected objects"]
    with pytest.raises(ValueError, match="Not audited: selected objects"):
        protocol_of(run, data)


def test_boxes_of_a_detector_that_change_with_the_row_are_found(audited, folder, monkeypatch):
    def boxes_by_row(splits, *_, **settings):
        return splits.map(lambda row: {"object_boxes": [[0.1 + 0.001 * row["line"], 0.5, 0.1, 0.1]]})

    monkeypatch.setattr(visual_steps, "add_detected_boxes", boxes_by_row)
    run, _ = audited(visual_setting="pixels", detector="any", image_dir=str(folder / "images"))
    assert "a" in run.leaks["detected boxes"] and run.protocol == "leaking"


def test_selections_that_know_the_label_are_found(audited, monkeypatch):
    def select(splits, config):
        def selection(row):
            objects = [0] if row["relation"] else []
            return {
                "selection": {"text_phrases": [[0, 1]], "visual_phrases": ["x"] * row["relation"], "objects": objects}
            }

        return splits.map(selection), {}

    monkeypatch.setattr(visual_steps, "select_splits", select)
    run, _ = audited(selector="words")
    assert "b" in run.leaks["selected phrases of the image"] and "b" in run.leaks["selected objects"]
    assert run.leaks["selected phrases of the text"] == [] and run.protocol == "leaking"


def test_values_are_what_the_model_sees(audited):
    run, data = audited(selector="words", undirected_pairs=True, num_text_phrases=2)
    rows = as_annotated(run.splits["train"])
    assert 3 * len(rows) == len(run.splits["train"])
    made = {item.name: item.values["train"] for item in inputs_made_for_run({"train": rows}, data)}
    for place, row in enumerate(rows):
        text = " ".join(row["words"])
        phrases = made["selected phrases of the text"][place]
        assert len(phrases) <= 2 and all(phrase in text for phrase in phrases)
        assert set(made["selected objects"][place]) <= set(row["object_names"])


def test_a_pair_is_the_same_any_way_round(folder):
    rows = load_mnre(folder)["train"].select(range(2))
    turned = [{**row, "head_span": row["tail_span"], "tail_span": row["head_span"]} for row in rows]
    columns = {name: [row[name] for row in turned] for name in ("words", "image_id", "head_span", "tail_span")}
    assert key_columns(rows, PAIR) == key_columns(columns, PAIR)


def test_objects_of_a_broken_image_are_not_known():
    selection = {"text_phrases": [], "visual_phrases": [], "objects": [0]}
    row = {"image_key": None, "object_boxes": [[0.5] * 4], "selection": selection}
    assert selected_objects(row, DataArguments(visual_setting="pixels")) is None
