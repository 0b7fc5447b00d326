"""Measures speed and memory beside naive runs in the same process. Needs no data: weights and batches are random.

    python -m train.benchmark                                          # bert-base size: half an hour on one core
    python -m train.benchmark --size minilm --skip_naive_pixels --rounds 8

Three variants run the same pairs, 16 a batch, with the same weights:

- `ours`: each sentence and image once, sentences padded to the longest of the batch, image features at hand.
- `naive_cached`: one encoding for each pair, padded to 128 wordpieces, image features at hand.
- `naive`: the same without image features at hand. VGG16 reads the image and 3 crops of each pair, 224 pixels wide,
  in every step; its weights stay as they are, so no gradient is computed for it. Reading files is not counted.

A training step is forward, backward, clipping of the gradient and fused AdamW. The variants take turns in random
order; a ratio is the median over the rounds of what was measured within one round. The memory of each is measured in
a process of its own.
"""

import argparse
import random
import shlex
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import torch
from tqdm import tqdm

from train.benchmark.batches import (
    MEAN_WORDPIECES,
    Sentence,
    build_batch,
    draw_sentence,
    draw_sentences,
    training_batches,
)
from train.benchmark.report import PAIRS_OF_A_SENTENCE, STAGES, table, targets
from train.benchmark.steps import SIZES, Bench, Step, peak_memory
from vmhan.evaluation.result_file import code_version, versions, write_result

VARIANTS = ("ours", "naive_cached", "naive")
SENTENCES = 500  # about 50 batches: within so many the sampler sorts by length
HYPERGRAPH = (
    "Forward, backward and update of all that follows the node features: equation 4, incidence matrix, V-HAN, "
    "classifier and losses, run alone on the batch of the step. The share is of the whole step."
)

Task = Callable[[int], Step]  # prepares the step of a round
Times = dict[tuple, dict[int, float]]  # seconds of each task, by round


def interleave(tasks: dict[tuple, Task], args: argparse.Namespace) -> Times:
    """Runs all tasks in every round, the naive ones in every `args.naive_every`th, after a round that does not count.

    The last part of a task's key is its variant.
    """
    times = {key: {} for key in tasks}
    order = list(tasks)
    for number in tqdm(range(-1, args.rounds), desc="rounds"):
        random.Random(number).shuffle(order)
        for key in order:
            if number < 0 or key[-1] == "ours" or number % args.naive_every == 0:
                seconds = _seconds(tasks[key](max(number, 0)), args.device)
                times[key] |= {number: seconds} if number >= 0 else {}
    return times


def _seconds(step: Step, device: str) -> float:
    _wait(device)
    started = time.perf_counter()
    step()
    _wait(device)
    return time.perf_counter() - started


def _wait(device: str) -> None:
    if device.startswith("cuda"):
        torch.cuda.synchronize(device)


def quartiles(values: list[float]) -> dict[str, float]:
    """Computes median, quartiles and the number of rounds."""
    lower, median, upper = statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else values * 3
    return {"median": median, "lower_quartile": lower, "upper_quartile": upper, "rounds": len(values)}


def milliseconds(times: dict[int, float], pairs: int = 1) -> dict[str, float]:
    """Computes the quartiles of the time of a task, of each of its `pairs`."""
    return quartiles([1000 * seconds / pairs for seconds in times.values()])


def ratio(above: dict[int, float], below: dict[int, float]) -> dict[str, float]:
    """Computes the quartiles of the quotient of two tasks, over the rounds that ran both."""
    return quartiles([above[number] / below[number] for number in above if number in below])


def measure_batches(bench: Bench, batches: list[dict], variants: list[str], args: argparse.Namespace) -> dict:
    """Measures milliseconds a pair of training and prediction, as many times ours, and the hypergraph part's share."""

    def task(stage, variant):
        return lambda number: bench.step(stage, variant, batches[number % len(batches)])

    keys = [*((stage, variant) for stage in STAGES for variant in variants), ("hypergraph", "ours")]
    times = interleave({key: task(*key) for key in keys}, args)
    result = {
        stage: {
            variant: {
                "ms_per_pair": milliseconds(times[stage, variant], args.pairs),
                "times_ours": ratio(times[stage, variant], times[stage, "ours"]),
            }
            for variant in variants
        }
        for stage in STAGES
    }
    part = times["hypergraph", "ours"]
    shares = {variant: ratio(part, times["training", variant]) for variant in variants}
    result["hypergraph"] = {
        "definition": HYPERGRAPH,
        "ms_per_pair": milliseconds(part, args.pairs),
        "share_of_training_step": shares,
    }
    return result


