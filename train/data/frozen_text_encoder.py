"""The text encoder as it is before training, by which phrases are ranked: a run and its evaluation share it."""

from functools import cache

import torch
from transformers import AutoModel, AutoTokenizer

from train.arguments import RunArguments
from vmhan import VMHANForRelationExtraction, VMHANProcessor
from vmhan.node_selection import Encoder
from vmhan.text_similarity import MeanPooledEncoder


def frozen_text_encoder(training: RunArguments) -> Encoder:
    """Builds an encoder of texts that is loaded when it is first called.

    Without a `text_model` it is that of the checkpoint.
    """

    @cache
    def load() -> Encoder:
        if training.text_model:
            return _pretrained_encoder(training.text_model, training.device, training.max_length)
        model = VMHANForRelationExtraction.from_pretrained(training.checkpoint).vmhan.text_model
        tokenizer = VMHANProcessor.from_pretrained(training.checkpoint).tokenizer
        return cache_texts(MeanPooledEncoder(model.to(training.device), tokenizer, training.max_length))

    return lambda texts: load()(texts)


@cache  # the runs of a comparison encode the same texts
def _pretrained_encoder(text_model: str, device: torch.device, max_length: int) -> Encoder:
    model = AutoModel.from_pretrained(text_model).to(device)
    return cache_texts(MeanPooledEncoder(model, AutoTokenizer.from_pretrained(text_model), max_length))


def cache_texts(encode: Encoder) -> Encoder:
    """Wraps an encoder so that each text is encoded once: a sentence comes again with its other pairs."""
    states: dict[str, torch.Tensor] = {}

    def encode_new(texts: list[str]) -> torch.Tensor:
        if new := [text for text in dict.fromkeys(texts) if text not in states]:
            states.update(zip(new, encode(new), strict=True))
        return torch.stack([states[text] for text in texts])

    return encode_new
