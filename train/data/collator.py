"""Rows to batches: the pairs of a sentence stay together, and a batch encodes each sentence and image once."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest
from pathlib import Path

import torch
from datasets import Dataset
from torch.utils.data import Sampler
from transformers import BatchFeature

from train.data.image_reader import PictureCache, seen_boxes
from vmhan import VMHANProcessor
from vmhan.data.schema import group_by_sentence, has_object_tails, sentence_key
from vmhan.image_description import compose_description
from vmhan.image_inputs import load_image_input
from vmhan.node_selection import NodeSelection

#: Sentences are sorted by length within so many batches: little padding, and still a different order each epoch.
BATCHES_IN_A_POOL = 50
#: Of a row that teachers have scored, the probability of each relation; it is learnt in place of the gold label.
TARGET = "target"


class SentenceSampler(Sampler[int]):
    """Row numbers in an order whose consecutive `batch_size` rows are a good batch.

    The order depends on `seed` and the epoch only, so a resumed run sees what it would have seen.

    Args:
        dataset: Rows with `words` and `image_id`.
        batch_size: Pairs in a batch. A sentence is split only if nothing else fills its batch.
        seed: Of the shuffling.
    """

    def __init__(self, dataset: Dataset, batch_size: int, seed: int = 0):
        self.groups = group_by_sentence(dataset)
        self.lengths = [len(words) for words in dataset["words"]]
        self.batch_size = batch_size
        self.seed = seed
        self.epoch = 0

    def set_epoch(self, epoch: int):
        """Called by the data loader before each epoch."""
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self.lengths)

    def __iter__(self) -> Iterator[int]:
        generator = torch.Generator().manual_seed(self.seed * 100_003 + self.epoch)
        order = torch.randperm(len(self.groups), generator=generator).tolist()
        full, rest = [], []
        for pool in self._pools(order):
            pool.sort(key=lambda rows: self.lengths[rows[0]], reverse=True)
            batches = _fill(pool, self.batch_size)
            full += [batch for batch in batches if len(batch) == self.batch_size]
            rest += [row for batch in batches if len(batch) < self.batch_size for row in batch]
        for index in torch.randperm(len(full), generator=generator).tolist():
            yield from full[index]
        yield from rest

    def _pools(self, order: list[int]) -> Iterator[list[list[int]]]:
        pool, size = [], 0
        for index in order:
            pool.append(self.groups[index])
            size += len(self.groups[index])
            if size >= BATCHES_IN_A_POOL * self.batch_size:
                yield pool
                pool, size = [], 0
        if pool:
            yield pool


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


class PairCollator:
    """A list of rows to the batch of the model; the rows of a sentence share its encoding.

    Nodes that train/data/selection.py selected for a row join its hypergraph.

    Args:
        processor: Makes the batch.
        visual_setting: `"pixels"`: the picture and what boxes cut out of it; `"described"`: descriptions and object
            names; `"composed"`: the names, and the sentence that the pipeline composes of a detector's objects;
            `"object_names"`: these alone; `"text_only"`: no image at all.
        use_boxes: Whether detector boxes join as further objects, without a name.
        features: Of pixels: what a frozen vision encoder made of the `picture` of a row, by that key. Without them
            `picture` is a path, which is opened.
    """

    def __init__(
        self,
        processor: VMHANProcessor,
        visual_setting: str = "described",
        use_boxes: bool = False,
        features: PictureCache | None = None,
    ):
        self.processor = processor
        self.features = features
        self.visual_setting = visual_setting
        self.use_boxes = use_boxes

    def __call__(self, rows: list[dict]) -> BatchFeature:
        groups = defaultdict(list)
        for row in rows:
            groups[sentence_key(row)].append(row)
        sentences = [_sentence(of_sentence) for of_sentence in groups.values()]
        text, mentions, pairs, labels, direction_given = (list(column) for column in zip(*sentences, strict=True))
        images = [self._image(of_sentence[0]) for of_sentence in groups.values()]
        beside = self.processor.max_objects
        selections = [[_selection(row, beside) for row in of_sentence] for of_sentence in groups.values()]
        return self.processor(
            text=text,
            mentions=mentions,
            pairs=pairs,
            images=images,
            labels=labels,
            direction_given=direction_given,
            selections=selections,
        )

    def _image(self, row: dict) -> dict | None:
        told = image_fields(row, self.visual_setting, self.use_boxes)
        if self.visual_setting != "pixels" or told is None:
            return told
        if self.features is None:
            return {**told, "image": load_image_input(Path(row["picture"]))}
        return {**told, "visual_states": self.features[row["picture"]]}


def image_fields(row: dict, visual_setting: str, use_boxes: bool) -> dict | None:
    """Description and objects of a row's image as `VMHANProcessor` takes them; the arguments are `PairCollator`'s.

    Objects that may be tails come first, with their captions.
    """
    if visual_setting == "text_only":
        return None
    if has_object_tails(row):
        objects = zip_longest(seen_boxes(row), row["entity_captions"])
        return {"objects": [{"label": label, "box": box} for box, label in objects]}
    if visual_setting == "pixels":
        has_picture = (row.get("picture") or row.get("image")) is not None
        return {"objects": [{"box": box} for box in row["object_boxes"]]} if has_picture else None
    named = [{"label": name} for name in row["object_names"]]
    boxed = [{"box": box} for box in row["object_boxes"]] if use_boxes else []
    described = {"described": row["description"], "composed": compose_description(row["object_names"])}
    return {"description": described.get(visual_setting), "objects": named + boxed}


def _selection(row: dict, beside: int) -> NodeSelection | None:
    """What was selected for a row; beside a tail that is an object stand so many of its `object_boxes`."""
    if has_object_tails(row):
        boxes = seen_boxes(row)
        places = [boxes.index(box) for box in row["object_boxes"]]
        return NodeSelection(objects=[place for place in places if place != row["tail_object"]][:beside])
    selection = row.get("selection")
    return None if selection is None else NodeSelection(**selection)


def character_spans(words: list[str], spans: Iterable[Sequence[int]]) -> list[tuple[int, int]]:
    """[start, end) characters, in the words joined by spaces, of [start, end) words."""
    starts = [0]
    for word in words:
        starts.append(starts[-1] + len(word) + 1)
    return [(starts[start], starts[end] - 1) for start, end in spans]


def _spans(row: dict) -> list[Sequence[int]]:
    """Of head and tail those that are in the text."""
    return [row[name] for name in ("head_span", "tail_span") if name in row]


def _sentence(rows: list[dict]) -> tuple[str, list, list, list, list]:
    """Text, mentions in characters, and of each row of one sentence its pair of mentions, label and directedness."""
    words = rows[0]["words"]
    spans = sorted({tuple(span) for row in rows for span in (*row["mentions"], *_spans(row))})
    mentions = character_spans(words, spans)
    if has_object_tails(rows[0]):
        mentions += sorted({row["tail_object"] for row in rows})
        pairs = [(spans.index(tuple(row["head_span"])), mentions.index(row["tail_object"])) for row in rows]
    else:
        pairs = [tuple(spans.index(tuple(span)) for span in _spans(row)) for row in rows]
    given = [row.get("direction_given", True) for row in rows]  # as annotators wrote it, unless a row says otherwise
    labels = [row.get(TARGET, row["relation"]) for row in rows]
    return " ".join(words), mentions, pairs, labels, given
