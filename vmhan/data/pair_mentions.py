"""Mentions of the pairs of a relation corpus, with the kinds that their relations name.

The relations of MNRE name the kinds of head and tail: the head of `/per/org/member_of` is a person, its tail an
organization. Mentions that stand only in pairs without a relation are of unknown kind, and so are those whose
relations contradict each other.

Only some entities of a sentence need be in a pair, so nothing is known of the other words. MNRE's pairs hold most of
them, but few of the handles: there all other words but handles count as outside of mentions.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from vmhan.data.ner import find_unmarked_handles
from vmhan.mention_labels import MENTION_KINDS

#: The kind of each entity type in the names of MNRE's relations.
RELATION_KINDS: dict[str, str] = dict(zip(("per", "loc", "org", "misc"), MENTION_KINDS, strict=True))


def mentions_of_pairs(
    rows: Iterable[Mapping], label_names: Sequence[str] | None = None, *, complete: bool = False
) -> list[dict]:
    """Collects the mentions of each distinct sentence of pair rows, as the rows of `load_ner`.

    Args:
        rows: Rows with `words`, `head_span`, `relation` and, unless the tail is an object, `tail_span`.
        label_names: The relation names, where `relation` is an id.
        complete: Whether the pairs hold most mentions of a sentence that are no handles, as in MNRE.

    Returns:
        Rows of `words`, `mentions`, (start, end, kind or None) in words, and `unknown`, all of the words or, if
        `complete`, the [start, end) of the handles that are in no mention.
    """
    kinds_by_sentence: dict[tuple[str, ...], dict[tuple[int, int], set[str]]] = defaultdict(lambda: defaultdict(set))
    for row in rows:
        relation = str(row["relation"] if label_names is None else label_names[row["relation"]])
        kinds_by_span = kinds_by_sentence[tuple(row["words"])]
        for column, kind in zip(("head_span", "tail_span"), kinds_of_relation(relation), strict=True):
            if column in row:
                kinds_by_span[tuple(row[column])].update([kind] if kind else [])
    sentences = []
    for words, kinds_by_span in kinds_by_sentence.items():
        mentions = [(*span, next(iter(kinds)) if len(kinds) == 1 else None) for span, kinds in kinds_by_span.items()]
        unknown = find_unmarked_handles(words, mentions) if complete else [(0, len(words))]
        sentences.append({"words": list(words), "mentions": sorted(mentions, key=lambda m: m[:2]), "unknown": unknown})
    return sentences


def kinds_of_relation(name: str) -> tuple[str | None, str | None]:
    """Reads the kinds of head and tail out of the name of a relation, such as `/per/org/member_of`.

    None where the name does not tell.
    """
    _, head, tail, *_ = [*name.split("/"), "", ""]
    return RELATION_KINDS.get(head), RELATION_KINDS.get(tail)


__all__ = ["RELATION_KINDS", "kinds_of_relation", "mentions_of_pairs"]
