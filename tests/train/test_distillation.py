import ast
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from datasets import Dataset
from training_fixture import write_settings

from train.data.collator import TEACHER_TARGETS
from train.data.corpora import Source
from train.distillation import candidates_of_rows, mix_targets, split_by_pair
from train.run import main as train
from train.trainer import PairTrainer
from vmhan.data.disk_cache import DiskCache
from vmhan.losses import relation_loss

ROWS = {
    "words": [["a", "b", "c", "d"], ["a", "b"], ["a", "b", "c", "d"]],
    "image_id": ["1", "2", "1"],
    "relation": [2, 0, 1],
    "number": [0, 1, 2],
}


def score_by_number(teacher, rows):
    """Teacher "one" likes relation `number`, teacher "none" likes none."""
    likes = 50.0 if teacher.endswith("one") else 0.0
    return np.eye(3, dtype=np.float32)[rows["number"]] * likes


@pytest.fixture
def teachers(tmp_path):
    for name in ("one", "indifferent"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").write_text(name)
    return [str(tmp_path / "one"), str(tmp_path / "indifferent")]


def test_target_mixes_the_gold_label_with_the_mean_of_the_teachers(tmp_path, teachers):
    rows = mix_targets(Dataset.from_dict(ROWS), teachers, 0.6, score_by_number, DiskCache(tmp_path / "cache"))
    teacher = (np.eye(3) + np.full((3, 3), 1 / 3)) / 2
    expected = 0.6 * teacher + 0.4 * np.eye(3)[ROWS["relation"]]
    np.testing.assert_allclose(np.array(rows[TEACHER_TARGETS]), expected, atol=1e-6)
    assert rows["relation"] == ROWS["relation"]


def test_teacher_is_asked_once_for_the_same_rows(tmp_path, teachers):
    asked = []

    def score(teacher, rows):
        asked.append(Path(teacher).name)
        return score_by_number(teacher, rows)

    rows = Dataset.from_dict(ROWS)
    first = mix_targets(rows, teachers, 0.6, score, DiskCache(tmp_path / "cache"))
    again = mix_targets(rows, teachers, 0.6, score, DiskCache(tmp_path / "cache"))
    assert asked == ["one", "indifferent"]
    assert first[TEACHER_TARGETS][:] == again[TEACHER_TARGETS][:]
    mix_targets(rows.select([0, 1]), teachers[:1], 0.6, score, DiskCache(tmp_path / "cache"))
    assert asked == ["one", "indifferent", "one"]


def test_teachers_say_which_candidate_is_the_likeliest(tmp_path, teachers):
    candidates = np.array([[0, 0, 1], [1, 1, 0], [0, 1, 0]], dtype=bool)
    rows = Dataset.from_dict(ROWS)
    mixed = mix_targets(rows, teachers[:1], 0.6, score_by_number, DiskCache(tmp_path / "cache"), candidates)
    # the teacher likes relation 0, 1 and 2, which is a candidate of the second row alone
    expected = 0.6 * np.eye(3) + 0.4 * np.array([[0, 0, 1], [0, 1, 0], [0, 1, 0]])
    np.testing.assert_allclose(np.array(mixed[TEACHER_TARGETS]), expected, atol=1e-5)


def test_candidates_of_a_row_are_those_of_its_corpus_and_label():
    sources = [Source("main", candidates=np.eye(3, dtype=bool)), Source("entities")]
    sources.append(Source("other", candidates=np.array([[1, 0, 1], [0, 1, 0], [0, 0, 1]], dtype=bool)))
    rows = Dataset.from_dict({"relation": [0, 0, 1], "source": [0, 2, 2]})
    assert candidates_of_rows(rows, sources).astype(int).tolist() == [[1, 0, 0], [1, 0, 1], [0, 1, 0]]


def test_sentences_whose_entities_are_to_be_found_have_no_teacher():
    pairs, others = split_by_pair(Dataset.from_dict({"relation": [2, -1, 0]}))
    assert list(pairs["relation"]) == [2, 0] and list(others["relation"]) == [-1]


def test_teacher_weight_out_of_range_is_refused(tmp_path, teachers):
    with pytest.raises(ValueError, match=r"teacher_weight is 1\.5"):
        mix_targets(Dataset.from_dict(ROWS), teachers, 1.5, score_by_number, DiskCache(tmp_path / "cache"))


def test_loss_of_probabilities_is_their_cross_entropy():
    logits = torch.randn(4, 3, dtype=torch.float64)
    labels = torch.tensor([0, 2, 1, 1])
    target = torch.rand(4, 3).softmax(dim=-1)
    expected = -sum(float(target[i, k]) * float(logits[i].log_softmax(-1)[k]) for i in range(4) for k in range(3)) / 4
    assert float(relation_loss(logits, target)) == pytest.approx(expected, abs=1e-9)
    one_hot = torch.eye(3)[labels]
    assert float(relation_loss(logits, one_hot)) == pytest.approx(float(relation_loss(logits, labels)), abs=1e-9)


@pytest.fixture
def trainers(monkeypatch):
    """Of each trainer that a run makes, what it is given to train on and to evaluate, and the rows it predicts."""
    made, create, predict = [], PairTrainer.__init__, PairTrainer.predict

    def watched_create(self, *args, **kwargs):
        made.append({"train": kwargs["train_dataset"], "validation": kwargs["eval_dataset"], "predicted": []})
        self.watched = made[-1]
        create(self, *args, **kwargs)

    def watched_predict(self, rows, *args, **kwargs):
        self.watched["predicted"].append(rows)
        return predict(self, rows, *args, **kwargs)

    monkeypatch.setattr(PairTrainer, "__init__", watched_create)
    monkeypatch.setattr(PairTrainer, "predict", watched_predict)
    return made


def splits_of(rows) -> set[str]:
    """The splits that rows stand in; the invented images are called by them."""
    return {image.split("_")[2] for image in rows["image_id"]}


@pytest.fixture
def student(finished_run, tmp_path) -> list[str]:
    """The words that train a student of the finished run."""
    folder, _ = finished_run
    places = ["--output_dir", str(tmp_path / "student"), "--results_dir", str(tmp_path)]
    teacher = ["--teachers", str(folder / "run" / "final"), "--feature_cache", str(tmp_path / "cache")]
    return [str(folder / "settings.yaml"), *teacher, *places, "--num_train_epochs", "1"]


def test_the_student_learns_training_rows_and_the_teacher_scores_no_others(finished_run, student, trainers):
    train(student)
    lines = len((finished_run[0] / "mnre" / "mnre_train.txt").read_text("utf-8").splitlines())
    of_teacher, of_student = trainers
    assert [splits_of(rows) for rows in of_teacher["predicted"]] == [{"train"}]
    assert splits_of(of_student["train"]) == {"train"}
    assert sorted(of_student["train"]["line"]) == list(range(1, lines + 1))
    assert TEACHER_TARGETS in of_student["train"].column_names
    assert splits_of(of_student["validation"]) == {"val"}
    assert TEACHER_TARGETS not in of_student["validation"].column_names
    assert [splits_of(rows) for rows in of_student["predicted"]] == [{"val"}, {"test"}]
    assert all(TEACHER_TARGETS not in rows.column_names for rows in of_student["predicted"])


def test_a_row_that_a_teacher_cannot_read_is_named_before_training(tmp_path):
    settings = write_settings(tmp_path)
    train([settings, "--num_train_epochs", "0", "--max_length", "100"])
    path = tmp_path / "mnre" / "mnre_train.txt"
    rows = [ast.literal_eval(line) for line in path.read_text("utf-8").splitlines()]
    rows[4]["token"] = [*rows[4]["token"], "x" * 55]
    path.write_text("".join(f"{row!r}\n" for row in rows), "utf-8")
    teacher = str(tmp_path / "run" / "final")
    with pytest.raises(ValueError, match=r"teacher .*final cannot read line 5 of train: The text takes"):
        train([settings, "--teachers", teacher, "--output_dir", str(tmp_path / "student")])


def test_student_learns_undirected_pairs_and_its_result_names_the_teacher(finished_run, student, tmp_path):
    result = train([*student, "--teacher_weight", "0.5", "--undirected_pairs", "true"])
    assert len(DiskCache(tmp_path / "cache" / "teachers")) == 1
    assert result["config"]["training"]["teachers"] == [str(finished_run[0] / "run" / "final")]
    saved = json.loads((tmp_path / "student.json").read_text())
    assert saved["metrics"]["test"]["rows"] == result["metrics"]["test"]["rows"] > 0
