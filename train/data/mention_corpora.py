"""Corpora of named entities beside the main corpus: their settings, and the sentences that the mention head learns."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from datasets import Dataset, Features, List, Value

from train.arguments import RunConfig
from train.data.corpora import MAIN, NO_PAIR, SOURCE, Source
from train.data.run_inputs import RunInputs
from train.settings_parser import SettingsError
from vmhan.data.images import checksums_of
from vmhan.data.ner import NER_CORPORA, load_ner, ner_file
from vmhan.data.pair_mentions import mentions_of_pairs
from vmhan.data.schema import SPAN


@dataclass(frozen=True)
class MentionCorpus:
    """A corpus of named entities, as `mention_corpora` of the settings lists it.

    Args:
        path: Its folder, called as in `NER_CORPORA`; or `"main"`: the mentions of the main corpus's training pairs.
        weight: Share of its sentences that an epoch draws, anew each time; above 1 they come back.
        licence: Terms of the source, for result file and card.
        complete: Of `"main"`: whether words outside of all pairs, but handles, count as outside of mentions.
        unannotated: Kinds that its annotators do not mark; by default those that its types do not stand for.
        on_error: `"raise"` stops at its first bad line, `"skip"` leaves bad lines out, counted and logged.
    """

    path: str
    weight: float = 1.0
    licence: str | None = None
    complete: bool = False
    unannotated: Sequence[str] | None = None
    on_error: str = "raise"

    @property
    def name(self) -> str:
        """The name of its folder."""
        return Path(self.path).name

    @classmethod
    def read(cls, settings: dict[str, Any]) -> "MentionCorpus":
        """Reads an entry of the settings.

        Raises:
            SettingsError: It has an unknown field, or names no corpus that there is a reader for.
        """
        known = [f.name for f in fields(cls)]
        if unknown := sorted(set(settings) - set(known)):
            raise SettingsError(
                f"An entry of mention_corpora has {', '.join(unknown)}; it may have {', '.join(known)}."
            )
        corpus = cls(**{"path": "", **settings})
        if corpus.name not in (MAIN, *NER_CORPORA):
            raise SettingsError(f"The path {corpus.path!r} ends with none of {', '.join([MAIN, *NER_CORPORA])}.")
        if not corpus.weight > 0:
            raise SettingsError(f"The corpus {corpus.path} has a weight that is not above 0; leave it out instead.")
        return corpus

    def source(self) -> Source:
        """Builds its entry among the sources of a run."""
        unannotated = self.unannotated
        if unannotated is None:
            unannotated = () if self.name == MAIN else NER_CORPORA[self.name].unannotated
        return Source(f"mentions of {self.name}", self.weight, unannotated=tuple(unannotated))

    def load(self) -> dict[str, list[dict]]:
        """Reads the rows of each split that it has; the main corpus has been read.

        Raises:
            SettingsError: A file is missing.
            BadLine: A line is broken, and the corpus does not skip such lines.
        """
        splits = () if self.name == MAIN else NER_CORPORA[self.name].files
        try:
            return {split: load_ner(self.path, self.name, split, on_error=self.on_error) for split in splits}
        except FileNotFoundError as error:
            raise SettingsError(str(error)) from error


def read_mention_corpora(config: RunConfig) -> list[MentionCorpus]:
    """Reads the corpora of named entities of a run.

    Raises:
        SettingsError: The model would not learn from them, or it would learn from none.
    """
    corpora = [MentionCorpus.read(settings) for settings in config.data.mention_corpora]
    if corpora and not config.of_model.mention_kinds:
        raise SettingsError("mention_corpora teach the model to find entities; set its --mention_kinds.")
    return corpora


def mention_checksums(settings: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Computes the checksums of the files of the corpora in the settings."""
    corpora = [MentionCorpus.read(dict(of_corpus)) for of_corpus in settings]
    files = [
        ner_file(corpus.path, corpus.name, split)
        for corpus in corpora
        if corpus.name != MAIN
        for split in NER_CORPORA[corpus.name].files
    ]
    return checksums_of(files)


def mention_rows(
    corpora: Sequence[MentionCorpus], inputs: RunInputs, first_source: int, limit: int | None = None
) -> list[Dataset]:
    """Builds the training rows of each corpus, with `NO_PAIR` for a relation.

    Args:
        corpora: As in the settings.
        inputs: The rows of the main corpus, and the sources.
        first_source: Index of the first of the corpora among the sources.
        limit: Sentences of each.
    """
    datasets = []
    for source, corpus in enumerate(corpora, start=first_source):
        rows = mentions_of_split(corpus, inputs, "train")
        datasets.append(_dataset(rows[:limit], source, inputs))
    return datasets


def mentions_of_split(corpus: MentionCorpus, inputs: RunInputs, split: str) -> list[dict]:
    """Finds the rows of a corpus, as `load_ner` reads them; of the main one the mentions of its pairs, by sentence."""
    if corpus.name != MAIN:
        return inputs.mention_rows[corpus.name].get(split, [])
    rows = annotated = inputs.splits[split]
    if "direction_given" in rows.column_names:  # pairs turned round have another label
        annotated = rows.select([index for index, given in enumerate(rows["direction_given"]) if given])
    columns = annotated.select_columns(["words", "head_span", "tail_span", "relation"])
    return mentions_of_pairs(columns.to_list(), inputs.label_names, complete=corpus.complete)


def _dataset(rows: list[dict], source: int, inputs: RunInputs) -> Dataset:
    types = {
        **{"words": List(Value("string")), "mentions": List(SPAN), "unknown": List(SPAN), "image_id": Value("string")},
        **{"entity_kinds": List(Value("string")), "relation": inputs.splits["train"].features["relation"]},
        SOURCE: Value("int32"),
    }
    columns = {
        "words": [row["words"] for row in rows],
        "mentions": [[[start, end] for start, end, _ in row["mentions"]] for row in rows],
        "unknown": [[list(span) for span in row["unknown"]] for row in rows],
        "image_id": [""] * len(rows),
        "entity_kinds": [[kind for _, _, kind in row["mentions"]] for row in rows],
        "relation": [NO_PAIR] * len(rows),
        SOURCE: [source] * len(rows),
    }
    return Dataset.from_dict(columns, features=Features(types))
