"""Loads pretrained text encoders and their tokenizers, with the tokens that mark entities."""

from pathlib import Path

import torch
from transformers import AutoConfig, AutoModel, AutoTokenizer, PreTrainedConfig, PreTrainedModel

from .configuration_vmhan import VMHANConfig
from .network import hub_settings

#: Kinds whose first position comes after that of the padding token.
_POSITIONS_AFTER_PADDING = ("roberta", "xlm-roberta", "xlm-roberta-xl", "camembert", "longformer")
_NAME_ONE = "Name the Hub id or the folder of a text encoder, such as bert-base-uncased"


def load_text_encoder(name_or_path: str) -> PreTrainedModel:
    """A pretrained text encoder, in single precision.

    Raises:
        OSError: It is not there and cannot be fetched.
        ValueError: The name stands for something else.
    """
    config = _text_config(name_or_path)
    try:
        return AutoModel.from_pretrained(
            name_or_path, config=config, dtype=torch.float32, **hub_settings(name_or_path)
        )
    except OSError as error:
        raise OSError(f'The text encoder "{name_or_path}" has no weights to load: {error}') from error


def load_text_tokenizer(name_or_path: str):
    """The tokenizer of a pretrained text encoder, whose limit is that of the encoder, or of a folder with it alone.

    Raises:
        OSError: It is not there and cannot be fetched.
        ValueError: The name stands for something else.
    """
    folder = Path(name_or_path)
    alone = any(folder.glob("tokenizer*")) and not (folder / "config.json").is_file()
    config = None if alone else _text_config(name_or_path)
    tokenizer = AutoTokenizer.from_pretrained(name_or_path, **hub_settings(name_or_path))
    if len(tokenizer) <= len(tokenizer.all_special_tokens):  # what transformers makes of a folder without its files
        raise ValueError(
            f'"{name_or_path}" has no tokenizer; put its files (tokenizer.json, tokenizer_config.json) there, '
            "which came with the text encoder."
        )
    if config is not None and (positions := _positions(config)):
        tokenizer.model_max_length = min(tokenizer.model_max_length, positions)
    return tokenizer


def _positions(config: PreTrainedConfig) -> int | None:
    """The most tokens that an encoder has positions for; None where it says nothing of it."""
    positions = getattr(config, "max_position_embeddings", None)
    if positions and config.model_type in _POSITIONS_AFTER_PADDING:
        return positions - config.pad_token_id - 1
    return positions


def _text_config(name_or_path: str) -> PreTrainedConfig:
    """The config of a text encoder."""
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


#: Opening and closing tokens: of every mention, or of head and of tail.
MARKERS = {"none": (), "shared": ("[E]", "[/E]"), "pair": ("[H]", "[/H]", "[T]", "[/T]")}
#: Tokens whose embeddings the markers start from.
MARKERS_LIKE = {"[E]": "[", "[/E]": "]", "[H]": "[", "[/H]": "]", "[T]": "<", "[/T]": ">"}


def add_markers(tokenizer, entity_markers: str) -> dict[str, str]:
    """Adds the entity markers to a tokenizer; returns those that it lacked, each with the token it starts from."""
    known = tokenizer.get_vocab()
    tokenizer.add_tokens(list(MARKERS[entity_markers]), special_tokens=True)
    return {marker: MARKERS_LIKE[marker] for marker in MARKERS[entity_markers] if marker not in known}


__all__ = ["MARKERS", "MARKERS_LIKE", "add_markers", "load_text_encoder", "load_text_tokenizer"]
