"""Selects the nodes of every row once, before training, and adds them to the data as the column `selection`.

What an LLM answers is kept on disk as it comes, so a run that was killed asks only for the rest, and another run with
the same prompts asks nothing. A selector sees the columns in `REQUEST_COLUMNS`; the relation is not among them.
"""

import logging
from collections import Counter
from collections.abc import Callable, Iterator
from functools import cache, partial
from operator import itemgetter

import torch
from datasets import Dataset, DatasetDict, Features, List, Value
from PIL import Image
from tqdm.auto import tqdm
from transformers import AutoModel, AutoTokenizer

from train.data.collator import character_spans, image_fields
from vmhan import VMHANForRelationExtraction, VMHANProcessor
from vmhan.data.schema import sentence_key
from vmhan.image_inputs import load_image_input
from vmhan.llm.loading import load_selector
from vmhan.node_selection import NONE, WORDS, Encoder, NodeSelection, NodeSelector, SelectionRequest, WordSelector
from vmhan.object_detection import DetectedObject
from vmhan.text_similarity import MeanPooledEncoder

logger = logging.getLogger(__name__)

#: All that a selector may know of a row.
REQUEST_COLUMNS = (
    *("words", "head_span", "tail_span", "mentions"),
    *("image", "picture", "description", "object_names", "object_boxes"),
)
FEATURE = Features(
    {
        "text_phrases": List(List(Value("int32"), length=2)),
        "visual_phrases": List(Value("string")),
        "objects": List(Value("int32")),
    }
)
_KEY_COLUMNS = ("words", "image_id", "head_span", "tail_span")
_PAIRS = 64  # asked about in one call: some batches of a model, few enough pictures to hold

Told = Callable[[dict], dict | None]


def selects(data) -> bool:
    """Whether these `DataArguments` ask for selected nodes."""
    return data.selector != NONE or data.visual_selector not in (None, NONE)


def candidate_objects(data) -> int:
    """How many names, and how many boxes, of an image the rows hold: the paper's k, or those to select k from."""
    return max(data.candidate_objects, data.max_objects) if selects(data) else data.max_objects


def selection_settings(data) -> dict | None:
    """What the processor says of the selection to whoever uses the model; it names no address and no folder."""
    if not selects(data):
        return None
    words = {data.selector, data.visual_selector or data.selector} == {WORDS}
    return {
        "selector": WORDS if words else "llm",
        "num_text_phrases": data.num_text_phrases,
        "num_visual_phrases": data.num_visual_phrases,
        "num_objects": data.max_objects,
    }


def select_splits(splits: DatasetDict, data, training) -> tuple[DatasetDict, dict[str, int]]:
    """The splits with their selections, and what became of the questions to LLMs.

    The first process asks, the others read its answers; give them time with `ddp_timeout`. The test split is left out
    where it is not read.
    """
    told = partial(image_fields, visual_setting=data.visual_setting, use_boxes=data.boxes is not None)
    with training.main_process_first(desc="selecting nodes"):
        selector = load_selector(
            data.selector,
            data.visual_selector,
            num_text_phrases=data.num_text_phrases,
            num_visual_phrases=data.num_visual_phrases,
            num_objects=data.max_objects,
            encode=text_encoder(training),
            cache=data.selection_cache,
            batch_size=data.selector_batch_size,
            max_new_tokens=data.selector_max_tokens,
        )
        selected = {
            name: select_nodes(split, selector, told)
            for name, split in splits.items()
            if name != "test" or training.read_test
        }
    counts: Counter[str] = getattr(selector, "counts", Counter())
    if counts:
        logger.info("Node selection: %s", ", ".join(f"{name} {count}" for name, count in sorted(counts.items())))
    return DatasetDict({**splits, **selected}), dict(counts)


