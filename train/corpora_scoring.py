"""Scores on the held-out documents and sentences of further corpora."""

from collections.abc import Sequence

import numpy as np
from datasets import Dataset

from train.data.corpora import MAIN, SOURCE, Source
from train.data.mention_corpora import MentionCorpus, mentions_of_split
from train.data.run_inputs import RunInputs
from train.scoring import fit_mode_temperatures, predict_split
from train.trainer import PairTrainer
from vmhan import VMHANConfig, VMHANForRelationExtraction, VMHANProcessor
from vmhan.data.ner import NER_CORPORA
from vmhan.data.schema import is_symmetric, no_relation_of
from vmhan.evaluation.mention_scores import MentionScores, character_mentions, score_mentions
from vmhan.evaluation.mode_logits import ModeLogits
from vmhan.evaluation.partial_labels import TOGETHER, partial_label_metrics
from vmhan.mention_finder import find_mentions


def predict_further(trainer: PairTrainer, inputs: RunInputs, split: str) -> ModeLogits | None:
    """Computes the logits of a split of the further corpora in both modes; None without any."""
    if split not in inputs.further:
        return None
    return predict_split(trainer, inputs.further[split], inputs.label_names, split)


def fit_style_temperatures(
    logits: ModeLogits, rows: Dataset, further: ModeLogits | None, inputs: RunInputs, config: VMHANConfig
) -> dict:
    """Fits the `temperatures` of a config on validation, for each annotation style if it has any.

    Args:
        logits, rows: Of the main corpus, which is in one style.
        further: Logits of the further corpora, for the other styles.
        inputs: Have the rows of these, and the sources.
        config: The model's.
    """
    if not config.annotation_styles:
        return fit_mode_temperatures(logits, rows)
    main_style = config.annotation_styles[inputs.sources[0].style or 0]
    temperatures = {main_style: fit_mode_temperatures(logits, rows)}
    if further is None:
        return temperatures
    of_further = inputs.further["validation"]
    source_of_row = np.array(of_further[SOURCE])
    marked, styles = _marked_labels(inputs.sources), np.array([source.style or 0 for source in inputs.sources])
    for index, name in enumerate(config.annotation_styles):
        kept = np.flatnonzero(styles[source_of_row] == index)
        if name != main_style and len(kept):
            of_style, annotated = _select(further, kept), marked[source_of_row[kept]]
            temperatures[name] = fit_mode_temperatures(of_style, of_further.select(kept), annotated)
    return temperatures


def score_corpora(logits: ModeLogits, rows: Dataset, sources: Sequence[Source]) -> dict[str, dict]:
    """Scores the held-out pairs of each further corpus, and of all together.

    Args:
        logits: Of the pairs.
        rows: The pairs of a split, with their `source`.
        sources: The corpora.
    """
    relations = rows.features["relation"]
    source_of_row, labels = np.array(rows[SOURCE]), np.array(rows["relation"])
    marked = _marked_labels(sources)  # (sources, labels)
    groups = {sources[index].name: source_of_row == index for index in sorted(set(source_of_row.tolist()))}
    groups[TOGETHER] = np.ones(len(rows), dtype=bool)
    return {
        name: partial_label_metrics(
            _select(logits, kept),
            labels[kept],
            marked[source_of_row[kept]],
            relations.names,
            no_relation_of(relations),
            is_symmetric(relations.names),
        )
        for name, kept in groups.items()
    }


def score_mention_corpora(
    corpora: Sequence[MentionCorpus],
    inputs: RunInputs,
    model: VMHANForRelationExtraction,
    processor: VMHANProcessor,
    split: str,
) -> dict[str, dict[str, float]]:
    """Scores the entities that the model finds in each corpus that has such a split.

    Of the main corpus, where only the entities of pairs are marked, this is the recall of their spans.
    """
    scores = {}
    for corpus in corpora:
        rows = mentions_of_split(corpus, inputs, split)
        if corpus.name == MAIN:
            scores[MAIN] = {"recall": _score(rows, model, processor).recall}
        elif rows:
            kinds = set(NER_CORPORA[corpus.name].kinds.values())
            found, lower = _score(rows, model, processor, kinds), _score(_lower(rows), model, processor, kinds)
            scores[corpus.name] = {
                **{"precision": found.precision, "recall": found.recall, "f1": found.f1},
                "f1_lower_case": lower.f1,
            }
    return scores


def _lower(rows: list[dict]) -> list[dict]:
    return [{**row, "words": [word.lower() for word in row["words"]]} for row in rows]


def _marked_labels(sources: Sequence[Source]) -> np.ndarray:
    """Stacks which labels the corpora annotate, (sources, labels); none where there are no pairs."""
    labels = len(sources[0].candidates)
    return np.stack([np.zeros(labels, bool) if s.annotated is None else s.annotated for s in sources])


def _select(logits: ModeLogits, rows: np.ndarray) -> ModeLogits:
    return ModeLogits(*(part if part is None else part[rows] for part in logits))


def _score(
    rows: list[dict],
    model: VMHANForRelationExtraction,
    processor: VMHANProcessor,
    kinds: set[str] | None = None,
) -> MentionScores:
    """Scores the entities found in rows as `load_ner` reads them; without kinds the spans alone."""
    texts = [" ".join(row["words"]) for row in rows]
    gold = [character_mentions(row["words"], row["mentions"]) for row in rows]
    found = find_mentions(texts, model, processor)
    return score_mentions(texts, found, gold, typed=kinds is not None, kinds=kinds)
