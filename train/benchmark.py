"""Measures speed and memory beside naive runs in the same process. Needs no data: weights and batches are random.

    python -m train.benchmark                                          # bert-base size: half an hour on a few cores
    python -m train.benchmark --size minilm --skip_naive_pixels --rounds 8

Three variants run the same pairs, 16 a batch, with the same weights:

- `ours`: each sentence and image once, sentences padded to the longest of the batch, image features at hand.
- `naive_cached`: one encoding for each pair, padded to 128 wordpieces, image features at hand.
- `naive`: the same without image features at hand. VGG16 reads the image and 3 crops of each pair, 224 pixels wide,
  in every step; its weights stay as they are, so no gradient is computed for it. Reading files is not counted.

A training step is forward, backward, clipping of the gradient and fused AdamW. The variants take turns in random
order; ratios are medians over the rounds of what was measured within one round. Memory is measured in fresh processes.
"""

import argparse
import random
import shlex
import statistics
import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import torch
from torchvision.models import vgg16
from tqdm import tqdm
from transformers import BertConfig

from train.benchmark_batches import (
    MEAN_WORDPIECES,
    OBJECTS,
    RELATIONS,
    VISUAL_SIZE,
    VOCABULARY,
    Sentence,
    draw_sentences,
    make_batch,
    make_sentence,
    naive_batch,
    training_batches,
)
from train.results import code_version, versions, write_result
from vmhan import VMHANConfig, VMHANForRelationExtraction, VMHANModelOutput
from vmhan.hypergraph import build_incidence

VARIANTS = ("ours", "naive_cached", "naive")
STAGES = ("training", "prediction")
PAIRS_OF_A_SENTENCE = (1, 2, 4, 8)
SENTENCES = 500  # about 50 batches: within so many the sampler sorts by length
MIB = 2**20
HYPERGRAPH = (
    "Forward, backward and update of all that follows the node features: equation 4, incidence matrix, V-HAN, "
    "classifier and losses, run alone on the batch of the step. The share is of the whole step."
)

Step = Callable[[], object]
Times = dict[tuple, dict[int, float]]  # seconds of a task, by round


def interleave(tasks: dict[tuple, Callable[[int], Step]], rounds: int, rarely: int, device: torch.device) -> Times:
    """Seconds of every task in every round, after one round that does not count.

    Args:
        tasks: (what, stage, variant) and what makes the step of a round.
        rarely: The naive variants run in one of so many rounds.
    """
    times = {key: {} for key in tasks}
    order = list(tasks)
    for number in tqdm(range(-1, rounds), desc="rounds", file=sys.stderr):
        random.Random(number).shuffle(order)
        for key in order:
            if number % rarely and key[-1] != "ours" and number >= 0:
                continue
            step = tasks[key](max(number, 0))
            _wait(device)
            started = time.perf_counter()
            step()
            _wait(device)
            if number >= 0:
                times[key][number] = time.perf_counter() - started
    return times


def spread(values: list[float]) -> dict[str, float]:
    """Median and quartiles."""
    lower, median, upper = statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else values * 3
    return {"median": median, "lower_quartile": lower, "upper_quartile": upper}


def ratio(times: Times, above: tuple, below: tuple) -> dict[str, float]:
    """Spread of the quotient of two tasks over the rounds that ran both."""
    return spread([times[above][number] / times[below][number] for number in times[above] if number in times[below]])


def measure_batches(bench: Bench, batches: list[dict], variants: list[str], args: argparse.Namespace) -> dict:
    """Milliseconds a pair and speed-up of training and prediction, and the share of the hypergraph part."""

    def task(stage, variant):
        return lambda number: bench.step(stage, variant, batches[number % len(batches)])

    keys = [("batch", stage, variant) for stage in STAGES for variant in variants]
    keys.append(("batch", "hypergraph", "ours"))
    times = interleave({key: task(*key[1:]) for key in keys}, args.rounds, args.naive_every, bench.device)
    result = {}
    for stage in STAGES:
        result[stage] = {v: {"ms_per_pair": _ms(times["batch", stage, v], args.pairs)} for v in variants}
        for variant in variants[1:]:
            result[stage][variant]["times_ours"] = ratio(times, ("batch", stage, variant), ("batch", stage, "ours"))
    part = keys[-1]
    result["hypergraph"] = {
        "definition": HYPERGRAPH,
        "ms_per_pair": _ms(times[part], args.pairs),
        "share_of_training_step": {v: ratio(times, part, ("batch", "training", v)) for v in variants},
    }
    return result


def measure_one_sentence(bench: Bench, variants: list[str], args: argparse.Namespace) -> dict:
    """Milliseconds a batch of 1, 2, 4 and 8 pairs of one sentence and image, and how many times that of 1 pair."""
    sentence = make_sentence(MEAN_WORDPIECES, max(PAIRS_OF_A_SENTENCE), torch.Generator().manual_seed(args.seed))

    def task(pairs, stage, variant):
        batch = make_batch([sentence], [(0, pair) for pair in range(pairs)])
        return lambda number: bench.step(stage, variant, batch)

    keys = [(pairs, stage, variant) for pairs in PAIRS_OF_A_SENTENCE for stage in STAGES for variant in variants]
    times = interleave({key: task(*key) for key in keys}, args.rounds, args.naive_every, bench.device)
    return {
        stage: {
            variant: {
                str(pairs): {
                    "ms": _ms(times[pairs, stage, variant]),
                    "times_one_pair": ratio(times, (pairs, stage, variant), (1, stage, variant)),
                }
                for pairs in PAIRS_OF_A_SENTENCE
            }
            for variant in variants
        }
        for stage in STAGES
    }