def select_nodes(dataset: Dataset, selector: NodeSelector, told: Told) -> Dataset:
    """The rows with a column `selection`. A pair that stands in several rows, any way round, is asked about once.

    Args:
        dataset: Rows as `load_mnre` makes them.
        selector: Selects.
        told: What the model is told of a row's image, `image_fields`; selected objects are counted there.
    """
    keys = [_pair_key(row) for row in dataset.select_columns(list(_KEY_COLUMNS))]
    first = {key: index for index, key in reversed(list(enumerate(keys)))}
    rows = dataset.select_columns([name for name in REQUEST_COLUMNS if name in dataset.column_names])
    looks = not isinstance(selector, WordSelector)
    if not looks and "image" in rows.column_names:
        rows = rows.remove_columns("image")  # reading a row would open it
    selections: dict[tuple, NodeSelection] = {}
    with tqdm(total=len(first), desc=f"selecting nodes, {dataset.split}", unit=" pairs", delay=2) as progress:
        for batch in batched(sorted(first.items(), key=itemgetter(1)), _PAIRS):
            requests = [to_request(rows[index], told, looks) for _, index in batch]
            selections.update(zip((key for key, _ in batch), selector.select(requests), strict=True))
            progress.update(len(requests))
    column = [selections[key]._asdict() for key in keys]
    return dataset.add_column("selection", column, feature=FEATURE)


def batched(items: list, size: int) -> Iterator[list]:
    """Chunks of at most `size` items."""
    return (items[start : start + size] for start in range(0, len(items), size))


def _pair_key(row: dict) -> tuple:
    """Rows with the same key are one pair of one sentence and image, in either order."""
    return sentence_key(row), *sorted((tuple(row["head_span"]), tuple(row["tail_span"])))


def to_request(row: dict, told: Told, looks: bool = True) -> SelectionRequest:
    """What a selector may know of a row; the picture only if it `looks`.

    Where the model is told nothing of the image, the selector is not either.
    """
    head, tail, *mentions = character_spans(row["words"], [row["head_span"], row["tail_span"], *row["mentions"]])
    known = told(row)
    if known is None:
        return SelectionRequest(" ".join(row["words"]), head, tail, mentions)
    image = _picture(row) if looks else None
    return SelectionRequest(
        " ".join(row["words"]),
        head,
        tail,
        mentions,
        known.get("description"),
        image,
        [_to_object(item, image and image.size) for item in known.get("objects") or ()],
    )


def _picture(row: dict) -> Image.Image | None:
    """The upright RGB picture of a row, which holds it, a path of it as `picture`, or neither."""
    image = row.get("picture") if row.get("image") is None else row["image"]
    return None if image is None else load_image_input(image)


def _to_object(item: dict, size: tuple[int, int] | None) -> DetectedObject:
    """An object as the processor takes it, with its box in pixels; without an image there are none."""
    box = item.get("box")
    if box is not None and size is not None:
        (cx, cy, w, h), (width, height) = box, size
        box = ((cx - w / 2) * width, (cy - h / 2) * height, (cx + w / 2) * width, (cy + h / 2) * height)
    score = item.get("score")
    return DetectedObject(item.get("label") or "", 1.0 if score is None else score, box if size else None)


def text_encoder(training) -> Encoder:
    """The text encoder as it is before training, which a run and its evaluation share; loaded when it is needed.

    Without a `text_model` it is that of the checkpoint.
    """

    @cache
    def load() -> Encoder:
        if training.text_model:
            return _pretrained_encoder(training.text_model, training.device, training.max_length)
        model = VMHANForRelationExtraction.from_pretrained(training.checkpoint).vmhan.text_model
        tokenizer = VMHANProcessor.from_pretrained(training.checkpoint).tokenizer
        return remembering(MeanPooledEncoder(model.to(training.device), tokenizer, training.max_length))

    return lambda texts: load()(texts)


@cache  # the runs of a comparison ask for the same texts
def _pretrained_encoder(text_model: str, device: torch.device, max_length: int) -> Encoder:
    model = AutoModel.from_pretrained(text_model).to(device)
    return remembering(MeanPooledEncoder(model, AutoTokenizer.from_pretrained(text_model), max_length))


def remembering(encode: Encoder) -> Encoder:
    """Encodes each text once: a sentence comes again with its other pairs, and "man" in many pictures."""
    known: dict[str, torch.Tensor] = {}

    def encode_new(texts: list[str]) -> torch.Tensor:
        if new := [text for text in dict.fromkeys(texts) if text not in known]:
            known.update(zip(new, encode(new), strict=True))
        return torch.stack([known[text] for text in texts])

    return encode_new
