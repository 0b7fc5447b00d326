"""Further corpora beside the main one: their settings, what each teaches of a pair, and their rows.

Corpora disagree in habit. Each marks some labels and leaves out others, so its "no relation" means none of the labels
that it annotates; and what one marks as peers is nothing to another, so a pair is learned in the style of its corpus.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import numpy as np
from datasets import ClassLabel, Dataset, DatasetDict, Features, List, Value, concatenate_datasets

from train.data.templated import TEMPLATES, templated_rows
from train.settings_parser import SettingsError
from vmhan.data.corpora import load_corpus
from vmhan.data.pair_mentions import kinds_of_relation
from vmhan.data.parsing import BadLine, report_bad_lines
from vmhan.data.schema import SPAN, add_mentions, no_relation_of, relation_feature

#: The path of a corpus that is the training pairs of the main one once more, in another style.
MAIN = "main"
#: Column of the rows: index into the sources of a run.
SOURCE = "source"
#: In place of a relation's id: the row is a sentence whose entities are to be found, and has no pair.
NO_PAIR = -1


@dataclass(frozen=True)
class Corpus:
    """A further corpus of relations, as `corpora` of the settings lists it.

    Args:
        path: JSON lines in MNRE's form, `"main"`, the training pairs of the main corpus once more, or `"templates"`,
            sentences from our own templates.
        weight: Share of its rows that an epoch draws, anew each time; above 1 they come back.
        loss_weight: Weight of each of its pairs in the loss.
        licence: Terms of the source, for result file and card.
        annotation_style: One of the model's; by default its first.
        annotates: Labels that its annotators mark; by default those that occur.
        candidates: For a label that its annotators give to others as well, all that the gold one may be.
        on_error: `"raise"` stops at its first bad line, `"skip"` leaves bad lines out, counted and logged.
        sentences: How many are made of the templates.
    """

    path: str
    weight: float = 1.0
    loss_weight: float = 1.0
    licence: str | None = None
    annotation_style: str | None = None
    annotates: Sequence[str] | None = None
    candidates: dict[str, list[str]] = field(default_factory=dict)
    on_error: str = "raise"
    sentences: int = 6000

    @property
    def name(self) -> str:
        """The file's name without endings."""
        return Path(self.path).name.split(".")[0]

    @classmethod
    def read(cls, settings: dict[str, Any]) -> "Corpus":
        """Reads an entry of the settings.

        Raises:
            SettingsError: It has an unknown field, or a value that does not fit.
        """
        known = [f.name for f in fields(cls)]
        if unknown := sorted(set(settings) - set(known)):
            raise SettingsError(f"An entry of corpora has {', '.join(unknown)}; it may have {', '.join(known)}.")
        if not settings.get("path"):
            raise SettingsError(f'An entry of corpora has no path: {settings}. Name its file, or "{MAIN}".')
        corpus = cls(**settings)
        if not (corpus.weight > 0 and corpus.loss_weight > 0):
            raise SettingsError(f"The corpus {corpus.path} has a weight that is not above 0; leave it out instead.")
        if corpus.sentences < 1:
            raise SettingsError(f"The corpus {corpus.path} has sentences {corpus.sentences}; set it above 0.")
        if corpus.on_error not in ("raise", "skip"):
            raise SettingsError(f'The corpus {corpus.path} has on_error {corpus.on_error!r}; set "raise" or "skip".')
        return corpus


@dataclass(frozen=True)
class Source:
    """A source of training rows, and what it teaches.

    Args:
        name: Of the corpus.
        weight: As in `Corpus`.
        loss_weight: As in `Corpus`.
        style: Index into the model's annotation styles, None where it has none.
        candidates: (labels, labels), True where a pair with the label of the row may have the label of the column;
            None for a corpus of mentions, which has no pairs.
        kinds: Index into the model's kinds of entities of head and tail, (labels, 2), -100 where the label does not
            tell; None where the model knows no kinds.
        annotated: True for the labels that the annotators mark, (labels,); None likewise.
        unannotated: Kinds of entities that a corpus of mentions does not mark.
    """

    name: str
    weight: float = 1.0
    loss_weight: float = 1.0
    style: int | None = None
    candidates: np.ndarray | None = None
    annotated: np.ndarray | None = None
    kinds: np.ndarray | None = None
    unannotated: tuple[str, ...] = ()


def candidate_labels(
    names: Sequence[str], no_relation: str, annotated: np.ndarray, further: dict[str, list[str]] | None = None
) -> np.ndarray:
    """Computes which labels a pair may have that a corpus gives a label.

    Args:
        names: All labels.
        no_relation: The negative one.
        annotated: True for those that the corpus marks, (labels,).
        further: As `Corpus.candidates`.

    Returns:
        (labels, labels), bool: the label that is given, and the ones it may be. The negative one may be any that the
        corpus does not mark.

    Raises:
        SettingsError: A label of `further` is not known.
    """
    candidates = np.eye(len(names), dtype=bool)
    candidates[names.index(no_relation)] = ~annotated
    for given, options in (further or {}).items():
        if unknown := {given, *options} - set(names):
            raise SettingsError(f"candidates name {', '.join(sorted(unknown))}, which is no label of the data.")
        candidates[names.index(given), [names.index(option) for option in options]] = True
    return candidates


