"""Mention finding: a head over the text encoder's states, and the mentions that it finds in raw text.

The head scores BIO labels of wordpieces (mention_labels.py). A mention is made of whole words. The first wordpiece of
a word says how probably it begins a mention (B) or continues one (I). The probability of a span, words taken as
independent, is B of its first word, times I of each further one, times 1 - I of the word after it; that of a kind is
its share of what all wordpieces of the span say for mentions. The score is the product: the probability that exactly
this span is a mention of this kind. Of candidates that share a word the one with the best score is kept.

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
from torch.nn import functional as F
from torch.nn.utils.rnn import pad_sequence
from transformers import PreTrainedModel

from .mention_labels import count_mention_labels
from .node_selection import Span

if TYPE_CHECKING:
    from .modeling_vmhan import VMHANForRelationExtraction
    from .processing_vmhan import VMHANProcessor

logger = logging.getLogger(__name__)

#: The lowest score of a mention. F1 on tweets is best near 0.35; a mention too many costs less than one too few here.
MIN_SCORE = 0.25
_TOKENS_AT_ONCE = 8192  # wordpieces, with padding, that pass the encoder together
_EAST_ASIAN = "\u2e80"  # first of the scripts whose letters count as words, as BERT's tokenizer splits them


class FoundMention(NamedTuple):
    """A mention found in a text.

    Args:
        start, end: Its [start, end) characters.
        kind: One of `VMHANConfig.mention_kinds`.
        score: The probability that exactly this span is a mention of this kind, in 0..1.
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
    words, taken, mentions = _find_words(text, offsets), set(), []
    candidates = _find_candidates(words, logits.float().softmax(dim=-1), len(kinds), min_score)
    for candidate in sorted(candidates, key=_best_first):
        start, end = words[candidate.first].start, words[candidate.last].end
        inside = range(candidate.first, candidate.last + 1)
        if taken.isdisjoint(inside) and _may_be_name(text[start:end]):
            taken.update(inside)
            mentions.append(FoundMention(start, end, kinds[candidate.kind], candidate.score))
    return sorted(mentions)


class _EncodedText(NamedTuple):
    """A text by its index: the ids of its wordpieces, and the [start, end) characters of each."""

    index: int
    ids: list[int]
    offsets: list[Span]


class _Word(NamedTuple):
    """A word: its [start, end) characters, the wordpiece that is labeled first, and its last one."""

    start: int
    end: int
    first_wordpiece: int
    last_wordpiece: int


class _Candidate(NamedTuple):
    """A span that may be a mention: its first and last word, the index of its kind, and its score."""

    first: int
    last: int
    kind: int
    score: float


def _find_words(text: str, offsets: Sequence[Span | None]) -> list[_Word]:
    """Groups wordpieces to words: letters, digits and "_" side by side, a handle with its "@", any other sign."""
    words: list[_Word] = []
    for wordpiece, offset in enumerate(offsets):
        if offset is None or offset[0] == offset[1]:
            continue
        start, end = offset
        while end < len(text) and unicodedata.combining(text[end]):  # a tokenizer may strip the accent of a letter
            end += 1
        last = words[-1] if words else _Word(0, 0, 0, 0)
        if start < last.end or (start == last.end and _is_inside_word(text, start)):
            words[-1] = last._replace(end=max(end, last.end), last_wordpiece=wordpiece)
        elif start == last.end and _is_in_handle(text, start):  # its "@" is labeled as outside, whatever the name is
            words[-1] = _Word(last.start, end, wordpiece, wordpiece)
        else:
            words.append(_Word(start, end, wordpiece, wordpiece))
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


def _find_candidates(
    words: Sequence[_Word], probabilities: torch.Tensor, num_kinds: int, min_score: float
) -> Iterator[_Candidate]:
    """Finds every span of words with a score of at least `min_score`, given probabilities (tokens, labels)."""
    of_kinds = probabilities[:, 1:].unflatten(1, (num_kinds, 2))  # (tokens, kinds, B and I)
    begins, continues = of_kinds.sum(dim=1)[[word.first_wordpiece for word in words]].unbind(dim=-1)  # (words,)
    totals = F.pad(of_kinds.sum(dim=-1).cumsum(dim=0), (0, 0, 1, 0))  # (1 + tokens, kinds), of the wordpieces before
    for first, last, probability in _find_spans(begins.tolist(), continues.tolist(), min_score):
        of_span = totals[words[last].last_wordpiece + 1] - totals[words[first].first_wordpiece]  # (kinds,)
        kind = int(of_span.argmax())
        score = probability * float(of_span[kind] / of_span.sum())
        if score >= min_score:
            yield _Candidate(first, last, kind, score)


def _find_spans(
    begins: Sequence[float], continues: Sequence[float], min_probability: float
) -> Iterator[tuple[int, int, float]]:
    """Finds first and last word and probability of every span whose probability is at least `min_probability`."""
    ends = [1 - probability for probability in continues[1:]] + [1.0]
    for first, probability in enumerate(begins):
        for last in range(first, len(begins)):
            if last > first:
                probability *= continues[last]
            if probability < min_probability or probability == 0:
                break  # longer spans are even less probable
            if probability * ends[last] >= min_probability:
                yield first, last, probability * ends[last]


def _best_first(candidate: _Candidate) -> tuple[float, int, int]:
    return -candidate.score, candidate.first - candidate.last, candidate.first


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
