"""Two processes train as one does with twice the batch."""

import json
import subprocess
import sys
from collections import Counter

import pytest
import torch
from accelerate.data_loader import BatchSamplerShard
from datasets import Dataset
from safetensors.torch import load_file
from torch.utils.data import BatchSampler
from training_fixture import write_settings
from watched_training import watch

from train.data.sampler import SentenceSampler

pytestmark = pytest.mark.slow  # starts processes that import torch

ROWS, BATCH, EVAL_BATCH, EPOCHS = 24, 4, 6, 2
DROPOUTS = ("message_dropout", "classifier_dropout", "image_dropout", "description_dropout")


def train(folder, name, *words, processes=1) -> dict:
    """Trains here or in several processes; returns what each took and wrote, by rank, the result and the weights."""
    (folder / name).mkdir()
    settings = [str(folder / "settings.yaml"), "--output_dir", str(folder / name / "run"), "--run_name", name]
    settings += ["--per_device_train_batch_size", str(BATCH), "--per_device_eval_batch_size", str(EVAL_BATCH)]
    settings += ["--num_train_epochs", str(EPOCHS), *words]
    settings += ["--limit", str(ROWS), "--no_relation_weight", "0.5"]
    settings += [word for dropout in DROPOUTS for word in (f"--{dropout}", "0")]
    if processes == 1:
        watch(folder / name, settings)
    else:
        launch = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node", str(processes)]
        command = [sys.executable, *launch, "tests/watched_training.py", str(folder / name), *settings]
        subprocess.run(command, check=True, timeout=600)
    return {
        "ranks": [json.loads((folder / name / f"rank{rank}.json").read_text("utf-8")) for rank in range(processes)],
        "result": json.loads((folder / "results" / f"{name}.json").read_text("utf-8")),
        "weights": load_file(folder / name / "run" / "final" / "model.safetensors"),
    }


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """A training by one process, which adds up two batches for a step, and by two."""
    folder = tmp_path_factory.mktemp("processes")
    write_settings(folder)
    config = folder / "text" / "config.json"
    settings = json.loads(config.read_text("utf-8"))
    without = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    config.write_text(json.dumps(settings | without), encoding="utf-8")
    one = train(folder, "one", "--gradient_accumulation_steps", "2")
    return one, train(folder, "two", processes=2)


def test_two_processes_end_with_the_weights_of_one(runs):
    one, two = runs
    assert one["weights"].keys() == two["weights"].keys()
    for name, tensor in one["weights"].items():
        torch.testing.assert_close(two["weights"][name], tensor, rtol=1e-4, atol=1e-6, msg=name)
    history = [run["result"]["history"] for run in runs]
    assert [entry["step"] for entry in history[0]] == [entry["step"] for entry in history[1]]
    for ours, theirs in zip(*history, strict=True):
        assert theirs["eval_loss"] == pytest.approx(ours["eval_loss"], rel=1e-4)
    assert two["result"]["best_step"] == one["result"]["best_step"]


def test_two_processes_evaluate_every_row_once(runs):
    ours, theirs = (run["result"]["metrics"] for run in runs)
    for split in ("validation", "test"):
        assert theirs[split]["rows"] == ours[split]["rows"]
        evaluated = 3 * ours[split]["rows"]  # with the direction given, and both ways round without
        assert evaluated % (2 * EVAL_BATCH), "an even number of batches would prove nothing"
        assert theirs[split]["per_relation"] == ours[split]["per_relation"]
        assert theirs[split]["accuracy"] == ours[split]["accuracy"]


def test_each_row_is_taken_once_an_epoch_by_one_of_them(runs):
    one, two = runs
    ranks = [rank["batches"] for rank in two["ranks"]]
    assert [len(batches) for batches in ranks] == [ROWS // BATCH // 2 * EPOCHS] * 2
    per_epoch = len(ranks[0]) // EPOCHS
    for epoch in range(EPOCHS):
        taken = [line for batches in ranks for batch in batches[epoch * per_epoch :][:per_epoch] for line in batch]
        assert Counter(taken) == Counter(range(1, ROWS + 1))
    assert ranks[0][:per_epoch] != ranks[0][per_epoch:], "each epoch has an order of its own"
    taking_turns = [batch for both in zip(*ranks, strict=True) for batch in both]
    assert taking_turns == one["ranks"][0]["batches"]


def test_the_first_process_alone_writes_the_result_and_once(runs):
    _, two = runs
    assert [len(rank["written"]) for rank in two["ranks"]] == [1, 0]


@pytest.mark.parametrize("rows", [25, 29, 31])
def test_rows_that_do_not_fill_the_last_step_are_all_taken_and_filled_up_from_the_first(rows):
    words = [["a"] * (1 + number // 3 % 5) for number in range(rows)]
    dataset = Dataset.from_dict({"words": words, "image_id": [str(number // 3) for number in range(rows)]})
    sampler = SentenceSampler(dataset, BATCH, seed=1)
    shards = [
        list(BatchSamplerShard(BatchSampler(sampler, BATCH, False), num_processes=2, process_index=rank))
        for rank in (0, 1)
    ]
    assert len(shards[0]) == len(shards[1]) and {len(batch) for shard in shards for batch in shard} == {BATCH}
    taken = Counter(row for shard in shards for batch in shard for row in batch)
    assert taken.keys() == set(range(rows))
    assert taken.total() == -(-rows // (2 * BATCH)) * 2 * BATCH, "no more than it takes to fill the last step"