def kind_labels(names: Sequence[str], mention_kinds: Sequence[str]) -> np.ndarray:
    """Computes the kinds of head and tail that the name of each label tells, (labels, 2), -100 where it does not."""
    index = {kind: number for number, kind in enumerate(mention_kinds)}
    return np.array([[index.get(kind, -100) for kind in kinds_of_relation(name)] for name in names])


def read_corpora(corpora: Sequence[Corpus], report: Path | None = None) -> dict[str, dict[str, list[dict]]]:
    """Reads the rows of corpora by path and split; those of the main corpus are read elsewhere.

    Args:
        corpora: As in the settings.
        report: Gets the lines that are left out.

    Raises:
        SettingsError: A file is missing.
        BadLine: A line is broken, and the corpus does not skip such lines.
    """
    bad_lines: list[BadLine] = []
    rows = {}
    for corpus in corpora:
        if corpus.path == MAIN:
            continue
        if corpus.path == TEMPLATES:
            rows[corpus.path] = {"train": templated_rows(corpus.sentences), "validation": [], "test": []}
            continue
        try:
            rows[corpus.path] = load_corpus(corpus.path, bad_lines if corpus.on_error == "skip" else None)
        except FileNotFoundError as error:
            raise SettingsError(str(error)) from error
    if bad_lines:
        report_bad_lines(bad_lines, report)
    return rows


def all_labels(relations: ClassLabel, rows: dict[str, dict[str, list[dict]]]) -> ClassLabel:
    """Adds the labels that only further corpora have to those of the main one, sorted, after them."""
    none = no_relation_of(relations)
    found = {row["relation"] for of_corpus in rows.values() for split in of_corpus.values() for row in split}
    return relation_feature([*relations.names, *sorted(found - set(relations.names))], none)


def build_sources(
    corpora: Sequence[Corpus],
    rows: dict[str, dict[str, list[dict]]],
    relations: ClassLabel,
    styles: Sequence[str],
    main: Corpus,
    main_labels: Collection[str],
    mention_kinds: Sequence[str] = (),
) -> list[Source]:
    """Builds the sources of a run, the main corpus first.

    Args:
        corpora: As in the settings.
        rows: As `read_corpora` reads them.
        relations: All labels.
        styles: The model's annotation styles.
        main: The main corpus.
        main_labels: Those of the main corpus.
        mention_kinds: The model's kinds of entities.

    Raises:
        SettingsError: A style or label is not known.
    """
    names, no_relation = relations.names, no_relation_of(relations)
    kinds = kind_labels(names, mention_kinds) if mention_kinds else None
    sources = []
    for corpus in (main, *corpora):
        occurring = main_labels if corpus.path == MAIN else {row["relation"] for row in rows[corpus.path]["train"]}
        marked = set(corpus.annotates or occurring) - {no_relation}
        annotated = np.isin(names, list(marked))  # (labels,)
        candidates = candidate_labels(names, no_relation, annotated, corpus.candidates)
        style = _style(corpus.annotation_style, styles)
        sources.append(Source(corpus.name, corpus.weight, corpus.loss_weight, style, candidates, annotated, kinds))
    return sources


def rows_of_corpus(
    rows: dict[str, list[dict]], relations: ClassLabel, source: int, limit: int | None = None
) -> DatasetDict:
    """Builds the rows of a further corpus by split.

    Args:
        rows: As `load_corpus` reads them.
        relations: All labels.
        source: Its index among the sources of a run.
        limit: Rows of each split.
    """
    return DatasetDict({name: _dataset(of_split[:limit], relations, source) for name, of_split in rows.items()})


def in_other_styles(main: Dataset, corpora: Sequence[Corpus]) -> Dataset:
    """Adds to the main corpus's training rows, with their `source`, those of its other styles."""
    sources = [0, *(source for source, corpus in enumerate(corpora, start=1) if corpus.path == MAIN)]
    return concatenate_datasets([_with_source(main, source) for source in sources])


def _dataset(rows: list[dict], relations: ClassLabel, source: int) -> Dataset:
    rows = [{**row, "image_id": ""} for row in rows]
    add_mentions(rows)
    types = {
        **{"line": Value("int32"), "words": List(Value("string")), "mentions": List(SPAN)},
        **{"head_span": SPAN, "tail_span": SPAN, "relation": relations, "image_id": Value("string")},
    }
    columns = {name: [row[name] for row in rows] for name in types}  # also where there is no row
    return _with_source(Dataset.from_dict(columns, features=Features(types)), source)


def _with_source(rows: Dataset, source: int) -> Dataset:
    return rows.add_column(SOURCE, [source] * len(rows), feature=Value("int32"))


def _style(name: str | None, styles: Sequence[str]) -> int | None:
    if name is None:
        return 0 if styles else None
    if name not in styles:
        known = ", ".join(styles) or "none"
        raise SettingsError(f"annotation_style {name!r} is not among the model's annotation_styles: {known}.")
    return list(styles).index(name)
