"""Labels and numbers in words."""

import math

NO_RELATION = "None"
WHOLE_PICTURE = "image"  # what the pipeline calls it among the visual nodes
# Where the label alone would not read well between two names; "alumi" is MNRE's own spelling.
_SPELLING = {
    "alumi": "alumni",
    "charges": "in charge of",
    "contain": "contains",
    "held_on": "held in",
    "locate_at": "located in",
}


def relation_label(relation: str) -> str:
    """`/per/org/member_of` in words: "member of"."""
    if relation == NO_RELATION:
        return "no relation"
    name = relation.rsplit("/", 1)[-1]
    return _SPELLING.get(name, name.replace("_", " "))


def is_related(pair: dict) -> bool:
    """Whether a pair has a relation: as the page has marked it by the model's own negative label, if it has."""
    return pair.get("related", pair["relation"] != NO_RELATION)


def relation_words(pair: dict) -> str:
    """The relation of a pair in words."""
    return relation_label(pair["relation"] if is_related(pair) else NO_RELATION)


def node_name(label: str) -> str:
    """What a visual node is called on the page."""
    return "the whole picture" if label == WHOLE_PICTURE else label


def short(text: str, letters: int) -> str:
    """Text cut to a number of letters."""
    return text if len(text) <= letters else text[: letters - 1].rstrip() + "…"


def uncertainty(pair: dict) -> float:
    """Entropy of the scores of a pair as a share of the most it could be, 0 to 1."""
    return pair["entropy"] / math.log(len(pair["scores"])) if len(pair["scores"]) > 1 else 0.0


def sort_pairs(pairs: list[dict]) -> list[dict]:
    """Pairs with a relation first, the surest first."""
    return sorted(pairs, key=lambda pair: (not is_related(pair), -pair["score"]))


def summary(pairs: list[dict]) -> str:
    """How many relations of how many kinds were found."""
    found = [pair["relation"] for pair in pairs if is_related(pair)]
    kinds = len(set(found))
    if not found:
        return f"No relation in {count(len(pairs), 'pair')}"
    of_kinds = f" of {count(kinds, 'kind')}" if kinds > 1 else ""
    return f"{count(len(found), 'relation')}{of_kinds} in {count(len(pairs), 'pair')}"


def count(number: int, noun: str) -> str:
    """A number and its noun: "3 pairs"."""
    return f"{number} {noun}{'' if number == 1 else 's'}"
