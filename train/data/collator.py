"""Collator: a batch encodes each sentence and image once, however many pairs they hold."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import Any

from transformers import BatchFeature

from train.data.corpora import NO_PAIR, SOURCE, Source
from train.data.image_reader import seen_boxes
from vmhan import VMHANProcessor
from vmhan.data.disk_cache import DiskCache
from vmhan.data.schema import has_object_tails, sentence_key
from vmhan.image_description import compose_description
from vmhan.image_inputs import load_image_input
from vmhan.node_selection import NodeSelection
from vmhan.pair_inputs import EntityTargets, PairSpec, SentenceExample

#: Column of the teacher targets, a probability for each relation, which are learned in place of the gold label.
TEACHER_TARGETS = "teacher_targets"


class PairCollator:
    """Collates rows to the batch of the model; the rows of a sentence share its encoding.

    Nodes that train/data/selection.py selected for a row join its hypergraph.

    Args:
        processor: Builds the batch.
        visual_setting: `"pixels"`: the image and the crops of its boxes; `"described"`: descriptions and object names;
            `"composed"`: the names, and the sentence that the pipeline composes of a detector's objects;
            `"object_names"`: these alone; `"text_only"`: no image at all.
        use_boxes: Whether detector boxes join as further objects, without a name.
        features: For pixels, features of a frozen vision encoder by the `image_key` of a row. Without them that is
            a path, which is opened.
        sources: The corpora of the rows, by their `source`; empty where there is but one, without a style.
        mention_kinds: As in `VMHANConfig`, for rows of sentences whose entities are to be found.
    """

    def __init__(
        self,
        processor: VMHANProcessor,
        visual_setting: str = "described",
        use_boxes: bool = False,
        features: DiskCache | None = None,
        sources: Sequence[Source] = (),
        mention_kinds: Sequence[str] = (),
    ):
        self.processor = processor
        self.features = features
        self.visual_setting = visual_setting
        self.use_boxes = use_boxes
        self.sources = sources
        self.mention_kinds = mention_kinds

    def __call__(self, rows: list[dict]) -> BatchFeature:
        groups, examples = defaultdict(list), []
        for row in rows:
            if row["relation"] == NO_PAIR:
                examples.append(self._entity_example(row))
            else:
                groups[sentence_key(row)].append(row)
        return self.processor.encode([*(self._example(of_sentence) for of_sentence in groups.values()), *examples])

    def _entity_example(self, row: dict) -> SentenceExample:
        """Builds the example of a sentence whose entities are to be found."""
        spans = character_spans(row["words"], row["mentions"])
        targets = EntityTargets(
            mentions=[(*span, kind) for span, kind in zip(spans, row["entity_kinds"], strict=True)],
            kinds=self.mention_kinds,
            unknown=character_spans(row["words"], row["unknown"]),
            unannotated=self.sources[row[SOURCE]].unannotated,
        )
        return SentenceExample(" ".join(row["words"]), [], [], entities=targets)

    def _example(self, rows: list[dict]) -> SentenceExample:
        """Builds the example of the rows of one sentence."""
        words = rows[0]["words"]
        spans = sorted({tuple(span) for row in rows for span in (*row["mentions"], *_text_spans(row))})
        objects = sorted({row["tail_object"] for row in rows}) if has_object_tails(rows[0]) else []
        index = {mention: number for number, mention in enumerate([*spans, *objects])}
        pairs = [self._pair(row, index) for row in rows]
        mentions = [*character_spans(words, spans), *objects]
        return SentenceExample(" ".join(words), mentions, pairs, self._image(rows[0]))

    def _pair(self, row: dict, index: dict[tuple | int, int]) -> PairSpec:
        """Builds the pair of a row; `index` is that of each span or object among the mentions of its sentence."""
        tail = row["tail_object"] if has_object_tails(row) else tuple(row["tail_span"])
        return PairSpec(
            head=index[tuple(row["head_span"])],
            tail=index[tail],
            label=row.get(TEACHER_TARGETS, row["relation"]),
            direction_given=row.get("direction_given", True),  # as annotators wrote it, unless a row says otherwise
            selection=_selection(row, self.processor.max_objects) or NodeSelection(),
            **self._taught_by_source(row),
        )

    def _taught_by_source(self, row: dict) -> dict[str, Any]:
        """Reads what the corpus of a row teaches of its pair, beside the label."""
        if not self.sources:
            return {}
        source = self.sources[row.get(SOURCE, 0)]
        return {
            "annotation_style": source.style,
            "candidates": source.candidates[row["relation"]].tolist(),
            "weight": source.loss_weight,
            "kinds": None if source.kinds is None else source.kinds[row["relation"]].tolist(),
        }

    def _image(self, row: dict) -> dict | None:
        fields = image_fields(row, self.visual_setting, self.use_boxes)
        if self.visual_setting != "pixels" or fields is None:
            return fields
        if self.features is None:
            return {**fields, "image": load_image_input(Path(row["image_key"]))}
        return {**fields, "visual_states": self.features[row["image_key"]]}


def image_fields(row: dict, visual_setting: str, use_boxes: bool) -> dict | None:
    """Reads description and objects of a row's image as `VMHANProcessor` takes them.

    Objects that may be tails come first, with their captions. The arguments are those of `PairCollator`.
    """
    if visual_setting == "text_only" or row.get("image_id") == "":  # a further corpus has no images
        return None
    if has_object_tails(row):
        objects = zip_longest(seen_boxes(row), row["entity_captions"])
        return {"objects": [{"label": label, "box": box} for box, label in objects]}
    if visual_setting == "pixels":
        has_image = (row.get("image_key") or row.get("image")) is not None
        return {"objects": [{"box": box} for box in row["object_boxes"]]} if has_image else None
    named = [{"label": name} for name in row["object_names"]]
    boxed = [{"box": box} for box in row["object_boxes"]] if use_boxes else []
    described = {"described": row["description"], "composed": compose_description(row["object_names"])}
    return {"description": described.get(visual_setting), "objects": named + boxed}


def character_spans(words: list[str], spans: Iterable[Sequence[int]]) -> list[tuple[int, int]]:
    """Converts [start, end) words to [start, end) characters of the words joined by spaces."""
    starts = [0]
    for word in words:
        starts.append(starts[-1] + len(word) + 1)
    return [(starts[start], starts[end] - 1) for start, end in spans]


def _selection(row: dict, max_objects: int) -> NodeSelection | None:
    """Reads the selection of a row; beside a tail that is an object stand the first of its `object_boxes`."""
    if has_object_tails(row):
        boxes = seen_boxes(row)
        indices = [boxes.index(box) for box in row["object_boxes"]]
        return NodeSelection(objects=[index for index in indices if index != row["tail_object"]][:max_objects])
    selection = row.get("selection")
    return None if selection is None else NodeSelection(**selection)


def _text_spans(row: dict) -> list[Sequence[int]]:
    """Returns the spans of head and tail that are in the text."""
    return [row[name] for name in ("head_span", "tail_span") if name in row]
