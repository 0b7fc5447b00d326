"""The model card: front matter by `huggingface_hub`; text and tables are those of `card_sections`.

What a file knows is read from it: relations and settings from `config.json`, size and precision from the weights,
numbers, data, command and versions from the result file. Licence and language are those of a card in the folder, where
there is one.
"""

import shlex
from collections.abc import Sequence
from pathlib import Path

import yaml
from huggingface_hub import EvalResult, ModelCard, ModelCardData

from vmhan.evaluation.result_file import Result
from vmhan.evaluation.tables import COLUMNS, score

from .card_sections import EXAMPLE, CardFacts, card_text
from .code_files import ROOT, project_licence
from .connection import HubError
from .contents import CARD, CONFIG, read_json
from .data_source import DataSource, find_source
from .results import PRIVATE

TASK_TYPE = "relation-extraction"


def make_card(
    folder: Path,
    name: str,
    result: Result | None = None,
    compare: Sequence[Result] = (),
    base_model: str | None = None,
    licence: str | None = None,
    dataset_name: str | None = None,
    dataset_url: str | None = None,
) -> ModelCard:
    """Builds the card of the model in `folder` for the repository `name`.

    Args:
        folder: A saved model.
        name: `user/name`.
        result: The result file of this very model, or None.
        compare: Result files for the table of comparison.
        base_model: Hub id of the text encoder; by default that of the folder's card, or of the run's settings.
        licence: By default that of the folder's card, or the project's.
        dataset_name, dataset_url: Name and address of the data; by default found by checksums or on the Hub.

    Raises:
        HubError: `result` is of a model with other settings, or the data's name or address is none.
    """
    config = read_json(folder / CONFIG)
    source = find_source(result["data"] if result else None, dataset_name, dataset_url)
    if result:
        _check_same_model(config, result)
    own = ModelCard.load(folder / CARD).data.to_dict() if (folder / CARD).is_file() else {}
    facts = CardFacts(
        folder=folder,
        name=name,
        config=config,
        result=result,
        compare=compare,
        source=source,
        base_model=base_model or own.get("base_model") or _base_model(result),
        licence=licence or own.get("license") or project_licence(),
    )
    data = ModelCardData(
        model_name=facts.title,
        language=own.get("language") or ("en" if source and source.known else None),
        license=facts.licence,
        library_name="transformers",
        base_model=facts.base_model,
        datasets=_public_datasets(result),
        tags=[TASK_TYPE, "multimodal", "hypergraph", "vmhan"],
        widget=None if facts.has_object_tails else [{"example_title": "Two coaches and a club", **EXAMPLE}],
        eval_results=_eval_results(result, source) if result and source else None,
    )
    return ModelCard(f"---\n{data.to_yaml()}\n---\n\n{card_text(facts)}\n", ignore_metadata_errors=False)


def _check_same_model(config: dict, result: Result) -> None:
    """Numbers of another model must not get onto this one's card."""
    measured = result["config"]["model"]
    for name in sorted(measured.keys() & config.keys()):
        if measured[name] != config[name]:
            raise HubError(
                f"The result is of a model with {name} {measured[name]!r}, this one has {config[name]!r}; "
                "give --result the file that training wrote for this model."
            )


def _base_model(result: Result | None) -> str | None:
    """The Hub id of the text encoder, from the settings file that the run's command names.

    The run itself may have read a copy of it from a folder, whose name is then the last part of the id.
    """
    arguments = shlex.split(result["command"])[2:] if result else []
    settings = next((ROOT / argument for argument in arguments if argument.endswith(".yaml")), None)
    if result is None or settings is None or not settings.is_file():
        return None
    named = _text_model_of(settings)
    if named is None or named.count("/") != 1:
        return None
    read = result["config"]["training"].get("text_model") or named
    return named if Path(read).name == named.split("/")[1] else None


def _text_model_of(settings: Path) -> str | None:
    """The text encoder that a settings file names, or the one it extends."""
    sections = yaml.safe_load(settings.read_text(encoding="utf-8"))
    named, base = (sections.get("training") or {}).get("text_model"), sections.get("extends")
    return named or (_text_model_of(settings.parent / base) if base else None)


def _eval_results(result: Result, source: DataSource) -> list[EvalResult]:
    """Test first, and of a split first the mode that users get."""
    without = f" (micro, without {result['config']['model']['no_relation']})"
    measured = [
        (split, column, value)
        for split in sorted(result["metrics"], key=lambda split: split != "test")
        for column in COLUMNS
        if (value := score(result, split, *column)) is not None
    ]
    return [
        EvalResult(
            task_type=TASK_TYPE,
            task_name="Multi-modal relation extraction",
            dataset_type=source.type,
            dataset_name=source.name,
            dataset_split=split,
            dataset_args={"protocol": result["protocol"], "visual_setting": result["visual_setting"]},
            metric_type=column.metric,
            metric_name=f"{split} {column.title}{without if column.metric == 'f1' else ''}",
            metric_value=round(value, 4),
        )
        for split, column, value in measured
    ]


def _public_datasets(result: Result | None) -> list[str] | None:
    name = result["data"].get("dataset", PRIVATE) if result else PRIVATE
    return None if name == PRIVATE else [name]