def _ms(times: dict[int, float], pairs: int = 1) -> dict[str, float]:
    return spread([1000 * seconds / pairs for seconds in times.values()])


def measure_memory(sentences: list[Sentence], variants: list[str], args: argparse.Namespace) -> dict:
    """`peak_memory` of each stage and variant, each in a process of its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), max_tasks_per_child=1) as processes:
        jobs = {
            (stage, variant): processes.submit(peak_memory, stage, variant, sentences, args)
            for stage in STAGES
            for variant in variants
        }
        return {key: job.result() for key, job in tqdm(jobs.items(), desc="memory", file=sys.stderr)}


def targets(result: dict) -> list[dict]:
    """What is to be reached at bert-base size on a CPU, and whether this run did."""
    one_sentence = result["pairs_in_one_sentence"]
    rows = [
        (
            f"{stage} step of 8 pairs, times that of 1",
            one_sentence[stage]["ours"]["8"]["times_one_pair"]["median"],
            "at most",
            1.15,
        )
        for stage in STAGES
    ]
    share = result["hypergraph"]["share_of_training_step"]["ours"]["median"]
    rows.append(("share of the hypergraph part in a training step", share, "at most", 0.03))
    if "naive" in result["training"]:
        rows.append(
            ("training step: naive, times ours", result["training"]["naive"]["times_ours"]["median"], "at least", 6)
        )
    return [
        {"what": what, "value": value, side: limit, "reached": value <= limit if side == "at most" else value >= limit}
        for what, value, side, limit in rows
    ]


def table(result: dict) -> str:
    """The medians as text."""
    lines = [f"{'':14}{'variant':14}{'ms a pair':>12}{'times ours':>12}{'peak MiB':>12}{'above weights':>15}"]
    for stage in STAGES:
        for variant, row in result[stage].items():
            times = row.get("times_ours", {"median": 1})["median"]
            lines.append(
                f"{stage:14}{variant:14}{row['ms_per_pair']['median']:12.2f}{times:12.2f}"
                f"{row['peak_mib']:12.0f}{row['peak_above_weights_mib']:15.0f}"
            )
    lines += [
        "",
        f"{'one sentence':14}{'variant':14}" + "".join(f"{n:>4} pairs: ms, times" for n in PAIRS_OF_A_SENTENCE),
    ]
    for stage in STAGES:
        for variant, row in result["pairs_in_one_sentence"][stage].items():
            cells = (f"{c['ms']['median']:14.1f}{c['times_one_pair']['median']:7.2f}" for c in row.values())
            lines.append(f"{stage:14}{variant:14}" + "".join(cells))
    shares = result["hypergraph"]["share_of_training_step"]
    lines += ["", *(f"hypergraph part of a step, {name}: {share['median']:.2%}" for name, share in shares.items()), ""]
    for target in result["targets"]:
        side = "at most" if "at most" in target else "at least"
        verdict = "reached" if target["reached"] else "missed"
        lines.append(f"{target['what']}: {target['value']:.3f}, to be {side} {target[side]}: {verdict}")
    return "\n".join(lines)


def _set_threads(threads: int) -> None:
    if threads:
        torch.set_num_threads(threads)


def parse_arguments(argv: list[str]) -> argparse.Namespace:
    """The options of the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m train.benchmark", description="Measures speed and memory beside naive runs."
    )
    parser.add_argument("--size", choices=SIZES, default="base", help="of the text encoder")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--threads", type=int, default=0, help="of torch; 0 leaves its choice")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--naive_every", type=int, default=4, help="naive variants run in one of so many rounds")
    parser.add_argument("--skip_naive_pixels", action="store_true", help="leave out the variant that runs VGG16")
    parser.add_argument("--pairs", type=int, default=16, help="of a batch")
    parser.add_argument("--crop_size", type=int, default=224, help="pixels of what VGG16 reads")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, help="default: assets/results/benchmark-<size>.json")
    return parser.parse_args(argv)


def main(argv: list[str]) -> dict:
    """Measures, prints a table, writes a result file and returns what it holds."""
    args = parse_arguments(argv)
    code = code_version()  # now: the files may change while it runs
    _set_threads(args.threads)
    variants = [variant for variant in VARIANTS if not (variant == "naive" and args.skip_naive_pixels)]
    sentences = draw_sentences(SENTENCES, args.seed)
    batches = list(training_batches(sentences, args.pairs, args.seed))[: args.rounds]
    memory = measure_memory(sentences, variants, args)
    bench = Bench(args.size, args.device, args.crop_size, args.seed, with_vgg="naive" in variants)
    result = {
        "command": shlex.join(["python", "-m", "train.benchmark", *argv]),
        "settings": {name: value for name, value in vars(args).items() if name != "output"},
        "threads": torch.get_num_threads(),
        **code,
        "versions": versions(),
        "sentences": {
            "wordpieces": statistics.mean(sentence.wordpieces for sentence in sentences),
            "pairs": statistics.mean(sentence.pairs for sentence in sentences),
        },
        **measure_batches(bench, batches, variants, args),
        "pairs_in_one_sentence": measure_one_sentence(bench, variants, args),
    }
    for (stage, variant), peak in memory.items():
        result[stage][variant].update(peak)
    result["targets"] = targets(result)
    print(table(result))
    write_result(args.output or Path(f"assets/results/benchmark-{args.size}.json"), result)
    return result


if __name__ == "__main__":
    main(sys.argv[1:])
