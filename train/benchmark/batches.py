"""Batches for the benchmark: random wordpieces and image features, with the lengths and pairs of MNRE.

MNRE has 31 wordpieces and 1.66 pairs a sentence. A batch holds 16 pairs, put together by the sampler of training, and
comes in two forms with the same content: as of the collator, and naive, with a row for each pair.
"""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from datasets import Dataset
from torch.nn import functional as F

from train.data.sampler import SentenceSampler

MEAN_WORDPIECES = 31
DEVIATION_WORDPIECES = 9
MEAN_PAIRS = 1.66
NAIVE_LENGTH = 128
MENTION_WORDPIECES = 2
OBJECTS = 3
VISUAL_SIZE = 4096
RELATIONS = 23
VOCABULARY = 30522


class Sentence(NamedTuple):
    """`wordpieces` with the special ones. Its mentions start at `starts`; pair i is mention 0 with mention i + 1."""

    wordpieces: int
    starts: list[int]

    @property
    def pairs(self) -> int:
        return len(self.starts) - 1


def draw_sentences(count: int, seed: int = 0) -> list[Sentence]:
    """Draws wordpieces from a clipped normal distribution, pairs from a geometric one that starts at 1."""
    generator = torch.Generator().manual_seed(seed)
    wordpieces = torch.normal(MEAN_WORDPIECES, DEVIATION_WORDPIECES, (count,), generator=generator)
    pairs = torch.empty(count).geometric_(1 / MEAN_PAIRS, generator=generator).long()
    room = pairs + MENTION_WORDPIECES + 3  # for a mention more than pairs, [CLS] and [SEP]
    wordpieces = torch.maximum(wordpieces.round().long(), room).clamp(max=NAIVE_LENGTH)
    return [
        draw_sentence(length, of_it, generator)
        for length, of_it in zip(wordpieces.tolist(), pairs.tolist(), strict=True)
    ]


def draw_sentence(wordpieces: int, pairs: int, generator: torch.Generator) -> Sentence:
    """Draws a sentence with one mention more than pairs, at different positions."""
    positions = wordpieces - MENTION_WORDPIECES - 1
    return Sentence(wordpieces, (torch.randperm(positions, generator=generator)[: pairs + 1] + 1).tolist())


def training_batches(sentences: list[Sentence], batch_size: int, seed: int = 0) -> Iterator[dict[str, torch.Tensor]]:
    """Builds the full batches of an epoch, in the order of `train/run.py`."""
    rows = [(index, pair) for index, sentence in enumerate(sentences) for pair in range(sentence.pairs)]
    words = [[""] * sentences[index].wordpieces for index, _ in rows]
    dataset = Dataset.from_dict({"words": words, "image_id": [str(index) for index, _ in rows]})
    order = list(SentenceSampler(dataset, batch_size, seed))
    for start in range(0, len(order) - batch_size + 1, batch_size):
        yield build_batch(sentences, [rows[index] for index in order[start : start + batch_size]], seed + start)


def build_batch(sentences: list[Sentence], pairs: list[tuple[int, int]], seed: int = 0) -> dict[str, torch.Tensor]:
    """Builds a batch of pairs, (sentence, pair in it); each distinct sentence is a row, with an image of its own."""
    generator = torch.Generator().manual_seed(seed)
    distinct = sorted({index for index, _ in pairs})
    row = torch.tensor([distinct.index(index) for index, _ in pairs])
    lengths = torch.tensor([sentences[index].wordpieces for index in distinct])
    mask = (torch.arange(int(lengths.max())) < lengths[:, None]).long()
    head = torch.tensor([sentences[index].starts[0] for index, _ in pairs])
    tail = torch.tensor([sentences[index].starts[pair + 1] for index, pair in pairs])
    return {
        "input_ids": torch.randint(1, VOCABULARY, mask.shape, generator=generator) * mask,
        "attention_mask": mask,
        "pair_sentence": row,
        "pair_image": row,
        "head_span": torch.stack([head, head + MENTION_WORDPIECES], dim=1),
        "tail_span": torch.stack([tail, tail + MENTION_WORDPIECES], dim=1),
        "visual_states": torch.randn(len(distinct), 1 + OBJECTS, VISUAL_SIZE, generator=generator).relu(),  # as fc7's
        "labels": torch.randint(RELATIONS, row.shape, generator=generator),
    }


def naive_batch(batch: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Expands a batch to a sentence and an image for each pair, and pads every sentence to `NAIVE_LENGTH`."""
    sentence, image = batch["pair_sentence"], batch["pair_image"]
    padding = (0, NAIVE_LENGTH - batch["input_ids"].shape[1])
    alone = torch.arange(len(sentence))
    return {
        **batch,
        "input_ids": F.pad(batch["input_ids"][sentence], padding),
        "attention_mask": F.pad(batch["attention_mask"][sentence], padding),
        "pair_sentence": alone,
        "pair_image": alone,
        "visual_states": batch["visual_states"][image],
    }
