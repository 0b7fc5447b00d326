"""Sampler: the pairs of a sentence share a batch, whose sentences are of similar length."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import cycle

import torch
from datasets import Dataset
from torch.utils.data import Sampler

from train.data.corpora import SOURCE
from vmhan.data.schema import group_by_sentence

#: Sentences are sorted by length within so many batches: little padding, and still a different order each epoch.
BATCHES_IN_A_POOL = 50


class SentenceSampler(Sampler[int]):
    """Orders rows so that each `batch_size` consecutive ones hold whole sentences of similar length.

    The order depends on `seed` and the epoch only, so a resumed run sees the rows it would have seen.

    Args:
        dataset: Rows with `words` and `image_id`.
        batch_size: Pairs in a batch. A sentence is split only if nothing else fills its batch.
        seed: Of the shuffling.
        weights: For each `source` of rows, the share of them that an epoch draws, anew each time; above 1 they come
            back. By default all rows come once.
    """

    def __init__(self, dataset: Dataset, batch_size: int, seed: int = 0, weights: Sequence[float] = ()):
        self.groups = group_by_sentence(dataset)
        self.lengths = [len(words) for words in dataset["words"]]
        self.sources = dataset[SOURCE] if weights else [0] * len(dataset)
        rows = Counter(self.sources[group[0]] for group in self.groups for _ in group)
        self.drawn = {source: round(count * weights[source]) if weights else count for source, count in rows.items()}
        self.batch_size = batch_size
        self.seed = seed
        self.epoch = 0

    def set_epoch(self, epoch: int):
        """Sets the epoch; the data loader calls it before each."""
        self.epoch = epoch

    def __len__(self) -> int:
        return sum(self.drawn.values())

    def __iter__(self) -> Iterator[int]:
        generator = torch.Generator().manual_seed(self.seed * 100_003 + self.epoch)
        full, rest = [], []
        for pool in self._pools(self._draw(generator)):
            pool.sort(key=lambda rows: self.lengths[rows[0]], reverse=True)
            batches = _fill(pool, self.batch_size)
            full += [batch for batch in batches if len(batch) == self.batch_size]
            rest += [row for batch in batches if len(batch) < self.batch_size for row in batch]
        for index in torch.randperm(len(full), generator=generator).tolist():
            yield from full[index]
        yield from rest

    def _draw(self, generator: torch.Generator) -> list[list[int]]:
        """Draws the sentences of an epoch in random order; of the last one of a source perhaps not all rows."""
        shuffled = [self.groups[index] for index in torch.randperm(len(self.groups), generator=generator).tolist()]
        by_source = defaultdict(list)
        for group in shuffled:
            by_source[self.sources[group[0]]].append(group)
        if len(by_source) == 1:
            return shuffled
        drawn = [group for source, groups in by_source.items() for group in _take(groups, self.drawn[source])]
        return [drawn[index] for index in torch.randperm(len(drawn), generator=generator).tolist()]

    def _pools(self, groups: list[list[int]]) -> Iterator[list[list[int]]]:
        """Groups sentences into pools of `BATCHES_IN_A_POOL` batches, which are sorted by length."""
        pool, size = [], 0
        for group in groups:
            pool.append(group)
            size += len(group)
            if size >= BATCHES_IN_A_POOL * self.batch_size:
                yield pool
                pool, size = [], 0
        if pool:
            yield pool


def _take(groups: list[list[int]], rows: int) -> Iterator[list[int]]:
    """Takes groups, again and again, until they hold so many rows."""
    for group in cycle(groups):
        if rows <= 0:
            return
        yield group[:rows]
        rows -= len(group)


def _fill(groups: list[list[int]], batch_size: int) -> list[list[int]]:
    """Packs groups into batches, each time the first that still fits; one that fits nowhere is split."""
    groups, batches, batch = list(groups), [], []
    while groups:
        room = batch_size - len(batch)
        fitting = next((i for i, rows in enumerate(groups) if len(rows) <= room), None)
        if fitting is None:
            rows = groups.pop(0)
            batch, groups = batch + rows[:room], [rows[room:], *groups]
        else:
            batch = batch + groups.pop(fitting)
        if len(batch) == batch_size:
            batches.append(batch)
            batch = []
    return [*batches, batch] if batch else batches
