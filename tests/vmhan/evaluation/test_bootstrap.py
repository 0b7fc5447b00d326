"""The bootstrap over sentences."""

from dataclasses import replace

import numpy as np
import pytest

from vmhan.evaluation.bootstrap import _mean_of_runs, f1_interval, main, paired_difference
from vmhan.evaluation.metrics import relation_metrics
from vmhan.evaluation.predictions import RunPredictions, SplitPredictions, predictions_path, write_predictions

NAMES = ["None", "a", "b"]


def split_of(gold, predicted, sentence=None) -> SplitPredictions:
    gold, predicted = np.asarray(gold), np.asarray(predicted)
    rows = np.arange(len(gold))
    sentence = rows if sentence is None else np.asarray(sentence)
    scores = np.ones((len(gold), 1))
    return SplitPredictions(rows + 1, sentence, gold, predicted[:, None], scores, predicted)


def made(right: float, seed: int, pairs: int = 400, in_sentence: int = 2):
    """Predictions that are right on a share of the rows; the gold labels are always the same."""
    gold = np.random.default_rng(0).integers(0, 3, pairs)
    random = np.random.default_rng(seed)
    predicted = np.where(random.random(pairs) < right, gold, random.integers(0, 3, pairs))
    return split_of(gold, predicted, np.arange(pairs) // in_sentence)


def test_f1_is_that_of_the_metrics():
    split = made(0.6, 1)
    f1, low, high = f1_interval([split], 0, samples=500)
    assert f1 == pytest.approx(relation_metrics(split.predicted, split.gold, NAMES)["f1"])
    assert low < f1 < high
    part = np.arange(400) % 3 == 0
    of_part, _, _ = f1_interval([split], 0, part, samples=10)
    assert of_part == pytest.approx(relation_metrics(split.predicted[part], split.gold[part], NAMES)["f1"])


def test_several_runs_are_averaged():
    runs = [made(0.6, 1), made(0.8, 2)]
    singles = [f1_interval([run], 0, samples=10)[0] for run in runs]
    assert f1_interval(runs, 0, samples=10)[0] == pytest.approx(np.mean(singles))


def test_same_seed_gives_the_same_interval():
    split = made(0.6, 1)
    assert f1_interval([split], 0, samples=300, seed=4) == f1_interval([split], 0, samples=300, seed=4)
    assert f1_interval([split], 0, samples=300, seed=4) != f1_interval([split], 0, samples=300, seed=5)


def test_interval_holds_the_truth_about_as_often_as_it_says():
    truth = 0.7  # of rows right; all gold are relations and so are the guesses, so F1 is the share of right rows
    held = 0
    for seed in range(100):
        right = np.random.default_rng(seed).random(150) < truth
        _, low, high = f1_interval([split_of(np.ones(150, int), np.where(right, 1, 2))], 0, samples=400, seed=seed)
        held += low <= truth <= high
    assert 88 <= held <= 99


def test_drawing_runs_adds_the_variance_between_them_and_changes_neither_f1_nor_one_run():
    runs = [made(right, seed) for seed, right in enumerate((0.55, 0.65, 0.75))]
    rows_alone = f1_interval(runs, 0, samples=1000)
    with_runs = f1_interval(runs, 0, samples=1000, draw_runs=True)
    assert with_runs[0] == rows_alone[0]
    assert with_runs[2] - with_runs[1] > 1.5 * (rows_alone[2] - rows_alone[1])
    assert f1_interval(runs[:1], 0, samples=300, draw_runs=True) == f1_interval(runs[:1], 0, samples=300)
    alone, both = (paired_difference(runs, runs[:1], 0, samples=1000, draw_runs=drawn) for drawn in (False, True))
    assert both.f1 == alone.f1 and both.high - both.low > alone.high - alone.low


def test_drawn_runs_vary_as_much_as_new_ones_would():
    """The variance of the mean of n runs is that between runs, with n - 1 in the denominator, over n."""
    f1 = np.repeat(np.array([[0.5], [0.6], [0.8]]), 20_000, axis=1)
    drawn = _mean_of_runs(f1, np.random.default_rng(0))
    assert drawn.mean() == pytest.approx(f1[:, 0].mean(), abs=2e-3)
    assert drawn.var() == pytest.approx(np.var(f1[:, 0], ddof=1) / 3, rel=0.05)


def test_rows_of_a_sentence_are_drawn_together():
    """Ten copies of a row in one sentence tell no more than one: the interval is as wide as that of single rows."""
    gold, right = np.ones(60, int), np.random.default_rng(0).random(60) < 0.5
    single = f1_interval([split_of(gold, np.where(right, 1, 2))], 0, samples=2000)
    ten = split_of(np.repeat(gold, 10), np.repeat(np.where(right, 1, 2), 10), np.repeat(np.arange(60), 10))
    together = f1_interval([ten], 0, samples=2000)
    alone = f1_interval([split_of(ten.gold, ten.predicted)], 0, samples=2000)
    assert together == pytest.approx(single)
    assert together[2] - together[1] > 2 * (alone[2] - alone[1])


def test_a_clear_difference_is_significant_and_a_run_beside_itself_is_not():
    better, worse = made(0.9, 1), made(0.5, 2)
    found = paired_difference([better], [worse], 0, samples=1000)
    assert found.low > 0 and found.p < 0.01
    f1 = [relation_metrics(split.predicted, split.gold, NAMES)["f1"] for split in (better, worse)]
    assert found.f1 == pytest.approx(f1[0] - f1[1])
    assert paired_difference([better], [better], 0, samples=200) == (0, 0, 0, 1)


def test_turning_the_runs_round_turns_the_sign():
    ours, theirs = made(0.7, 1), made(0.6, 2)
    one, other = paired_difference([ours], [theirs], 0, 500), paired_difference([theirs], [ours], 0, 500)
    assert (one.f1, one.low, one.p) == pytest.approx((-other.f1, -other.high, other.p))


def test_p_is_about_uniform_where_there_is_no_difference():
    values = [paired_difference([made(0.6, 2 * i + 1)], [made(0.6, 2 * i + 2)], 0, 200).p for i in range(100)]
    assert np.mean(np.array(values) < 0.1) < 0.2 and 0.35 < np.mean(values) < 0.65


def test_runs_on_other_rows_are_refused():
    with pytest.raises(ValueError, match="first at line 1"):
        paired_difference([split_of([1, 2], [1, 2])], [split_of([2, 2], [1, 2])], 0, samples=10)
    with pytest.raises(ValueError, match="2 and 3, first at line 3"):
        paired_difference([split_of([1, 2], [1, 2])], [split_of([1, 2, 0], [1, 2, 0])], 0, samples=10)


def test_one_sentence_cannot_vary():
    assert f1_interval([split_of([1, 1], [1, 2], [0, 0])], 0, samples=10) == (0.5, 0.5, 0.5)


@pytest.fixture
def runs(tmp_path):
    """Ours is right where the direction is given, theirs where it is unknown."""
    good, bad = made(0.9, 3), made(0.5, 3)
    write(tmp_path / "ours.json", replace(good, direction_unknown=bad.predicted))
    write(tmp_path / "theirs.json", replace(bad, direction_unknown=np.where(good.predicted > 0, 3, good.predicted)))
    write(tmp_path / "one-way.json", replace(bad, direction_unknown=None))
    write(tmp_path / "one-way-too.json", replace(good, direction_unknown=None))
    return tmp_path


def write(path, split):
    write_predictions(predictions_path(path), RunPredictions(NAMES, {}, "", {"test": split}))


def compare(runs, capsys, *words, ours="ours", theirs="theirs"):
    main([str(runs / f"{ours}.json"), str(runs / f"{theirs}.json"), "--samples", "200", *words])
    return capsys.readouterr().out.splitlines()


def test_command_prints_the_difference_in_the_mode_of_users_and_then_the_other(runs, capsys):
    unknown, given = compare(runs, capsys)
    assert given.startswith("direction given: F1 +") and "95 % interval" in given and "p = 0.005" in given
    assert unknown.startswith("direction unknown: F1 +"), "all relations of theirs are the wrong way round"
    f1 = relation_metrics(made(0.5, 3).predicted, made(0.5, 3).gold, NAMES)["f1"]
    assert f"F1 +{100 * f1:.1f} " in unknown
    assert compare(runs, capsys, "--mode", "given") == [given]
    assert compare(runs, capsys, "--mode", "unknown") == [unknown]


def test_command_compares_pairs_with_one_way_round_once_and_not_with_others(runs, capsys):
    (line,) = compare(runs, capsys, ours="one-way-too", theirs="one-way")
    assert line.startswith("F1 +") and "p = 0.005" in line
    with pytest.raises(ValueError, match=r"one-way\.json stand in one direction only"):
        compare(runs, capsys, theirs="one-way")
