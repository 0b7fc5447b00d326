"""Labels of wordpieces for mention finding: BIO over kinds, codes for what a corpus leaves open, and their loss.

With kinds numbered from 0, label 0 is outside of mentions, 1 + 2k begins a mention of kind k and 2 + 2k continues it.
What a corpus leaves open is a code after the labels, for a set of labels any of which may be the true one:

- a mention of unknown kind begins (`num_labels`) or continues (`num_labels + 1`),
- a mention has ended (`num_labels + 2`): nothing is known but that the one before does not continue, without which
  mentions amid unknown words would swallow them,
- outside of mentions, as far as the corpus annotates (`num_labels + 2 + m`): it does not annotate the kinds whose bit
  is set in m, so the word may as well belong to a mention of one of them.

-100 says nothing. Signs before a name are outside of mentions, as `trim_signs` says.

Example, with the kinds person and place, of "RT Ada in #Rome": 0 1 0 0 3, and of a corpus that annotates only
people: 9 1 9 9 9, since m = 2 is place, and 5 + 2 + 2 is 9.
"""

from collections.abc import Sequence
from functools import lru_cache

import torch
from torch.nn import functional as F

from .node_selection import Span

#: The kinds of mentions, in the order of their labels.
MENTION_KINDS = ("person", "place", "organization", "other")
#: The label of a wordpiece of which nothing is known.
UNKNOWN = -100
OUTSIDE = 0
_SIGNS = "@#"


def count_mention_labels(num_kinds: int) -> int:
    """Computes the number of BIO labels of `num_kinds` kinds."""
    return 1 + 2 * num_kinds


def trim_signs(text: str, span: Span) -> Span | None:
    """Trims "@", "#" and blanks before a name off a span; returns None where nothing else is in it.

    Labels leave these signs outside of mentions, since corpora disagree on them: Broad Twitter Corpus labels most as
    mentions of their own, others as outside, and MNRE's mentions hold the "@" of a handle, which is no word of its own
    there, but seldom a "#".
    """
    start, end = span
    while start < end and (text[start] in _SIGNS or text[start].isspace()):
        start += 1
    return (start, end) if start < end else None


def mention_labels_of(
    offsets: Sequence[Span | None],
    mentions: Sequence[tuple[int, int, str | None]],
    kinds: Sequence[str],
    text: str,
    unknown: Sequence[Span] = (),
    unannotated: Sequence[str] = (),
) -> list[int]:
    """Builds the label or code of every wordpiece of a sentence.

    Args:
        offsets: [start, end) characters of each wordpiece; None or empty for special tokens, whose label is unknown.
        mentions: [start, end) characters and kind of each mention, the kind None where it is not known. Of two that
            overlap the longer one is labeled, of equally long ones the first.
        kinds: The kinds, `VMHANConfig.mention_kinds`.
        text: The sentence.
        unknown: [start, end) characters of which nothing is known where no mention is.
        unannotated: The kinds that the corpus does not annotate.

    Raises:
        ValueError: A kind is none of `kinds`.
    """
    begin_any = count_mention_labels(len(kinds))
    ended, outside = begin_any + 2, _outside_code(kinds, unannotated)
    known = [offset if offset and offset[0] < offset[1] else None for offset in offsets]
    trimmed = [(span, kind) for start, end, kind in mentions if (span := trim_signs(text, (start, end)))]
    labels = [UNKNOWN if offset is None or _is_among(offset, unknown) else outside for offset in known]
    taken: set[int] = set()
    for span, kind in sorted(trimmed, key=lambda mention: mention[0][0] - mention[0][1]):  # the longest first
        inside = [i for i, offset in enumerate(known) if offset and offset[0] < span[1] and offset[1] > span[0]]
        if not inside or not taken.isdisjoint(inside):
            continue
        begin = begin_any if kind is None else 1 + 2 * _index_of_kind(kind, kinds)
        taken.update(inside)
        labels[inside[0]] = begin
        for i in inside[1:]:
            labels[i] = begin + 1
        after = inside[-1] + 1
        if after < len(labels) and known[after] and labels[after] == UNKNOWN:
            labels[after] = ended
    return labels


def mention_loss(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Computes the mean negative log-likelihood of the labels, of a code that of any label in its set.

    Args:
        logits: (sentences, tokens, labels).
        labels: Labels and codes, -100 where unknown, (sentences, tokens).

    Returns:
        A scalar in single precision, 0 where everything is unknown.
    """
    known = labels != UNKNOWN
    log_probabilities = F.log_softmax(logits[known].float(), dim=-1)  # (known, labels)
    possible = _labels_of_codes(logits.shape[-1]).to(labels.device)[labels[known]]  # (known, labels)
    likelihoods = log_probabilities.masked_fill(~possible, -torch.inf).logsumexp(dim=-1)  # (known,)
    return -likelihoods.sum() / max(len(likelihoods), 1)


def _outside_code(kinds: Sequence[str], unannotated: Sequence[str]) -> int:
    if not unannotated:
        return OUTSIDE
    bits = sum(1 << _index_of_kind(kind, kinds) for kind in set(unannotated))
    return count_mention_labels(len(kinds)) + 2 + bits


def _index_of_kind(kind: str, kinds: Sequence[str]) -> int:
    if kind not in kinds:
        raise ValueError(f'The kind "{kind}" of a mention is none of {list(kinds)}; name one of these, or None.')
    return list(kinds).index(kind)


def _is_among(offset: Span, spans: Sequence[Span]) -> bool:
    return any(start <= offset[0] < end for start, end in spans)


@lru_cache
def _labels_of_codes(num_labels: int) -> torch.Tensor:
    """Computes which labels each label or code stands for, (codes, labels)."""
    num_kinds = num_labels // 2
    begin, inside = ({first + 2 * kind for kind in range(num_kinds)} for first in (1, 2))
    sets = [*({label} for label in range(num_labels)), begin, inside, {OUTSIDE} | begin]
    for bits in range(1, 1 << num_kinds):
        open_kinds = [kind for kind in range(num_kinds) if bits >> kind & 1]
        sets.append({OUTSIDE, *(label for kind in open_kinds for label in (1 + 2 * kind, 2 + 2 * kind))})
    return torch.tensor([[label in possible for label in range(num_labels)] for possible in sets])


__all__ = ["MENTION_KINDS", "mention_labels_of", "mention_loss"]
