"""Scores of found mentions: a mention is right if its [start, end) characters are exactly those of a gold one.

Typed scores ask for the kind too. Counts are over all sentences (micro-averages), duplicates count once, and what
would divide by zero is 0.0. Signs before a name, "@" and "#", count for neither side, since corpora disagree on them.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from vmhan.mention_finder import FoundMention
from vmhan.mention_labels import trim_signs

#: [start, end) characters of a mention, and its kind.
Mention = tuple[int, int, str | None]


@dataclass(frozen=True)
class MentionScores:
    """Holds precision, recall and F1, and the counts of right, found and gold mentions."""

    right: int
    found: int
    gold: int

    @property
    def precision(self) -> float:
        """Returns the share of found mentions that are right."""
        return self.right / self.found if self.found else 0.0

    @property
    def recall(self) -> float:
        """Returns the share of gold mentions that are found."""
        return self.right / self.gold if self.gold else 0.0

    @property
    def f1(self) -> float:
        """Returns the harmonic mean of both."""
        return 2 * self.right / (self.found + self.gold) if self.right else 0.0


def character_mentions(words: Sequence[str], mentions: Sequence[tuple[int, int, str | None]]) -> list[Mention]:
    """Converts mentions in [start, end) words to characters of the words joined by blanks."""
    starts, position = [], 0
    for word in words:
        starts.append(position)
        position += len(word) + 1
    return [(starts[start], starts[end - 1] + len(words[end - 1]), kind) for start, end, kind in mentions]


def score_mentions(
    texts: Sequence[str],
    found: Sequence[Sequence[FoundMention]],
    gold: Sequence[Sequence[Mention]],
    *,
    typed: bool = True,
    kinds: Collection[str] | None = None,
) -> MentionScores:
    """Scores found mentions against gold ones.

    Args:
        texts: The sentences.
        found: The mentions found in each.
        gold: The gold mentions of each. One of kind None is left out of typed scores.
        typed: Whether the kind counts.
        kinds: The kinds that count, found and gold; by default all. A corpus that does not annotate a kind cannot say
            whether a mention of that kind is right.

    Raises:
        ValueError: There are not as many lists as texts.
    """
    if not len(texts) == len(found) == len(gold):
        raise ValueError(f"{len(texts)} texts, {len(found)} found and {len(gold)} gold lists; give one list a text.")
    right = found_count = gold_count = 0
    for text, of_found, of_gold in zip(texts, found, gold, strict=True):
        predicted = _keys(text, [mention[:3] for mention in of_found], typed, kinds)
        true = _keys(text, of_gold, typed, kinds)
        right += len(predicted & true)
        found_count += len(predicted)
        gold_count += len(true)
    return MentionScores(right, found_count, gold_count)


def scores_by_kind(
    texts: Sequence[str],
    found: Sequence[Sequence[FoundMention]],
    gold: Sequence[Sequence[Mention]],
    kinds: Sequence[str],
) -> dict[str, MentionScores]:
    """Scores the mentions of each kind; the other arguments are those of `score_mentions`."""
    return {kind: score_mentions(texts, found, gold, kinds=[kind]) for kind in kinds}


def mention_recall(
    texts: Sequence[str], found: Sequence[Sequence[FoundMention]], gold: Sequence[Sequence[Mention]]
) -> float:
    """Computes the share of gold spans, of whatever kind, that are found."""
    return score_mentions(texts, found, gold, typed=False).recall


def _keys(text: str, mentions: Sequence[Mention], typed: bool, kinds: Collection[str] | None) -> set[tuple]:
    """Returns what must agree of the mentions that count."""
    keys = set()
    for start, end, kind in mentions:
        span = trim_signs(text, (start, end))
        counts = (kinds is None or kind in kinds) and not (typed and kind is None)
        if span is not None and counts:
            keys.add((*span, kind) if typed else span)
    return keys


__all__ = ["MentionScores", "character_mentions", "mention_recall", "score_mentions", "scores_by_kind"]
