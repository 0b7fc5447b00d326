"""Selections of a whole data set: once, on disk, resumable, and never by the label."""

import json
import os
import random
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest
import torch
from chat_fixture import ChatServer, asks_for, prompt_of
from mnre_fixture import write_mnre
from tiny import tiny_model, tiny_processor
from training_fixture import write_settings

from train import run
from train.arguments import DataArguments
from train.data.collator import PairCollator, image_fields
from train.data.directions import both_ways
from train.data.frozen_text_encoder import cache_texts
from train.data.selection import select_nodes, selection_settings
from train.data.selection_requests import REQUEST_COLUMNS, to_request
from vmhan.data.mnre import load_mnre
from vmhan.llm.loading import load_selector
from vmhan.node_selection import NodeSelection, WordSelector

TOLD = partial(image_fields, visual_setting="described", use_boxes=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_mnre(tmp_path_factory.mktemp("mnre"), sentences=12, images=True)


@pytest.fixture(scope="module")
def rows(folder):
    return load_mnre(folder, image_dir=folder / "images", max_objects=8)["train"]


def sensible(body) -> str:
    """The last two words of the sentence, and the first object."""
    if asks_for(body) == "objects":
        return '{"objects": [0]}'
    sentence = json.loads(prompt_of(body, turn=0).split("Sentence: ")[1].split("\n")[0])
    return json.dumps({"phrases": sentence.split()[-2:]})


def words_of(row) -> list[str]:
    """The text phrases of a row."""
    text = " ".join(row["words"])
    return [text[start:end] for start, end in row["selection"]["text_phrases"]]


def test_every_row_gets_its_selection(rows):
    selected = select_nodes(rows, WordSelector(2, 2, 1), TOLD)
    assert selected.column_names == [*rows.column_names, "selection"] and len(selected) == len(rows)
    for row in selected:
        head, tail = (" ".join(row["words"][slice(*row[name])]) for name in ("head_span", "tail_span"))
        phrases = words_of(row)
        assert 0 < len(phrases) <= 2 and not {head, tail} & set(phrases)
        assert len(row["selection"]["objects"]) == 1
    married = next(row for row in selected if "married" in row["words"])
    assert words_of(married)[0] in {" ".join(married["words"][slice(*span)]) for span in married["mentions"]}


def test_a_request_knows_what_the_model_is_told_of_the_image(rows):
    row = rows[0]
    asked = to_request(row, TOLD)
    assert asked.text[slice(*asked.head)] == " ".join(row["words"][slice(*row["head_span"])])
    assert asked.description == row["description"] and asked.image.size == (64, 48)
    assert [item.label for item in asked.objects] == [*row["object_names"], *[""] * len(row["object_boxes"])]
    cx, cy, w, h = row["object_boxes"][0]
    corners = [64 * (cx - w / 2), 48 * (cy - h / 2), 64 * (cx + w / 2), 48 * (cy + h / 2)]
    assert asked.objects[len(row["object_names"])].box == pytest.approx(corners)
    assert to_request(row, TOLD, with_image=False)[:5] == asked[:5]
    assert to_request(row, TOLD, with_image=False).image is None
    blind = to_request(row, partial(image_fields, visual_setting="text_only", use_boxes=True))
    assert (blind.description, blind.image, blind.objects) == (None, None, ())
    assert to_request(row, partial(image_fields, visual_setting="object_names", use_boxes=True)).description is None


def test_an_image_may_come_as_a_path(rows, folder):
    path = str(folder / "images" / f"{rows[0]['image_id']}.jpg")
    decoded = to_request(rows[0], TOLD).image
    for row in ({"image": {"path": path, "bytes": None}}, {"image": None, "image_key": path}):
        assert to_request({**rows[0], **row}, TOLD).image.tobytes() == decoded.tobytes()
    assert to_request({**rows[0], "image": None}, TOLD).image is None


def test_each_text_is_encoded_once_and_comes_back_in_its_place():
    asked = []

    def encode(texts):
        asked.extend(texts)
        return torch.tensor([[float(len(text))] for text in texts])

    encoder = cache_texts(encode)
    assert encoder(["a", "man", "a"]).tolist() == [[1], [3], [1]]
    assert encoder(["man", "dogs"]).tolist() == [[3], [4]]
    assert asked == ["a", "man", "dogs"]


# Never by the label


def test_the_relation_is_not_among_the_columns_that_a_selector_sees():
    assert "relation" not in REQUEST_COLUMNS


def test_shuffled_labels_give_the_same_selections_and_the_same_prompts(rows, tmp_path):
    labels = list(rows["relation"])
    random.Random(0).shuffle(labels)
    assert labels != list(rows["relation"])
    features = rows.features
    shuffled = rows.remove_columns("relation").add_column("relation", labels, feature=features["relation"])
    answers = []
    for number, dataset in enumerate((rows, shuffled, rows.remove_columns("relation"))):
        with ChatServer(sensible) as server:
            selector = load_selector(server.url, num_objects=1, cache=tmp_path / str(number))
            selected = select_nodes(dataset, selector, TOLD)
        answers.append((selected["selection"][:], sorted(map(json.dumps, server.requests))))
        names = {name for name in features["relation"].names if name != "None"}
        assert not any(name in request for name in names for request in answers[-1][1])
    assert answers[0] == answers[1] == answers[2]


def test_a_pair_is_asked_about_once_whichever_way_round_it_stands(rows, tmp_path):
    with ChatServer(sensible) as server:
        selected = select_nodes(rows, load_selector(server.url, cache=tmp_path / "one"), TOLD)
        asked = len(server.requests)
        selector = load_selector(server.url, cache=tmp_path / "two")
        turned = select_nodes(both_ways(rows), selector, TOLD)
        assert len(server.requests) == 2 * asked
    assert selector.counts["asked"] <= asked
    assert list(turned["selection"]) == list(selected["selection"]) * 2 == list(both_ways(selected)["selection"])


# Once, and resumable


SCRIPT = """
import sys
from functools import partial
from train.data.collator import image_fields
from vmhan.data.mnre import load_mnre
from train.data.selection import select_nodes
from vmhan.llm.loading import load_selector
folder, url, cache = sys.argv[1:]
rows = load_mnre(folder, image_dir=folder + "/images", max_objects=8)["train"]
selector = load_selector(url, cache=cache, batch_size=1)
select_nodes(rows, selector, partial(image_fields, visual_setting="described", use_boxes=True))
"""


@pytest.mark.slow
def test_a_process_that_was_killed_midway_and_started_again_asks_only_for_the_rest(folder, rows, tmp_path):
    def select(cache):
        server.requests.clear()
        return list(select_nodes(rows, load_selector(server.url, cache=cache, batch_size=1), TOLD)["selection"])

    with ChatServer(sensible) as server:
        whole = select(tmp_path / "whole")
        needed = len(server.requests)
        server.requests.clear()

        def kill_at_the_eighth(body):
            if len(server.requests) == 8:
                os.kill(process.pid, signal.SIGKILL)
            return sensible(body)

        server.answer = kill_at_the_eighth
        root = Path(run.__file__).parents[1]
        command = [sys.executable, "-c", SCRIPT, str(folder), server.url, str(tmp_path / "cache")]
        process = subprocess.Popen(command, cwd=root, env={**os.environ, "HF_HUB_OFFLINE": "0"})
        assert process.wait(timeout=300) == -signal.SIGKILL and len(server.requests) == 8
        server.answer = sensible
        resumed = select(tmp_path / "cache")
        assert len(server.requests) == needed - 7 > 7
        again = select(tmp_path / "cache")
        assert server.requests == []
    assert whole == resumed == again


def test_counts_of_a_run_that_finds_all_answers_are_those_of_the_run_that_asked(rows, tmp_path):
    counts = []
    with ChatServer(lambda body: '{"phrases": ["elephant", "of"]}') as server:
        for _ in range(2):
            selector = load_selector(server.url, cache=tmp_path)
            select_nodes(rows, selector, TOLD)
            counts.append(selector.counts)
    assert counts[0] == counts[1] and counts[0]["fell back"] and counts[0]["dropped: not in the sentence"]


def test_words_open_no_image(rows, monkeypatch):
    monkeypatch.setattr("PIL.Image.open", lambda *args, **settings: pytest.fail("a picture was opened"))
    assert len(select_nodes(rows, WordSelector(), TOLD)) == len(rows)


def test_no_rows_give_no_selections(rows):
    assert select_nodes(rows.select([]), WordSelector(), TOLD).num_rows == 0


# From training


def test_collator_hands_the_selection_to_the_processor(rows):
    selected = select_nodes(rows, WordSelector(2, 1, 1), TOLD)
    collate = PairCollator(tiny_processor(max_objects=16), use_boxes=True)
    group = [row for row in selected if row["image_id"] == selected[0]["image_id"]]
    batch = collate(group)
    assert batch["pair_object_mask"].sum(dim=1).tolist() == [1] * len(group)
    assert batch["text_phrase_mask"].sum(dim=1).tolist() == [len(words_of(row)) for row in group]
    spelt = []
    for row, (start, end) in enumerate(batch["text_phrase_spans"][:, 0].tolist()):
        ids = batch["input_ids"][batch["pair_sentence"][row], start:end]
        spelt.append("".join(collate.processor.tokenizer.convert_ids_to_tokens(ids.tolist())).replace("##", ""))
    assert spelt == [words_of(row)[0].replace(" ", "").lower() for row in group]
    assert torch.isfinite(tiny_model(visual_features=["text", "box"])(**batch).loss)


def test_rows_without_selections_batch_as_before(rows):
    batch = PairCollator(tiny_processor())([rows[0]])
    assert not any("phrase" in name or name == "pair_object_mask" for name in batch)


def test_selection_of_a_row_may_be_missing(rows):
    row = {**rows[0], "selection": None}
    empty = {**rows[0], "selection": NodeSelection([], [], None)._asdict()}
    for one in (row, empty):
        assert "text_phrase_spans" not in PairCollator(tiny_processor())([one])


@pytest.mark.parametrize("selector", ["words", "server"])
def test_a_run_trains_on_selected_nodes_and_its_evaluation_sees_the_same(tmp_path, selector):
    settings = write_settings(tmp_path)
    with ChatServer(sensible) as server:
        name = server.url if selector == "server" else selector
        words = ["--selector", name, "--max_objects", "1", "--selection_cache", str(tmp_path / "cache")]
        result = run.main([settings, *words, "--num_train_epochs", "0"])
        asked = len(server.requests)
        final = ["--checkpoint", str(tmp_path / "run" / "final"), "--run_name", "again"]
        again = run.main([settings, *words, *final])
        assert len(server.requests) == asked and bool(asked) == (selector == "server")
    assert again["metrics"]["test"]["loss"] == pytest.approx(result["metrics"]["test"]["loss"], rel=1e-5)
    plain = run.main([settings, *final[:2], "--run_name", "plain"])
    assert plain["metrics"]["test"]["loss"] != pytest.approx(result["metrics"]["test"]["loss"], rel=1e-5)
    assert plain["node_selection"] is None and result["config"]["data"]["selector"] == name
    assert (result["node_selection"] or {}).get("asked", 0) == again["node_selection"].get("asked", 0)
    saved = json.loads((tmp_path / "run" / "final" / "processor_config.json").read_text(encoding="utf-8"))
    assert saved["node_selection"] == {
        "selector": "words" if selector == "words" else "llm",
        "num_text_phrases": 3,
        "num_visual_phrases": 3,
        "num_objects": 1,
    }
    assert saved["max_objects"] == 8
    config = json.loads((tmp_path / "run" / "final" / "config.json").read_text(encoding="utf-8"))
    assert config["node_selection"] == saved["node_selection"]


def test_without_a_selector_the_saved_processor_says_nothing_of_one():
    data = DataArguments(max_objects=3, candidate_objects=8)
    assert selection_settings(data) is None and data.objects_per_image == 3
    assert DataArguments(selector="words", max_objects=3, candidate_objects=8).objects_per_image == 8


def test_an_llm_sees_the_images_of_a_described_run(tmp_path):
    settings = write_settings(tmp_path)
    write_mnre(tmp_path / "mnre", sentences=11, images=True)
    with ChatServer(sensible) as server:
        words = ["--selector", "words", "--visual_selector", server.url, "--selection_cache", str(tmp_path / "cache")]
        run.main([settings, *words, "--image_dir", str(tmp_path / "mnre" / "images"), "--control", "shuffled_images"])
    assert server.requests
    assert all(body["messages"][0]["content"][0]["type"] == "image_url" for body in server.requests)