def measure_one_sentence(bench: Bench, variants: list[str], args: argparse.Namespace) -> dict:
    """Measures 1, 2, 4 and 8 pairs in one sentence of 31 wordpieces and one image, as many times those of 1."""
    sentence = draw_sentence(MEAN_WORDPIECES, max(PAIRS_OF_A_SENTENCE), torch.Generator().manual_seed(args.seed))

    def task(pairs, stage, variant):
        batch = build_batch([sentence], [(0, pair) for pair in range(pairs)])
        return lambda _: bench.step(stage, variant, batch)

    keys = [(pairs, stage, variant) for pairs in PAIRS_OF_A_SENTENCE for stage in STAGES for variant in variants]
    times = interleave({key: task(*key) for key in keys}, args)

    def row(pairs, *of):
        return {"ms": milliseconds(times[pairs, *of]), "times_one_pair": ratio(times[pairs, *of], times[1, *of])}

    return {
        stage: {
            variant: {str(pairs): row(pairs, stage, variant) for pairs in PAIRS_OF_A_SENTENCE} for variant in variants
        }
        for stage in STAGES
    }


def measure_memory(sentences: list[Sentence], variants: list[str], args: argparse.Namespace) -> dict[tuple, dict]:
    """Measures `peak_memory` of each stage and variant."""
    context = get_context("forkserver")  # its processes start bare, but with the libraries imported
    context.set_forkserver_preload(["train.benchmark.steps"])
    keys = [(stage, variant) for stage in STAGES for variant in variants]
    with ProcessPoolExecutor(1, mp_context=context, max_tasks_per_child=1) as processes:
        jobs = [processes.submit(peak_memory, *key, sentences, args) for key in keys]
        return {key: job.result() for key, job in zip(keys, tqdm(jobs, desc="memory"), strict=True)}


def parse_arguments(argv: list[str]) -> argparse.Namespace:
    """Parses the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m train.benchmark", description="Measures speed and memory beside naive runs."
    )
    parser.add_argument("--size", choices=SIZES, default="base", help="of the text encoder")
    parser.add_argument(
        "--hidden_size", type=int, help="of nodes and hyperedges; default: about two thirds of the text encoder's"
    )
    parser.add_argument("--device", default="cpu", help="of torch, such as cpu or cuda (default: cpu)")
    parser.add_argument("--threads", type=int, default=0, help="of torch; 0 leaves its choice")
    parser.add_argument("--rounds", type=int, default=20, help="timed runs of everything, in turns (default: 20)")
    parser.add_argument("--naive_every", type=int, default=4, help="naive variants run in one of so many rounds")
    parser.add_argument("--skip_naive_pixels", action="store_true", help="leave out the variant that runs VGG16")
    parser.add_argument("--pairs", type=int, default=16, help="of a batch")
    parser.add_argument("--crop_size", type=int, default=224, help="pixels of what VGG16 reads")
    parser.add_argument("--seed", type=int, default=0, help="of weights and batches")
    parser.add_argument("--output", type=Path, help="default: assets/results/benchmark-<size>.json")
    return parser.parse_args(argv)


def main(argv: list[str]) -> dict:
    """Measures, prints a table, writes a result file and returns its content."""
    args = parse_arguments(argv)
    code = code_version()  # now: the files may change while it runs
    variants = [variant for variant in VARIANTS if variant != "naive" or not args.skip_naive_pixels]
    sentences = draw_sentences(SENTENCES, args.seed)
    memory = measure_memory(sentences, variants, args)
    bench = Bench(args, with_vgg="naive" in variants)
    batches = list(training_batches(sentences, args.pairs, args.seed))[: args.rounds]
    result = {
        "command": shlex.join(["python", "-m", "train.benchmark", *argv]),
        "settings": {name: value for name, value in vars(args).items() if name != "output"},
        "threads": torch.get_num_threads(),
        **code,
        "versions": versions(),
        "sentences": {
            "mean_wordpieces": statistics.mean(sentence.wordpieces for sentence in sentences),
            "mean_pairs": statistics.mean(sentence.pairs for sentence in sentences),
        },
        **measure_batches(bench, batches, variants, args),
        "pairs_in_one_sentence": measure_one_sentence(bench, variants, args),
    }
    for (stage, variant), peak in memory.items():
        result[stage][variant].update(peak)
    result["targets"] = targets(result) if args.size == "base" and args.device == "cpu" else []
    print(table(result))
    write_result(args.output or Path(f"assets/results/benchmark-{args.size}.json"), result)
    return result
