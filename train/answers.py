"""Answers of a finished model to the pairs of a split in both modes, and columns of doubt."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from datasets import Dataset
from torch.utils.data import DataLoader
from tqdm.auto import tqdm

from train.data.collator import PairCollator
from train.data.directions import evaluation_rows
from train.settings_parser import SettingsError
from vmhan.configuration_vmhan import DIRECTION_GIVEN, DIRECTION_UNKNOWN
from vmhan.data.schema import is_symmetric, no_relation_of, sentence_key
from vmhan.evaluation.metrics import WRONG_DIRECTION, relation_metrics
from vmhan.evaluation.mode_logits import ModeLogits, found_labels
from vmhan.evaluation.uncertainty import Answers
from vmhan.temperature import calibrated_scores


def chosen_style(config: Any, chosen: str | None) -> str | None:
    """Finds the annotation style in which a model answers: the chosen one, else its default; None if it has none.

    Raises:
        SettingsError: The model does not know the chosen one.
    """
    try:
        index = config.find_annotation_style(chosen)
    except ValueError as error:
        raise SettingsError(str(error)) from error
    return config.annotation_styles[index] if config.annotation_styles else None


class ScoredAnswers(NamedTuple):
    """Answers to the pairs of a split in one mode, and their `metrics`: micro F1 and what goes with it."""

    answers: Answers
    metrics: dict[str, float]


def answer_split(
    model: Any,
    collator: PairCollator,
    dataset: Dataset,
    batch_size: int,
    doubts: Sequence[str] = (),
    annotation_style: str | None = None,
) -> dict[str, ScoredAnswers]:
    """Computes the answers of a model, once with the direction of the pairs unknown and once with it given.

    Args:
        model: Of the relations of the split.
        collator: Builds its batches.
        dataset: The split.
        batch_size: Pairs in a batch.
        doubts: Outputs of the model, (pairs,), that rise with doubt.
        annotation_style: One that the model knows, in place of that of the rows.

    Raises:
        SettingsError: The model has no such output.
        ValueError: It does not know the style.
    """
    rows, relations = evaluation_rows(dataset), dataset.features["relation"]
    style = None if annotation_style is None else model.config.find_annotation_style(annotation_style)
    logits, columns = _predict(model, collator, rows.rows, batch_size, doubts, style)
    none_id = _none_id(dataset)
    modes = ModeLogits.choose_direction(*rows.split(logits), none_id)
    of_modes = {name: rows.split(column) for name, column in columns.items()}
    given, annotated, reverse = ({name: of[mode] for name, of in of_modes.items()} for mode in range(3))
    chosen = {name: np.where(modes.turned, reverse[name], annotated[name]) for name in columns}
    found = found_labels(modes.chosen.argmax(axis=-1), modes.turned, none_id, is_symmetric(relations.names))
    judge = partial(_score_answers, dataset, model.config, style)
    return {
        DIRECTION_UNKNOWN: judge(modes.chosen, found, chosen, direction_given=False),
        DIRECTION_GIVEN: judge(modes.given, modes.given.argmax(axis=-1), given, direction_given=True),
    }


def _none_id(dataset: Dataset) -> int:
    relations = dataset.features["relation"]
    return relations.str2int(no_relation_of(relations))


def _score_answers(
    dataset: Dataset,
    config: Any,
    style: int | None,
    logits: np.ndarray,
    found: np.ndarray,
    doubts: Mapping[str, np.ndarray],
    direction_given: bool,
) -> ScoredAnswers:
    relations, labels = dataset.features["relation"], np.array(dataset["relation"])
    scores = calibrated_scores(torch.from_numpy(logits), direction_given, config, style).double().numpy()
    keys = [sentence_key(row) for row in dataset.select_columns(["words", "image_id"]).to_list()]
    numbers = {key: number for number, key in enumerate(dict.fromkeys(keys))}
    return ScoredAnswers(
        Answers(
            scores=scores,
            right=found == labels,
            named=logits.argmax(axis=-1) != _none_id(dataset),
            sentence=np.array([numbers[key] for key in keys]),
            doubts=doubts,
        ),
        relation_metrics(found, labels, [*relations.names, WRONG_DIRECTION], no_relation_of(relations)),
    )


@torch.inference_mode()
def _predict(
    model: Any,
    collator: PairCollator,
    rows: Dataset,
    batch_size: int,
    doubts: Sequence[str],
    style: int | None,
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Computes logits (rows, labels), and each doubt (rows,), of all pairs in one annotation style."""
    model.eval()
    names, parts = ("logits", *doubts), []
    for batch in tqdm(DataLoader(rows, batch_size, collate_fn=collator), desc="Predicting"):
        batch = batch.to(model.device)
        if style is not None:
            batch["annotation_style"] = torch.full_like(batch["pair_sentence"], style)  # (pairs,)
        output = model(**batch)
        if missing := [name for name in names if output.get(name) is None]:
            raise SettingsError(f"The model has no output {', '.join(missing)}; name others with --doubts.")
        parts.append({name: output[name].float().cpu().numpy() for name in names})
    columns = {name: np.concatenate([part[name] for part in parts]) for name in names}
    return columns.pop("logits"), columns
