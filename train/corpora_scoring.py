"""Scores on the held-out documents and sentences of further corpora."""

from collections.abc import Sequence

import numpy as np
from datasets import Dataset

from train.data.corpora import MAIN, SOURCE, Source
from train.data.mention_corpora import MentionCorpus, mentions_of_split
from train.data.run_inputs import RunInputs
from train.scoring import predict_split
from train.trainer import PairTrainer
from vmhan import VMHANForRelationExtraction, VMHANProcessor
from vmhan.data.ner import NER_CORPORA
from vmhan.data.schema import is_symmetric, no_relation_of
from vmhan.evaluation.mention_scores import MentionScores, character_mentions, score_mentions
from vmhan.evaluation.mode_logits import ModeLogits
from vmhan.evaluation.partial_labels import partial_label_metrics
from vmhan.mention_finder import find_mentions

#: The key of the scores of all corpora together.
TOGETHER = "together"


def score_corpora(trainer: PairTrainer, rows: Dataset, sources: Sequence[Source], split: str) -> dict[str, dict]:
    """Scores the held-out pairs of each further corpus, and of all together.

    Args:
        trainer: Holds the model.
        rows: The pairs of a split, with their `source`.
        sources: The corpora.
        split: The split's name.
    """
    relations = rows.features["relation"]
    logits = predict_split(trainer, rows, relations.names, split)
    source_of_row, labels = np.array(rows[SOURCE]), np.array(rows["relation"])
    marked = np.stack([_annotated(source, len(relations.names)) for source in sources])  # (sources, labels)
    groups = {sources[index].name: source_of_row == index for index in sorted(set(source_of_row.tolist()))}
    groups[TOGETHER] = np.ones(len(rows), dtype=bool)
    return {
        name: partial_label_metrics(
            ModeLogits(*(part[kept] if part is not None else None for part in logits)),
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


def _annotated(source: Source, labels: int) -> np.ndarray:
    return np.zeros(labels, dtype=bool) if source.annotated is None else source.annotated


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
