"""Mention finding: a head over the text encoder's states, and the mentions that it finds in raw text.

The head scores BIO labels of wordpieces (mention_labels.py). A mention is made of whole words, and a word has the
probabilities of its first wordpiece: that it begins a mention (B), continues one (I), or neither. The score of a span
is the probability, words taken as independent, that exactly it is a mention of whatever kind: B of the first word,
times I of each further one, times 1 - I of the word after it. Of candidates that share a word the best one is kept.
The kind is the most probable one over the span's words.

Signs before a name follow MNRE: the "@" of a handle ("@ada") is in all of its 1,130 mentions of handles, the
"#" of a hashtag is left out of 92 % of 753, and so is an "@" that means "at" ("@ Rome").
"""

import logging
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import nn
from torch.nn.utils.rnn import pad_sequence
from transformers import PreTrainedModel

from .mention_labels import count_mention_labels
from .node_selection import Span

if TYPE_CHECKING:
    from .modeling_vmhan import VMHANForRelationExtraction
    from .processing_vmhan import VMHANProcessor

logger = logging.getLogger(__name__)

#: The lowest score of a mention.
MIN_SCORE = 0.35
_TOKENS_AT_ONCE = 8192  # wordpieces, with padding, that pass the encoder together
_EAST_ASIAN = "\u2e80"  # first of the scripts whose letters count as words, as BERT's tokenizer splits them


class FoundMention(NamedTuple):
    """A mention found in a text.

    Args:
        start, end: Its [start, end) characters.
        kind: One of `VMHANConfig.mention_kinds`.
        score: The probability that exactly this span is a mention, in 0..1.
    """

    start: int
    end: int
    kind: str
    score: float


class MentionHead(nn.Module):
    """Scores the BIO labels of wordpieces from the states of the text encoder.

    Args:
        text_size: Width of the states.
        num_kinds: Number of kinds of mentions.
        hidden_size: Width of the hidden layer.
        dropout: Share of states and of hidden units that are dropped in training.
    """

    def __init__(self, text_size: int, num_kinds: int, hidden_size: int = 256, dropout: float = 0.1):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Dropout(dropout),
            nn.Linear(text_size, hidden_size),
            nn.GELU(),
            nn.Dropout(dropout),
            nn.Linear(hidden_size, count_mention_labels(num_kinds)),
        )

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        """Computes logits (sentences, tokens, labels) of states (sentences, tokens, text)."""
        return self.layers(states)


@torch.no_grad()
def find_mentions(
    texts: Sequence[str],
    model: "VMHANForRelationExtraction",
    processor: "VMHANProcessor",
    min_score: float = MIN_SCORE,
) -> list[list[FoundMention]]:
    """Finds the mentions of raw texts, in the order of each text.

    Texts are encoded without entity markers, a bounded number of wordpieces at once. A text is read up to
    `processor.max_length` wordpieces, as far as a pair of it can be scored; a warning says where one is longer.

    Args:
        texts: The texts.
        model: A model with a `mention_head`; it stays in the mode in which it is.
        processor: Its processor.
        min_score: The lowest score of a mention; a lower one finds more and errs more often.

    Raises:
        ValueError: The model has no mention head, or `min_score` is not in 0..1.
    """
    head, kinds = getattr(model, "mention_head", None), getattr(model.config, "mention_kinds", None)
    if head is None or not kinds:
        raise ValueError(
            "The model has no mention head, so it finds no entities by itself: name them in the request, or load a "
            "model whose config has mention_kinds."
        )
    if not 0 <= min_score <= 1:
        raise ValueError(f"min_score is {min_score}; set a probability, 0 to 1.")
    found: list[list[FoundMention]] = [[] for _ in texts]
    encoder, padding = model.vmhan.text_model, processor.tokenizer.pad_token_id or 0
    with _evaluation_mode(encoder, head):
        for chunk in _encode_chunks(texts, processor):
            logits = head(_encode(chunk, encoder, padding)).float().cpu()  # (texts, tokens, labels)
            for row, of_text in zip(chunk, logits, strict=True):
                found[row.index] = decode_mentions(texts[row.index], row.offsets, of_text, kinds, min_score)
    return found


def decode_mentions(
    text: str,
    offsets: Sequence[Span | None],
    logits: torch.Tensor,
    kinds: Sequence[str],
    min_score: float = MIN_SCORE,
) -> list[FoundMention]:
    """Decodes the logits of a text to mentions that do not overlap, in the order of the text.

    Args:
        text: The text.
        offsets: [start, end) characters of each wordpiece; None or empty for special tokens and padding.
        logits: (tokens, labels).
        kinds: The kinds that the labels stand for.
        min_score: The lowest score of a mention.
    """
    words = _find_words(text, offsets)
    if not words:
        return []
    first_wordpieces = torch.tensor([word.wordpiece for word in words])
    probabilities = logits[first_wordpieces].float().softmax(dim=-1)  # (words, labels)
    of_kinds = probabilities[:, 1:].unflatten(1, (len(kinds), 2))  # (words, kinds, B and I)
    begins, continues = of_kinds.sum(dim=1).unbind(dim=-1)  # (words,)
    candidates = sorted(_candidates(begins.tolist(), continues.tolist(), min_score), key=_best_first)
    kind_scores, taken, mentions = of_kinds.sum(dim=-1), set(), []
    for first, last, score in candidates:
        start, end = words[first].start, words[last].end
        if taken.isdisjoint(range(first, last + 1)) and _may_be_name(text[start:end]):
            taken.update(range(first, last + 1))
            kind = kinds[int(kind_scores[first : last + 1].sum(dim=0).argmax())]
            mentions.append(FoundMention(start, end, kind, score))
    return sorted(mentions)


