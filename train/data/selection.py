"""Selects the nodes of every row once, before training, and adds them to the data as the column `selection`.

Responses of an LLM go to a cache on disk as they come, so a run that was killed requests only the rest, and another
run with the same prompts requests nothing.
"""

import logging
from collections import Counter
from functools import partial
from operator import itemgetter

from datasets import Dataset, DatasetDict, Features, List, Value
from tqdm.auto import tqdm

from train.arguments import DataArguments, RunArguments, RunConfig
from train.data.collator import image_fields
from train.data.frozen_text_encoder import frozen_text_encoder
from train.data.selection_requests import REQUEST_COLUMNS, ImageFields, to_request
from vmhan.data.disk_cache import batched
from vmhan.data.schema import sentence_key
from vmhan.llm.loading import load_selector
from vmhan.node_selection import WORDS, NodeSelection, NodeSelector, WordSelector

logger = logging.getLogger(__name__)

FEATURE = Features(
    {
        "text_phrases": List(List(Value("int32"), length=2)),
        "visual_phrases": List(Value("string")),
        "objects": List(Value("int32")),
    }
)
_KEY_COLUMNS = ("words", "image_id", "head_span", "tail_span")
_PAIRS = 64  # requested in one call: some batches of a model, few enough images to hold


def selection_settings(data: DataArguments) -> dict | None:
    """Describes the selection for the saved processor; names no address and no folder."""
    if not data.selects_nodes:
        return None
    words = {data.selector, data.visual_selector or data.selector} == {WORDS}
    return {
        "selector": WORDS if words else "llm",
        "num_text_phrases": data.num_text_phrases,
        "num_visual_phrases": data.num_visual_phrases,
        "num_objects": data.max_objects,
    }


def select_splits(splits: DatasetDict, config: RunConfig) -> tuple[DatasetDict, dict[str, int]]:
    """Adds the selections to all splits, and counts what became of the requests to LLMs.

    The first process requests, the others read its responses; give them time with `ddp_timeout`. The test split is
    left out where it is not read.
    """
    data, training = config.data, config.training
    fields = partial(image_fields, visual_setting=data.visual_setting, use_boxes=data.uses_boxes)
    with training.main_process_first(desc="selecting nodes"):
        selector = _load_selector(data, training)
        selected = {
            name: select_nodes(split, selector, fields)
            for name, split in splits.items()
            if name != "test" or training.read_test
        }
    counts: Counter[str] = getattr(selector, "counts", Counter())
    if counts:
        logger.info("Node selection: %s", ", ".join(f"{name} {count}" for name, count in sorted(counts.items())))
    return DatasetDict({**splits, **selected}), dict(counts)


def _load_selector(data: DataArguments, training: RunArguments) -> NodeSelector:
    return load_selector(
        data.selector,
        data.visual_selector,
        num_text_phrases=data.num_text_phrases,
        num_visual_phrases=data.num_visual_phrases,
        num_objects=data.max_objects,
        encode=frozen_text_encoder(training),
        cache=data.selection_cache,
        batch_size=data.selector_batch_size,
        max_new_tokens=data.selector_max_tokens,
    )


def select_nodes(dataset: Dataset, selector: NodeSelector, fields: ImageFields) -> Dataset:
    """Adds the column `selection`. A pair that stands in several rows, any way round, is requested once.

    Args:
        dataset: Rows of `load_mnre`.
        selector: Selects.
        fields: The inputs of a row's image as the model gets them; selected objects are indices into these.
    """
    keys = [_pair_key(row) for row in dataset.select_columns(list(_KEY_COLUMNS))]
    first = {key: index for index, key in reversed(list(enumerate(keys)))}
    rows = dataset.select_columns([name for name in REQUEST_COLUMNS if name in dataset.column_names])
    with_image = not isinstance(selector, WordSelector)
    if not with_image and "image" in rows.column_names:
        rows = rows.remove_columns("image")  # reading a row would open it
    selections: dict[tuple, NodeSelection] = {}
    with tqdm(total=len(first), desc=f"selecting nodes, {dataset.split}", unit=" pairs", delay=2) as progress:
        for batch in batched(sorted(first.items(), key=itemgetter(1)), _PAIRS):
            requests = [to_request(rows[index], fields, with_image) for _, index in batch]
            selections.update(zip((key for key, _ in batch), selector.select(requests), strict=True))
            progress.update(len(requests))
    column = [selections[key]._asdict() for key in keys]
    return dataset.add_column("selection", column, feature=FEATURE)


def _pair_key(row: dict) -> tuple:
    """Rows with the same key are one pair of one sentence and image, in either order."""
    return sentence_key(row), *sorted((tuple(row["head_span"]), tuple(row["tail_span"])))
