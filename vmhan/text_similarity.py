"""Sentence vectors of the text encoder: the mean of the last states of the wordpieces."""

from collections.abc import Sequence

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

_BATCH = 64  # texts that pass the encoder together


class MeanPooledEncoder:
    """Encodes texts as vectors; callable, as `WordSelector` takes it.

    Args:
        text_model: The encoder, `VMHANModel.text_model` or a pretrained one.
        tokenizer: Its tokenizer.
        max_length: Most wordpieces of a text; longer ones are cut.
    """

    def __init__(self, text_model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, max_length: int = 128):
        self.text_model = text_model
        self.tokenizer = tokenizer
        self.max_length = max_length

    @torch.no_grad()
    def __call__(self, texts: Sequence[str]) -> torch.Tensor:
        """Encodes texts as vectors (texts, hidden), on the CPU, without dropout even in training."""
        was_training = self.text_model.training
        self.text_model.eval()
        try:
            return torch.cat([self._encode(texts[i : i + _BATCH]) for i in range(0, len(texts), _BATCH)])
        finally:
            self.text_model.train(was_training)

    def _encode(self, texts: Sequence[str]) -> torch.Tensor:
        encoded = self.tokenizer(
            list(texts),
            padding=True,
            truncation=True,
            max_length=self.max_length,
            split_special_tokens=True,
            return_tensors="pt",
        ).to(self.text_model.device)
        mask = encoded["attention_mask"]  # (texts, tokens)
        output = self.text_model(input_ids=encoded["input_ids"], attention_mask=mask)
        states = output.last_hidden_state.float()  # (texts, tokens, hidden)
        return ((states * mask[..., None]).sum(dim=1) / mask.sum(dim=1, keepdim=True)).cpu()


__all__ = ["MeanPooledEncoder"]