class _EncodedText(NamedTuple):
    """A text by its index: the ids of its wordpieces, and the [start, end) characters of each."""

    index: int
    ids: list[int]
    offsets: list[Span]


class _Word(NamedTuple):
    """A word: its [start, end) characters and its first wordpiece."""

    start: int
    end: int
    wordpiece: int


def _find_words(text: str, offsets: Sequence[Span | None]) -> list[_Word]:
    """Groups wordpieces to words: letters, digits and "_" side by side, a handle with its "@", any other sign."""
    words: list[_Word] = []
    for wordpiece, offset in enumerate(offsets):
        if offset is None or offset[0] == offset[1]:
            continue
        start, end = offset
        while end < len(text) and unicodedata.combining(text[end]):  # a tokenizer may strip the accent of a letter
            end += 1
        last = words[-1] if words else _Word(0, 0, 0)
        if start < last.end or (start == last.end and _is_inside_word(text, start)):
            words[-1] = last._replace(end=max(end, last.end))
        elif start == last.end and _is_in_handle(text, start):
            words[-1] = _Word(last.start, end, wordpiece)  # the "@" is labeled as outside, whatever the name is
        else:
            words.append(_Word(start, end, wordpiece))
    return words


def _is_inside_word(text: str, index: int) -> bool:
    return index > 0 and all(_is_letter(char) and char < _EAST_ASIAN for char in text[index - 1 : index + 1])


def _is_in_handle(text: str, index: int) -> bool:
    """Returns whether a handle's name starts at `index`, as in "@ada", not in "@ Rome" or "a@b"."""
    before = text[max(index - 2, 0) : index]
    return before.endswith("@") and not before[:-1].isalnum() and _is_letter(text[index])


def _is_letter(char: str) -> bool:
    return char.isalnum() or char == "_"


def _may_be_name(text: str) -> bool:
    """Returns whether a mention may read so: with a letter or digit, and no "#" or "@" that is a word before it."""
    return any(map(str.isalnum, text)) and not text.startswith("#") and not text.startswith("@ ")


def _candidates(
    begins: Sequence[float], continues: Sequence[float], min_score: float
) -> Iterator[tuple[int, int, float]]:
    """Yields first and last word and score of every span whose score is at least `min_score`."""
    after = [1 - probability for probability in continues[1:]] + [1.0]
    for first, score in enumerate(begins):
        for last in range(first, len(begins)):
            if last > first:
                score *= continues[last]
            if score < min_score or score == 0:
                break  # longer spans score even less
            if score * after[last] >= min_score:
                yield first, last, score * after[last]


def _best_first(candidate: tuple[int, int, float]) -> tuple[float, int, int]:
    first, last, score = candidate
    return -score, first - last, first


def _encode_chunks(texts: Sequence[str], processor: "VMHANProcessor") -> Iterator[list[_EncodedText]]:
    """Tokenizes texts and yields them by length, one or at most `_TOKENS_AT_ONCE` wordpieces with padding at once."""
    if not texts:
        return
    encoded = processor.tokenizer(
        list(texts),
        truncation=True,
        max_length=processor.max_length,
        split_special_tokens=True,
        return_offsets_mapping=True,
        verbose=False,
    )
    if cut := sum(bool(encoding.overflowing) for encoding in encoded.encodings):
        logger.warning(
            "%d texts are cut after %d wordpieces, and mentions found up to there", cut, processor.max_length
        )
    rows = map(_EncodedText, range(len(texts)), encoded["input_ids"], encoded["offset_mapping"])
    chunk: list[_EncodedText] = []
    for row in sorted(rows, key=lambda row: len(row.ids)):
        if chunk and (len(chunk) + 1) * len(row.ids) > _TOKENS_AT_ONCE:
            yield chunk
            chunk = []
        chunk.append(row)
    yield chunk


def _encode(chunk: Sequence[_EncodedText], encoder: PreTrainedModel, padding: int) -> torch.Tensor:
    """Encodes texts as the states of their wordpieces, (texts, tokens, text)."""
    ids = [torch.tensor(row.ids, device=encoder.device) for row in chunk]
    input_ids = pad_sequence(ids, batch_first=True, padding_value=padding)  # (texts, tokens)
    attention_mask = pad_sequence([torch.ones_like(row) for row in ids], batch_first=True)
    return encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state


@contextmanager
def _evaluation_mode(*modules: nn.Module) -> Iterator[None]:
    """Puts modules into evaluation mode, and back into the one in which they were."""
    modes = [module.training for module in modules]
    for module in modules:
        module.eval()
    try:
        yield
    finally:
        for module, mode in zip(modules, modes, strict=True):
            module.train(mode)


__all__ = ["FoundMention", "MentionHead", "decode_mentions", "find_mentions"]
