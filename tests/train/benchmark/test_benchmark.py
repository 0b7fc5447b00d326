"""The benchmark: its batches, that it compares like with like, and its result file."""

import json
import statistics

import pytest
import torch

from train.benchmark import measure as benchmark
from train.benchmark.batches import VISUAL_SIZE, build_batch, draw_sentences, naive_batch, training_batches
from train.benchmark.steps import Bench, hypergraph_loss

OPTIONS = ["--size", "tiny", "--rounds", "3", "--naive_every", "2", "--pairs", "4", "--crop_size", "32"]


@pytest.fixture(scope="module")
def bench():
    return Bench(benchmark.parse_arguments(OPTIONS), with_vgg=False)


@pytest.fixture(scope="module")
def batch():
    return next(training_batches(draw_sentences(60), batch_size=16))


def test_sentences_have_the_lengths_and_pairs_of_mnre():
    sentences = draw_sentences(2000)
    assert statistics.mean(sentence.wordpieces for sentence in sentences) == pytest.approx(31, abs=1)
    assert statistics.mean(sentence.pairs for sentence in sentences) == pytest.approx(1.66, abs=0.1)


def test_spans_lie_between_the_special_tokens(batch):
    last = batch["attention_mask"].sum(dim=1)[batch["pair_sentence"]] - 1
    for name in ("head_span", "tail_span"):
        start, end = batch[name].unbind(dim=1)
        assert (start >= 1).all() and (end > start).all() and (end <= last).all()


def test_batch_holds_each_sentence_once(batch):
    assert len(batch["labels"]) == 16 > len(batch["input_ids"])
    assert batch["pair_sentence"].unique().tolist() == list(range(len(batch["input_ids"])))


def test_naive_batch_has_a_padded_row_for_each_pair(batch):
    naive = naive_batch(batch)
    assert naive["input_ids"].shape == (16, 128) and naive["visual_states"].shape == (16, 4, 4096)


def test_naive_batch_gives_the_same_logits(bench, batch):
    bench.model.eval()
    torch.testing.assert_close(bench.predict(naive_batch(batch)), bench.predict(batch), atol=1e-5, rtol=1e-4)


def test_hypergraph_part_ends_with_the_loss_of_the_model(bench, batch):
    bench.model.eval()
    inputs = {name: tensor for name, tensor in batch.items() if name != "labels"}
    nodes = bench.model.vmhan(**inputs)
    torch.testing.assert_close(hypergraph_loss(bench.model, nodes, batch["labels"]), bench.model(**batch).loss)


def test_training_step_changes_all_weights_and_the_hypergraph_part_only_its_own(bench, batch):
    def changed(stage):
        before = {name: parameter.clone() for name, parameter in bench.model.named_parameters()}
        bench.step(stage, "ours", batch)()
        return {name for name, parameter in bench.model.named_parameters() if not parameter.equal(before[name])}

    parts = {name.removeprefix("vmhan.").split(".")[0] for name in changed("hypergraph")}
    assert parts == {"gaussian_nodes", "structure_encoder", "classifier"}
    assert len(changed("training")) == len(list(bench.model.parameters()))
    assert not changed("prediction")


def test_more_pairs_of_a_sentence_change_nothing_but_their_number():
    sentence = draw_sentences(1)[0]._replace(starts=[1, 3, 5])
    one, two = (build_batch([sentence], [(0, pair) for pair in range(pairs)]) for pairs in (1, 2))
    assert one["input_ids"].equal(two["input_ids"]) and one["tail_span"].equal(two["tail_span"][:1])


def test_spread_and_ratio_take_rounds_that_ran_both():
    assert benchmark.quartiles([3.0]) == {"median": 3.0, "lower_quartile": 3.0, "upper_quartile": 3.0, "rounds": 1}
    assert benchmark.ratio({0: 6.0, 1: 100.0, 2: 8.0}, {0: 2.0, 2: 4.0})["median"] == 2.5


def test_targets_are_judged_by_their_medians():
    def of(value):
        return {"median": value}

    result = {
        "hypergraph": {"share_of_training_step": {"ours": of(0.031)}},
        "pairs_in_one_sentence": {stage: {"ours": {"8": {"times_one_pair": of(1.1)}}} for stage in benchmark.STAGES},
        "training": {"naive": {"times_ours": of(6.5)}},
    }
    assert [target["reached"] for target in benchmark.targets(result)] == [False, True, True, True]


@pytest.mark.slow
def test_result_file_holds_every_number(tmp_path, capsys, monkeypatch):
    side = 32  # --crop_size
    small = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * side * side, VISUAL_SIZE))
    monkeypatch.setattr("train.benchmark.steps._vgg_to_fc7", lambda: small)
    result = benchmark.main([*OPTIONS, "--output", str(tmp_path / "result.json")])
    written = json.loads((tmp_path / "result.json").read_text(encoding="utf-8"))
    assert written == json.loads(json.dumps(result))
    assert written["settings"]["size"] == "tiny" and written["versions"]["torch"] and written["threads"] >= 1
    assert written["targets"] == [], "they are for bert-base size"
    for stage in benchmark.STAGES:
        assert set(written[stage]) == set(written["pairs_in_one_sentence"][stage]) == set(benchmark.VARIANTS)
        for variant, row in written[stage].items():
            assert row["ms_per_pair"]["rounds"] == (3 if variant == "ours" else 2)
            assert row["ms_per_pair"]["median"] > 0 and row["peak_mib"] > row["peak_above_weights_mib"] > 0
            assert written["hypergraph"]["share_of_training_step"][variant]["median"] > 0
            cells = written["pairs_in_one_sentence"][stage][variant]
            assert list(cells) == ["1", "2", "4", "8"] and cells["1"]["times_one_pair"]["median"] == 1
    printed = capsys.readouterr().out
    assert "naive_cached" in printed and "hypergraph part of a step" in printed
