"""Mentions of the pairs of a relation corpus, with the kinds that their relations name.

The relations of MNRE name the kinds of head and tail: the head of `/per/org/member_of` is a person, its tail an
organization. Mentions that stand only in pairs without a relation are of unknown kind, and so are those whose
relations contradict each other. Nothing is known of the words that are in no pair: only some of the entities of a
sentence are in one.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from vmhan.mention_labels import MENTION_KINDS

#: The kind of each entity type in the names of MNRE's relations.
RELATION_KINDS: dict[str, str] = dict(zip(("per", "loc", "org", "misc"), MENTION_KINDS, strict=True))


def mentions_of_pairs(rows: Iterable[Mapping], label_names: list[str] | None = None) -> list[dict]:
    """Collects the mentions of each distinct sentence of pair rows, as the rows of `load_ner`.

    Args:
        rows: Rows with `words`, `head_span`, `relation` and, unless the tail is an object, `tail_span`.
        label_names: The relation names, where `relation` is an id.

    Returns:
        Rows of `words`, `mentions`, (start, end, kind or None) in words, and `unknown`, all of the words.
    """
    kinds_by_sentence: dict[tuple[str, ...], dict[tuple[int, int], set[str]]] = defaultdict(lambda: defaultdict(set))
    for row in rows:
        relation = row["relation"] if label_names is None else label_names[row["relation"]]
        kinds_by_span = kinds_by_sentence[tuple(row["words"])]
        for column, kind in zip(("head_span", "tail_span"), kinds_of_relation(relation), strict=True):
            if column in row:
                kinds_by_span[tuple(row[column])].update([kind] if kind else [])
    return [
        {
            "words": list(words),
            "mentions": [
                (*span, next(iter(kinds)) if len(kinds) == 1 else None) for span, kinds in sorted(by_span.items())
            ],
            "unknown": [(0, len(words))],
        }
        for words, by_span in kinds_by_sentence.items()
    ]


def kinds_of_relation(name: str) -> tuple[str | None, str | None]:
    """Reads the kinds of head and tail out of the name of a relation, such as `/per/org/member_of`.

    None where the name does not tell.
    """
    _, head, tail, *_ = [*name.split("/"), "", ""]
    return RELATION_KINDS.get(head), RELATION_KINDS.get(tail)


__all__ = ["RELATION_KINDS", "kinds_of_relation", "mentions_of_pairs"]
