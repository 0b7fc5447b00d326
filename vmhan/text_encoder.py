"""Text encoders and their tokenizers by name, and the entity markers that are added to both."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from transformers import AutoConfig, AutoModel, AutoTokenizer, PreTrainedConfig, PreTrainedModel

from .configuration_vmhan import VMHANConfig
from .network import hub_settings
from .node_selection import Span

#: Opening and closing tokens: of every mention, or of head and of tail.
MARKERS = {"none": (), "shared": ("[E]", "[/E]"), "pair": ("[H]", "[/H]", "[T]", "[/T]")}
#: Tokens whose embeddings the markers start from.
MARKERS_LIKE = {"[E]": "[", "[/E]": "]", "[H]": "[", "[/H]": "]", "[T]": "<", "[/T]": ">"}

#: Model types whose first position comes after that of the padding token.
_POSITIONS_AFTER_PADDING = ("roberta", "xlm-roberta", "xlm-roberta-xl", "camembert", "longformer")
_NAME_ONE = "Name the Hub id or the folder of a text encoder, such as bert-base-uncased"


class MarkedWordpieces(NamedTuple):
    """Wordpieces of a sentence with entity markers.

    Args:
        ids: The wordpieces, markers included.
        spans: [start, end) of the mentions among `ids`, without their own markers: the opening one is right before.
        indices: Index in `ids` of each wordpiece of the sentence without markers.
    """

    ids: list[int]
    spans: list[Span]
    indices: list[int]

    def move(self, span: Span) -> Span:
        """Moves [start, end) wordpieces of the sentence without markers to where they are now."""
        return self.indices[span[0]], self.indices[span[1] - 1] + 1


def load_text_encoder(name_or_path: str) -> PreTrainedModel:
    """Loads a pretrained text encoder in single precision.

    Args:
        name_or_path: Hub id or folder.

    Raises:
        OSError: It is unavailable.
        ValueError: The name is that of something else.
    """
    config = _text_config(name_or_path)
    try:
        return AutoModel.from_pretrained(
            name_or_path, config=config, dtype=torch.float32, **hub_settings(name_or_path)
        )
    except OSError as error:
        raise OSError(f'The text encoder "{name_or_path}" has no weights to load: {error}') from error


def load_text_tokenizer(name_or_path: str):
    """Loads the tokenizer of a pretrained text encoder, with the encoder's limit of tokens.

    Args:
        name_or_path: Hub id or folder of the encoder, or a folder with the tokenizer alone.

    Raises:
        OSError: It is unavailable.
        ValueError: The name is that of something else.
    """
    folder = Path(name_or_path)
    alone = any(folder.glob("tokenizer*")) and not (folder / "config.json").is_file()
    config = None if alone else _text_config(name_or_path)
    tokenizer = AutoTokenizer.from_pretrained(name_or_path, **hub_settings(name_or_path))
    if len(tokenizer) <= len(tokenizer.all_special_tokens):  # transformers invents one for a folder without its files
        raise ValueError(
            f'"{name_or_path}" has no tokenizer; put its files (tokenizer.json, tokenizer_config.json) there, '
            "which came with the text encoder."
        )
    if config is not None and (positions := _positions(config)):
        tokenizer.model_max_length = min(tokenizer.model_max_length, positions)
    return tokenizer


def load_marked_tokenizer(name_or_path: str, entity_markers: str):
    """Loads the tokenizer of a text encoder and adds entity markers to it.

    Returns:
        The tokenizer, and the markers that it lacked, each with the token whose embedding it starts from.

    Raises:
        OSError: There is no tokenizer.
    """
    try:
        tokenizer = AutoTokenizer.from_pretrained(name_or_path, **hub_settings(name_or_path))
    except (OSError, ValueError) as error:
        raise OSError(f"{name_or_path} brings no tokenizer along ({error})") from error
    vocabulary = tokenizer.get_vocab()
    markers = add_markers(tokenizer, entity_markers)
    if not vocabulary.keys() >= set(markers.values()):  # transformers invents one where a folder holds none
        raise OSError(f"{name_or_path} brings no tokenizer along")
    return tokenizer, markers


def add_markers(tokenizer, entity_markers: str) -> dict[str, str]:
    """Adds the entity markers to a tokenizer; returns those that it lacked, each with the token it starts from."""
    known = tokenizer.get_vocab()
    tokenizer.add_tokens(list(MARKERS[entity_markers]), special_tokens=True)
    return {marker: MARKERS_LIKE[marker] for marker in MARKERS[entity_markers] if marker not in known}


def insert_markers(ids: list[int], spans: list[Span], markers: list[Sequence[int]]) -> MarkedWordpieces:
    """Inserts an opening and a closing token around each span, which may nest or cross.

    Args:
        ids: Wordpieces of a sentence.
        spans: [start, end) of the mentions among `ids`.
        markers: Opening and closing token of each span.
    """
    marked, starts, ends, indices = [], {}, {}, []
    for index in range(len(ids) + 1):
        # of spans that end here the inner closes first, of those that start here the outer opens first
        for i in sorted((i for i, span in enumerate(spans) if span[1] == index), key=lambda i: -spans[i][0]):
            ends[i] = len(marked)
            marked.append(markers[i][1])
        for i in sorted((i for i, span in enumerate(spans) if span[0] == index), key=lambda i: -spans[i][1]):
            marked.append(markers[i][0])
            starts[i] = len(marked)
        indices.append(len(marked))
        marked += ids[index : index + 1]
    return MarkedWordpieces(marked, [(starts[i], ends[i]) for i in range(len(spans))], indices[: len(ids)])


def _positions(config: PreTrainedConfig) -> int | None:
    """Returns how many tokens an encoder has positions for; None where its config says nothing of it."""
    positions = getattr(config, "max_position_embeddings", None)
    if positions and config.model_type in _POSITIONS_AFTER_PADDING:
        return positions - config.pad_token_id - 1
    return positions


def _text_config(name_or_path: str) -> PreTrainedConfig:
    """Loads the config of a text encoder; raises a ValueError for what is none."""
    try:
        config = AutoConfig.from_pretrained(name_or_path, **hub_settings(name_or_path))
    except ValueError as error:
        why = _reason(name_or_path, error)
        raise ValueError(f'"{name_or_path}" is no text encoder: {why}. {_NAME_ONE}.') from error
    except OSError as error:
        raise OSError(
            f'The text encoder "{name_or_path}" is no folder with a config.json and not found on the Hub ({error}). '
            "Check the name, or download it where there is a network."
        ) from error
    if config.model_type == VMHANConfig.model_type:
        raise ValueError(
            f'"{name_or_path}" is a finished VM-HAN, no text encoder. To use it or to train it on in Python, load it '
            "with VMHANForRelationExtraction.from_pretrained; train/run.py evaluates it with --checkpoint, and cannot "
            f"yet start a training from one. {_NAME_ONE}, for a new model."
        )
    if getattr(config, "vocab_size", None) is None:
        raise ValueError(f'"{name_or_path}" is a {config.model_type}, which reads no text alone. {_NAME_ONE}.')
    if config.is_encoder_decoder:
        raise ValueError(f'"{name_or_path}" is a {config.model_type}, an encoder with a decoder. {_NAME_ONE}.')
    return config


def _reason(name_or_path: str, error: ValueError) -> str:
    folder = Path(name_or_path)
    if folder.is_dir() and not (folder / "config.json").is_file():
        return "the folder has no config.json"
    return str(error).splitlines()[0].rstrip(".")


__all__ = [
    "MARKERS",
    "MARKERS_LIKE",
    "MarkedWordpieces",
    "add_markers",
    "insert_markers",
    "load_marked_tokenizer",
    "load_text_encoder",
    "load_text_tokenizer",
]
