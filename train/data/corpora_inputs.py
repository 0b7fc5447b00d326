"""The further corpora of a run: read and checked beside the main one, and joined to its training rows at the end."""

from collections.abc import Sequence
from pathlib import Path

from datasets import ClassLabel, DatasetDict, concatenate_datasets

from train.arguments import RunConfig
from train.data.corpora import (
    MAIN,
    Corpus,
    all_labels,
    build_sources,
    in_other_styles,
    read_corpora,
    rows_of_corpus,
)
from train.data.directions import training_pairs
from train.data.mention_corpora import mention_rows, read_mention_corpora
from train.data.row_checks import keep_readable
from train.data.run_inputs import RunInputs
from train.settings_parser import SettingsError
from vmhan import VMHANProcessor
from vmhan.data.schema import has_object_tails


def add_corpora(
    inputs: RunInputs, config: RunConfig, processor: VMHANProcessor | None = None, report: Path | None = None
) -> None:
    """Reads the further corpora of the settings, and adds the labels that only they have.

    Args:
        inputs: The main corpus; gets `sources` and `further`.
        config: The settings.
        processor: With it, rows that it refuses are found, and left out or raised as the corpus's `on_error` says.
        report: Lists what is left out.

    Raises:
        SettingsError: A corpus does not fit the main one, or the model.
        BadLine: A row is broken.
    """
    corpora = [Corpus.read(settings) for settings in config.data.corpora]
    model_settings = config.of_model
    styles, mention_corpora = model_settings.annotation_styles, read_mention_corpora(config)
    if not corpora and not styles and not mention_corpora:
        return
    _refuse_object_tails(inputs)
    main_labels = inputs.label_names
    with config.training.main_process_first(desc="reading further corpora"):
        corpus_rows = read_corpora(corpora, report)
    relations = all_labels(inputs.splits["train"].features["relation"], corpus_rows)
    inputs.splits = DatasetDict(
        {name: rows.cast_column("relation", relations) for name, rows in inputs.splits.items()}
    )
    inputs.sources = build_sources(
        corpora,
        corpus_rows,
        relations,
        styles,
        Corpus(MAIN, annotation_style=config.data.annotation_style),
        main_labels,
        model_settings.mention_kinds,
    )
    inputs.further = _further_rows(corpora, corpus_rows, relations, config, processor, report)
    inputs.sources += [corpus.source() for corpus in mention_corpora]
    inputs.mention_rows = {corpus.name: corpus.load() for corpus in mention_corpora}


def join_corpora(inputs: RunInputs, config: RunConfig) -> None:
    """Joins the training rows of the further corpora to those of the main one."""
    if not inputs.sources:
        return
    corpora = [Corpus.read(settings) for settings in config.data.corpora]
    parts = [in_other_styles(inputs.splits["train"], corpora)]
    if "train" in inputs.further:
        further = inputs.further["train"]
        parts.append(training_pairs(further) if config.data.undirected_pairs else further)
    mentions = mention_rows(
        read_mention_corpora(config), inputs, first_source=1 + len(corpora), limit=config.data.limit
    )
    inputs.splits["train"] = concatenate_datasets([*parts, *mentions])


def _further_rows(
    corpora: Sequence[Corpus],
    rows: dict[str, dict[str, list[dict]]],
    relations: ClassLabel,
    config: RunConfig,
    processor: VMHANProcessor | None,
    report: Path | None,
) -> DatasetDict:
    """Builds the rows of further corpora by split, without those that the processor refuses."""
    of_corpora = []
    for source, corpus in enumerate(corpora, start=1):
        if corpus.path == MAIN:
            continue
        splits = rows_of_corpus(rows[corpus.path], relations, source, config.data.limit)
        if processor is not None:
            splits = keep_readable(splits, processor, dict.fromkeys(splits, corpus.path), corpus.on_error, report)
        of_corpora.append(splits)
    if not of_corpora:
        return DatasetDict()
    return DatasetDict({name: concatenate_datasets([splits[name] for splits in of_corpora]) for name in of_corpora[0]})


def _refuse_object_tails(inputs: RunInputs) -> None:
    if has_object_tails(inputs.splits["train"].column_names):
        raise SettingsError("Leave corpora and annotation_styles out for data whose tails are objects, such as MORE.")
