"""How alike two texts are to the text encoder: the mean of their wordpieces' last states."""

from collections.abc import Sequence

import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

_BATCH = 64


class MeanPooledEncoder:
    """Texts to vectors by a text encoder; callable, as `WordSelector` wants it.

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
        """Vectors of shape (texts, hidden), on the CPU, the same whether or not the encoder is in training."""
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
        mask = encoded["attention_mask"]
        states = self.text_model(input_ids=encoded["input_ids"], attention_mask=mask).last_hidden_state.float()
        return ((states * mask[..., None]).sum(dim=1) / mask.sum(dim=1, keepdim=True)).cpu()


__all__ = ["MeanPooledEncoder"]
